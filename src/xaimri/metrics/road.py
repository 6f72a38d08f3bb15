"""Remove and debias: what the score does when pixels are removed without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images, Mask
from xaimri.classifier import Classifier, Of
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.reading import Values, fitting, of_each, ranking, spread
from xaimri.perturb.responses import fastest, scored, streamed

MANY = 2000
"""Removed voxels from which on a volume's equations are solved step by step, to 1e-8."""


@of_each
def road(
    explanations: Sequence[Explanation],
    classifier: Classifier,
    *,
    fractions: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    noise: float = 0.01,
    of: Of = "probability",
    seed: int = 0,
) -> Values:
    """Remove the most, and the least relevant pixels, filled in from around so that their place is not seen.

    Half the mean difference between the score with the least relevant pixels removed and that with the most
    relevant removed: from -0.5 to 0.5 for a probability, higher is better, 0 by chance. What is removed is
    replaced by the weighted mean of its neighbours, by solving for all removed pixels together, and a little
    noise, which hides from the model that something was removed. It can't see how strong the values are, and
    large smooth areas are restored rather than removed: of a map of scattered single pixels it tells little.

    Parameters
    ----------
    explanations
        One, or several at once, on the classifier's own grid.
    classifier
        The model that was explained.
    fractions
        How much of the image is removed.
    noise
        Standard deviation, as a share of the image's own.
    of
        The score, of the explained class.
    seed
        Of the noise, and of the order of pixels with equal values.

    Returns
    -------
    float or (batch,)

    Notes
    -----
    Costs ``2 * len(fractions)`` model calls per map, and a sparse linear system for each: on a fast network
    these take longer than the network. Those of volumes are solved by conjugate gradients, to 1e-8.

    References
    ----------
    Rong et al. (2022), arXiv:2202.00449; both orders together, as pytorch-grad-cam's ``ROADCombined``. In two
    dimensions the weights are theirs (1/6 for the four nearest, 1/12 for the diagonal ones).

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> weights = np.zeros((2, 6, 7, 1))
    >>> weights[1, 2:4, 3:5] = 1
    >>> model, image = LinearClassifier(weights), np.zeros((1, 6, 7, 1))
    >>> image[0, 2:4, 3:5] = 1
    >>> explanation, = InputXGradient().explain(model, image, 1)
    >>> road(explanation, model) > 0.2
    True
    """
    shape = fitting(explanations, classifier)
    if not len(fractions) or not all(0 < share < 1 for share in fractions):
        raise InvalidInput(f"`fractions` must be above 0 and below 1, got {list(fractions)}.")
    if not 0 <= noise < np.inf:
        raise InvalidInput(f"`noise` must be at least 0, got {noise}.")
    orders = [ranking(spread(each).ravel(), seed) for each in explanations]
    rows = [(n, share, most) for n in range(len(orders)) for share in fractions for most in (True, False)]

    def write(buffer: Images, first: int) -> None:
        for out, (number, share, most) in zip(buffer, rows[first:], strict=False):
            order, image = orders[number], explanations[number].image
            count = round(share * len(order))
            removed = np.zeros(len(order), dtype=bool)
            removed[order[:count] if most else order[len(order) - count :]] = True
            out[:] = imputed(image, removed.reshape(image.shape[:-1]), noise, seed)

    logits = streamed(fastest(classifier, len(rows), shape), shape, len(rows), write).astype(np.float64)
    each = logits.reshape(len(orders), -1, logits.shape[1])
    found = []
    for one, explanation in zip(each, explanations, strict=True):
        most, least = scored(one, explanation.target, of).reshape(-1, 2).T
        found.append(float(np.mean(least - most)) / 2)
    return np.array(found)


def imputed(image: Image, removed: Mask, noise: float = 0.0, seed: int = 0) -> Image:
    """Give removed pixels the weighted mean of their neighbours, all at once, and a little noise.

    Parameters
    ----------
    image
        ``(*space, channels)``.
    removed
        ``(*space)``, True where pixels are removed; where all are, the mean of the image is given.
    noise
        Standard deviation as a share of the image's.
    seed
        Of the noise.

    Examples
    --------
    >>> row = np.array([[[0.0], [5.0], [5.0], [3.0]]])
    >>> imputed(row, np.array([[False, True, True, False]])).ravel().tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    count, known = int(removed.sum()), image[~removed].astype(np.float64)
    found = image.astype(np.float64)
    if count and len(known):
        found[removed] = _solved(image, removed)
    elif count:
        found[:] = image.mean(axis=tuple(range(removed.ndim)))
    if count and noise:
        drawn = np.random.default_rng(seed).standard_normal(image.shape)
        found[removed] += noise * float(image.std()) * drawn[removed]
    filled_in: Image = found.astype(image.dtype)
    return filled_in


def _solved(image: Image, removed: Mask) -> Float[Array, "removed channels"]:
    """Return for every removed pixel the weighted mean of its neighbours, removed or not."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import cg, splu

    axes, places = removed.ndim, np.argwhere(removed) + 1  # in the image with a border around it
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(len(places))
    number = np.pad(number, 1, constant_values=-2)
    levels = np.pad(image.astype(np.float64), [(1, 1)] * axes + [(0, 0)])
    total, right = np.zeros(len(places)), np.zeros((len(places), image.shape[-1]))
    rows, columns, entries = [np.arange(len(places))], [np.arange(len(places))], [total]
    for step in product((-1, 0, 1), repeat=axes):
        if not any(step):
            continue
        weight = 2.0 ** (axes - np.count_nonzero(step))
        where = tuple((places + step).T)
        other = number[where]
        gone, known = other >= 0, other == -1
        total += weight * (gone | known)
        right[known] += weight * levels[where][known]
        rows.append(np.flatnonzero(gone))
        columns.append(other[gone])
        entries.append(np.full(len(rows[-1]), -weight))
    cells = (np.concatenate(rows), np.concatenate(columns))
    matrix = coo_matrix((np.concatenate(entries), cells)).tocsc()
    if len(places) > MANY and axes > 2:  # elimination fills up in three dimensions
        smooth = diags(1 / total)
        each = [cg(matrix, side, rtol=1e-8, M=smooth)[0] for side in right.T]
        return np.stack(each, axis=1)
    symmetric: dict[str, Any] = {
        "permc_spec": "MMD_AT_PLUS_A",
        "diag_pivot_thresh": 0.0,
        "options": {"SymmetricMode": True},
    }
    solved: Array = splu(matrix, **symmetric).solve(right)
    return solved

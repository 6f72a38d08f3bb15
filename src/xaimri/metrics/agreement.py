"""Do the values add up to what hiding does: faithfulness by sums over subsets of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Coalitions, Labels
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.subsets import boxes, subsets, sums_and_falls
from xaimri.objective import Of
from xaimri.perturb.absent import Absent, AbsentRule


@of_each
@check_arguments(absent=AbsentRule())
def infidelity(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = "blur",
    samples: int = 100,
    side: float = 0.25,
    normalised: bool = True,
    of: Of | None = None,
    seed: int = 0,
) -> Values:
    """Hide random boxes, and compare each fall of the score with the sum of the box's values.

    Lower is better. Normalised, the map is first scaled to fit the falls best, never turned round, and the
    squared error is divided by the mean square of the falls: 0 where the values add up to what every box
    does, up to one positive factor; 1 where they say nothing of it, as a map of zeros, or the opposite, as
    one with the sign reversed. A random map has a little less than 1. Otherwise it is the mean squared error
    itself, in squared units of the score, of a map whose values are contributions. It can't see what only
    shows when parts of several boxes are hidden together.

    Parameters
    ----------
    explanations, classifier, absent
        As of :func:`xaimri.metrics.deletion`; an array or a number as ``absent`` hides what the map was
        compared with.
    samples
        Boxes per image; all maps of equal size are tried on the same ones.
    side
        Of a box, as a share of each axis.
    normalised
        See above.
    of
        The score; None takes the one that was explained.
    seed
        Of the boxes, and of noise.

    Returns
    -------
    float or (batch,)
        NaN where no box changes the score.

    Notes
    -----
    Costs ``samples + 1`` model calls per image, which its maps share.

    References
    ----------
    Yeh et al. (2019), arXiv:1901.09392, with their perturbation towards a baseline: there the map is
    multiplied by the perturbation, here its values already are contributions.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = InputXGradient().explain(model, image)
    >>> round(infidelity(explanation, model, absent=0.0), 6)
    0.0
    """
    if not 0 < side <= 1:
        raise InvalidInput(f"`side` must be above 0 and at most 1, got {side}.")
    _at_least("samples", samples, 2)

    def outside(labels: Labels) -> Coalitions:
        return ~boxes(labels.shape, samples, side, seed)

    found = []
    for sums, falls in sums_and_falls(explanations, classifier, None, absent, outside, of, seed):
        scale = max(_ratio(float(sums @ falls), float(sums @ sums), 0.0), 0.0) if normalised else 1.0
        error = float(np.mean((scale * sums - falls) ** 2))
        found.append(_ratio(error, float(np.mean(falls**2)), np.nan) if normalised else error)
    return np.array(found)


@of_each
@check_arguments(absent=AbsentRule())
def faithfulness_correlation(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = "blur",
    samples: int = 100,
    share: float = 0.1,
    regions: int | Labels | None = None,
    of: Of | None = None,
    seed: int = 0,
) -> Values:
    """Hide random subsets of one size, and correlate the falls of the score with the sums of their values.

    From -1 to 1, higher is better; 0 by chance. Pearson's correlation: scale and offset of the map don't
    matter. It can't see a factor that is wrong, nor anything common to all subsets of that size.

    Parameters
    ----------
    explanations, classifier, absent, of, seed
        As of :func:`infidelity`.
    samples
        Subsets per image.
    share
        Of the image that each hides.
    regions
        Hide superpixels, about so many, or those of a label image; None hides pixels.

    Returns
    -------
    float or (batch,)
        NaN where all sums or all falls are equal.

    Notes
    -----
    Costs ``samples + 1`` model calls per image, which its maps share.

    References
    ----------
    Bhatt, Weller & Moura (2020), doi:10.24963/ijcai.2020/417.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = InputXGradient().explain(model, image)
    >>> round(faithfulness_correlation(explanation, model, absent=0.0), 6)
    1.0
    """
    each = _correlations(explanations, classifier, absent, samples, [share], regions, of, seed)
    return np.asarray(each[0])


@of_each
@check_arguments(absent=AbsentRule())
def sensitivity_n(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    absent: Absent = "blur",
    samples: int = 50,
    sizes: Sequence[float] = (0.01, 0.05, 0.1, 0.25, 0.5),
    regions: int | Labels | None = None,
    of: Of | None = None,
    seed: int = 0,
) -> Values:
    """Average the correlation of :func:`faithfulness_correlation` over subsets of several sizes.

    From -1 to 1, higher is better; 0 by chance; 1 where the score is a sum of the map's values.

    Parameters
    ----------
    explanations, classifier, absent, regions, of, seed
        As of :func:`faithfulness_correlation`.
    samples
        Subsets of each size.
    sizes
        Shares of the image.

    Returns
    -------
    float or (batch,)
        The mean over the sizes at which there is a correlation; NaN where there is none.

    Notes
    -----
    Costs ``len(sizes) * samples + 1`` model calls per image, which its maps share.

    References
    ----------
    Ancona et al. (2018), arXiv:1711.06104, who plot it over the size.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1))
    >>> explanation, = InputXGradient().explain(model, image)
    >>> round(sensitivity_n(explanation, model, absent=0.0), 6)
    1.0
    """
    each = _correlations(explanations, classifier, absent, samples, sizes, regions, of, seed)
    known = np.isfinite(each)
    total = np.where(known, each, 0.0).sum(axis=0)
    return np.asarray(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan))


def _correlations(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    absent: Absent,
    samples: int,
    sizes: Sequence[float],
    regions: int | Labels | None,
    of: Of | None,
    seed: int,
) -> Float[Array, "sizes batch"]:
    """Return the correlation of sums and falls, over the subsets of each size."""
    _at_least("samples", samples, 3)
    if not len(sizes) or not all(0 < share < 1 for share in sizes):
        raise InvalidInput(
            f"subsets must be shares above 0 and below 1 of the image, got {shown(list(sizes))}."
        )

    def without(labels: Labels) -> Coalitions:
        return ~subsets(int(labels.max()) + 1, samples, sizes, seed)

    found = []
    for sums, falls in sums_and_falls(explanations, classifier, regions, absent, without, of, seed):
        pairs = zip(np.split(sums, len(sizes)), np.split(falls, len(sizes)), strict=True)
        found.append([_pearson(a, b) for a, b in pairs])
    return np.array(found).T


def _pearson(a: Float[Array, " samples"], b: Float[Array, " samples"]) -> float:
    sides = []
    for values in (a, b):
        centred = values - values.mean()
        size = float(np.linalg.norm(centred))
        if not size > 1e-12 * float(np.abs(values).max()):  # equal, but for rounding, in any unit
            return float("nan")
        sides.append(centred / size)
    return float(np.clip(sides[0] @ sides[1], -1, 1))


def _ratio(above: float, below: float, otherwise: float) -> float:
    return float(above / below) if below > 0 else otherwise


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InvalidInput(f"`{name}` must be at least {least}, got {value}.")

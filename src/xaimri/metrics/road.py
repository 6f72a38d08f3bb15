"""Remove and debias: what the score does when pixels are removed without a trace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Images
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.imputation import fill_in, grain
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.metrics.score import refuse_still, watched_score
from xaimri.metrics.values import pixel_shares, ranking
from xaimri.objective import Of
from xaimri.perturb.responses import fastest, scored, streamed


@of_each
@check_arguments()
def road(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    *,
    fractions: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    noise: float = 0.01,
    of: Of | None = None,
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
        The score, as of :func:`deletion`: of the explained class by default the probability.
    seed
        Of the noise, and of the order of pixels with equal values.

    Returns
    -------
    float or (batch,)

    Notes
    -----
    Costs ``2 * len(fractions)`` model calls per map, and a linear system for each. The guide has the time.

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
    model = classifier_of(classifier)
    shape = image_shape(explanations, model)
    if not len(fractions) or not all(0 < share < 1 for share in fractions):
        raise InvalidInput(f"`fractions` must be above 0 and below 1, got {shown(list(fractions))}.")
    orders = [ranking(pixel_shares(each).ravel(), seed) for each in explanations]
    grains = grain(shape, noise, seed)
    rows = [(share, most, n) for share in fractions for most in (True, False) for n in range(len(orders))]

    def write(buffer: Images, first: int) -> None:
        asked = rows[first : first + len(buffer)]  # of like shares, which take as many steps to fill in
        removed = np.zeros((len(buffer), *shape[:-1]), dtype=bool)
        for gone, (share, most, number) in zip(removed, asked, strict=True):
            order = orders[number]
            count = round(share * len(order))
            gone.flat[order[:count] if most else order[len(order) - count :]] = True
        images = np.stack([explanations[number].image for _, _, number in asked], dtype=buffer.dtype)
        buffer[:] = fill_in(images, removed, grains)

    logits = streamed(fastest(model, len(rows), shape), shape, len(rows), write).astype(np.float64)
    each = logits.reshape(-1, len(orders), logits.shape[1])
    found = []
    for one, explanation in zip(each.swapaxes(0, 1), explanations, strict=True):
        asked = watched_score(explanation, of)
        scores = scored(one, asked)
        refuse_still(scores, explanation, model, asked)
        most, least = scores.reshape(-1, 2).T
        found.append(float(np.mean(least - most)) / 2)
    return np.array(found)

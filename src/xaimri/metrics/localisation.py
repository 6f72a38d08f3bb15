"""Does a map point where the truth lies? Shares of its relevance, and of its strongest pixels, in a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.masks import Masks, maps_and_masks, relevance_and_masks
from xaimri.metrics.values import top


@of_each
@check_arguments()
def relevance_mass(explanations: Sequence[Explanation], region: Masks, within: Masks | None = None) -> Values:
    """Tell what share of the positive relevance lies in the region.

    From 0 to 1, higher is better; by chance the region's share of the object. A superpixel's value counts
    once, spread over its pixels. It can't see negative values, nor where in the region the relevance lies.

    Parameters
    ----------
    explanations
        One, or several at once.
    region
        ``(*space)`` on the map's grid, True (or any one value but 0) where the answer lies, or a file with
        such pixels; one for all, or one for each.
    within
        The object, such as the brain: what lies outside doesn't count. None is the whole image.

    Returns
    -------
    float or (batch,)
        NaN where the map has no positive relevance in the object.

    Notes
    -----
    Costs no model call, as all measures against a mask.

    References
    ----------
    Relevance mass accuracy of Arras, Osman & Samek (2022), doi:10.1016/j.inffus.2021.11.008.

    Examples
    --------
    >>> from xaimri import InputXGradient, LinearClassifier
    >>> model = LinearClassifier(np.array([np.zeros((1, 4, 1)), [[[3.0], [1.0], [0.0], [-5.0]]]]))
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 1, 4, 1)), 1)
    >>> region = np.array([[True, False, False, True]])
    >>> relevance_mass(explanation, region), relevance_rank(explanation, region)
    (0.75, 0.5)
    """
    found = []
    for positive, inside in relevance_and_masks(explanations, region, within):
        total = positive.sum()
        found.append(float(positive[inside].sum() / total) if total > 0 else np.nan)
    return np.array(found)


@of_each
@check_arguments()
def relevance_rank(explanations: Sequence[Explanation], region: Masks, within: Masks | None = None) -> Values:
    """Tell how many of the strongest pixels lie in the region, as many being taken as it has.

    From 0 to 1, higher is better; by chance the region's share of the object, which a constant map reaches:
    pixels of equal value share their places. It can't see by how much values differ.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.

    Returns
    -------
    float or (batch,)

    References
    ----------
    Relevance rank accuracy of Arras, Osman & Samek (2022), doi:10.1016/j.inffus.2021.11.008.
    """
    found = []
    for values, inside, whole in maps_and_masks(explanations, region, within):
        size = int(inside.sum())
        found.append(float(top(values, whole, size)[inside].sum() / size))
    return np.array(found)


@of_each
@check_arguments()
def pointing_game(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None = None,
    *,
    tolerance: float = 0.0,
) -> Values:
    """Tell whether the strongest pixel lies in the region: 1 or 0.

    Higher is better; by chance the (widened) region's share of the object. Where several pixels are equally
    strong, the share of them that lies there. It sees one pixel only.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.
    tolerance
        Pixels by which the point may miss the region; 15 as published, 0 here.

    Returns
    -------
    float or (batch,)

    References
    ----------
    Zhang et al. (2018), doi:10.1007/s11263-017-1059-x.
    """
    from scipy.ndimage import distance_transform_edt

    if not 0 <= tolerance < np.inf:
        raise InvalidInput(f"`tolerance` must be at least 0 pixels, got {tolerance}.")
    found = []
    for values, inside, whole in maps_and_masks(explanations, region, within):
        near = inside if tolerance == 0 else whole & (distance_transform_edt(~inside) <= tolerance)
        found.append(min(float(top(values, whole, 1)[near].sum()), 1.0))
    return np.array(found)


@of_each
@check_arguments()
def auprc(explanations: Sequence[Explanation], region: Masks, within: Masks | None = None) -> Values:
    """Tell how well the values tell the region's pixels from the others: area under precision and recall.

    Average precision, from near 0 to 1; higher is better; by chance the region's share of the object, which a
    constant map has, and a little more in a small object. Any strictly rising function of the map has the
    same.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.

    Returns
    -------
    float or (batch,)
        1 where the region is the whole object.

    References
    ----------
    Computed by scikit-learn's ``average_precision_score``.
    """
    from sklearn.metrics import average_precision_score

    return np.array(
        [
            float(average_precision_score(inside[whole], values[whole]))
            for values, inside, whole in maps_and_masks(explanations, region, within)
        ]
    )

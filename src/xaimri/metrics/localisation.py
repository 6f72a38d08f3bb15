"""Does a map point where the truth lies? Measures against a mask of the known answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from xaimri.arrays import Map, Mask
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.reading import Masks, Values, filled, masks, of_each, spread, top
from xaimri.metrics.transport import binned, mover_distance


@of_each
def relevance_mass(
    explanations: Sequence[Explanation], region: Masks, *, within: Masks | None = None
) -> Values:
    """Tell what share of the positive relevance lies in the region.

    From 0 to 1, higher is better; by chance the region's share of the object. A superpixel's value counts
    once, spread over its pixels. It can't see negative values, nor where in the region the relevance lies.

    Parameters
    ----------
    explanations
        One, or several at once.
    region
        ``(*space)`` on the map's grid, True where the answer lies; one for all, or one for each.
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
    for positive, inside, _ in _masses(explanations, region, within):
        total = positive.sum()
        found.append(float(positive[inside].sum() / total) if total > 0 else np.nan)
    return np.array(found)


@of_each
def relevance_rank(
    explanations: Sequence[Explanation], region: Masks, *, within: Masks | None = None
) -> Values:
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
    for values, inside, whole in _compared(explanations, region, within):
        size = int(inside.sum())
        found.append(float(top(values, whole, size)[inside].sum() / size))
    return np.array(found)


@of_each
def pointing_game(
    explanations: Sequence[Explanation],
    region: Masks,
    *,
    within: Masks | None = None,
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
    for values, inside, whole in _compared(explanations, region, within):
        near = inside if tolerance == 0 else whole & (distance_transform_edt(~inside) <= tolerance)
        found.append(min(float(top(values, whole, 1)[near].sum()), 1.0))
    return np.array(found)


@of_each
def iou(
    explanations: Sequence[Explanation],
    region: Masks,
    *,
    within: Masks | None = None,
    fraction: float | None = None,
) -> Values:
    """Compare the strongest pixels with the region: intersection over union.

    From 0 to 1, higher is better; of ``k`` out of ``n`` pixels in the object and a region of ``m``, by chance
    about ``q / (k + m - q)``, where ``q = k * m / n``. Pixels of equal value share their places. It can't see
    by how much values differ.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.
    fraction
        What share of the object is taken; None takes as many pixels as the region has.

    Returns
    -------
    float or (batch,)

    References
    ----------
    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x.
    """
    return np.array(
        [
            both / (one + other - both)
            for both, one, other in _overlaps(explanations, region, within, fraction)
        ]
    )


@of_each
def dice(
    explanations: Sequence[Explanation],
    region: Masks,
    *,
    within: Masks | None = None,
    fraction: float | None = None,
) -> Values:
    """Compare the strongest pixels with the region: twice the intersection over the sum of both sizes.

    From 0 to 1, higher is better; by chance ``2 * k * m / (n * (k + m))`` for ``k`` out of ``n`` pixels in
    the object and a region of ``m``. Everything else is as of :func:`iou`, of which it is a function.

    References
    ----------
    Dice (1945), doi:10.2307/1932409.
    """
    return np.array(
        [2 * both / (one + other) for both, one, other in _overlaps(explanations, region, within, fraction)]
    )


@of_each
def auprc(explanations: Sequence[Explanation], region: Masks, *, within: Masks | None = None) -> Values:
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
            for values, inside, whole in _compared(explanations, region, within)
        ]
    )


@of_each
def mover_similarity(
    explanations: Sequence[Explanation],
    region: Masks,
    *,
    within: Masks | None = None,
    cells: int = 16,
) -> Values:
    """Tell how near the positive relevance lies to the region: 1 less the earth mover's distance.

    From 0 to 1, higher is better: 1 where it is spread over the region evenly, 0 where all of it would have
    to be moved by the image's diagonal. It sees how far off a map is that misses; it can't see negative
    values. By chance it is about what an even map has, which depends on where the region lies.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.
    cells
        The image is cut into so many cells along its longest axis, and mass is moved between their centres;
        a volume into fewer along each axis (6 for 16), so that they are about as many in all.

    Returns
    -------
    float or (batch,)
        NaN where the map has no positive relevance in the object.

    References
    ----------
    Rubner, Tomasi & Guibas (2000), doi:10.1023/A:1026543900054.

    Notes
    -----
    Costs no model call, and a transport problem for each map: up to a second with 16 cells, and with twice as
    many about 16 times as long.
    """
    if cells < 1:
        raise InvalidInput(f"`cells` must be at least 1, got {cells}.")
    found = []
    for positive, inside, _ in _masses(explanations, region, within):
        if not positive.sum() > 0:
            found.append(np.nan)
            continue
        far = mover_distance(binned(positive, cells), binned(inside.astype(np.float64), cells))
        found.append(1 - far / float(np.linalg.norm(positive.shape)))
    return np.array(found)


def _masses(
    explanations: Sequence[Explanation], region: Masks, within: Masks | None
) -> Iterator[tuple[Map, Mask, Mask]]:
    """Yield the positive relevance of every map in the object, with its answer there, and the object."""
    for values, inside, whole in _compared(explanations, region, within, spread):
        yield np.where(whole, np.maximum(values, 0), 0), inside, whole


def _compared(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None,
    read: Callable[[Explanation], Map] = filled,
) -> Iterator[tuple[Map, Mask, Mask]]:
    """Yield every map with its answer inside the object, and the object."""
    objects = None if within is None else masks(explanations, within, "within")
    for number, (each, answer) in enumerate(zip(explanations, masks(explanations, region), strict=True)):
        whole = np.ones(answer.shape, dtype=bool) if objects is None else objects[number]
        inside = answer & whole
        if not inside.any():
            raise InvalidInput("the answer has no pixel inside the object: give a mask that overlaps it.")
        yield read(each), inside, whole


def _overlaps(
    explanations: Sequence[Explanation], region: Masks, within: Masks | None, fraction: float | None
) -> Iterator[tuple[float, float, float]]:
    """Yield how many pixels the strongest and the region have in common, and how many each has."""
    if fraction is not None and not 0 < fraction <= 1:
        raise InvalidInput(f"`fraction` must be above 0 and at most 1, got {fraction}.")
    for values, inside, whole in _compared(explanations, region, within):
        size = float(inside.sum())
        count = size if fraction is None else fraction * float(whole.sum())
        yield float(top(values, whole, count)[inside].sum()), count, size

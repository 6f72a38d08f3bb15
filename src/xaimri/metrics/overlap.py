"""How far the strongest pixels of a map and a mask of the known answer cover each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.masks import Masks, maps_and_masks
from xaimri.metrics.values import top


@of_each
@check_arguments()
def iou(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None = None,
    *,
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
@check_arguments()
def dice(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None = None,
    *,
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


def _overlaps(
    explanations: Sequence[Explanation], region: Masks, within: Masks | None, fraction: float | None
) -> Iterator[tuple[float, float, float]]:
    """Yield how many pixels the strongest and the region have in common, and how many each has."""
    if fraction is not None and not 0 < fraction <= 1:
        raise InvalidInput(f"`fraction` must be above 0 and at most 1, got {fraction}.")
    for values, inside, whole in maps_and_masks(explanations, region, within):
        size = float(inside.sum())
        count = size if fraction is None else fraction * float(whole.sum())
        yield float(top(values, whole, count)[inside].sum()), count, size

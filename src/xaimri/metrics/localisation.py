"""Does a map point where the truth lies? Measures against a mask of the known answer."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Map, Mask
from xaimri.errors import InvalidInput


def relevance_gain(values: Map, answer: Mask, within: Mask) -> float:
    """Return the share of positive relevance inside the answer, over the answer's share of the object.

    Ranges from 0 to the object's size over the answer's; higher is better; a map that knows nothing of
    the answer has 1 on average. It does not see negative relevance, nor where in the answer it lies.

    Parameters
    ----------
    values
        ``(*space)``: the attribution.
    answer
        ``(*space)``, True where the image really shows what the class means.
    within
        ``(*space)``, True in the object, such as the brain; relevance outside is left out.

    Returns
    -------
    float
        NaN where the map has no positive relevance in the object.

    References
    ----------
    The share is the relevance mass accuracy of Arras, Osman & Samek (2022), doi:10.1016/j.inffus.2021.11.008.

    Examples
    --------
    >>> within = np.ones((4, 5), bool)
    >>> answer = np.zeros((4, 5), bool)
    >>> answer[:2, :2] = True
    >>> relevance_gain(np.ones((4, 5)), answer, within)
    1.0
    >>> relevance_gain(answer.astype(float), answer, within)
    5.0
    """
    if not values.shape == answer.shape == within.shape:
        raise InvalidInput(
            f"the three must have one shape, got {values.shape}, {answer.shape} and {within.shape}."
        )
    inside = answer & within
    if not inside.any():
        raise InvalidInput("the answer has no pixel inside the object: give a mask that overlaps it.")
    positive = np.where(within, np.clip(np.nan_to_num(values), 0, None), 0).astype(np.float64)
    total = float(positive.sum())
    if total == 0:
        return float("nan")
    return float(positive[inside].sum() / total / (inside.sum() / within.sum()))

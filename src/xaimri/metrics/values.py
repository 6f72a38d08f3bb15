"""What a map gives to pixels and to parts of its image, and their order."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Labels, Map, Mask
from xaimri.explanation import Explanation


def finite_values(explanation: Explanation) -> Map:
    """Return the map in double precision; pixels of regions that were not tested count as 0."""
    values: Map = np.nan_to_num(explanation.values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return values


def pixel_shares(explanation: Explanation) -> Map:
    """Return what the map gives to every pixel: a region's value is spread evenly over its pixels."""
    values, regions = finite_values(explanation), explanation.regions
    if regions is None:
        return values
    sizes = np.bincount(regions.labels[regions.labels >= 0], minlength=len(regions.values))
    even: Map = values / np.append(np.maximum(sizes, 1), 1)[regions.labels]
    return even


def part_sums(explanation: Explanation, labels: Labels) -> Float[Array, " parts"]:
    """Return what the map gives to each part of the image, added up; a region's value is spread evenly.

    Parameters
    ----------
    labels
        ``(*space)``: the part of every pixel, from 0; -1 lies in none.
    """
    inside = labels >= 0
    given = pixel_shares(explanation)[inside]
    found: Array = np.bincount(labels[inside], weights=given, minlength=int(labels.max()) + 1)
    return found


def ranking(values: Float[Array, " parts"], seed: int) -> Int[Array, " parts"]:
    """Return the parts from the most positive to the most negative; equal ones in random order."""
    shuffled = np.random.default_rng(seed).permutation(len(values))
    found: Array = shuffled[np.argsort(-values[shuffled], kind="stable")]
    return found


def top(values: Map, inside: Mask, count: float) -> Map:
    """Return how far every pixel belongs to the ``count`` strongest inside: 0 to 1, shared among equals.

    Examples
    --------
    >>> top(np.array([3.0, 1.0, 1.0, 5.0]), np.array([True, True, True, False]), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    chosen = np.zeros(values.shape)
    strength = values[inside]
    places = min(int(np.ceil(count)), len(strength))
    edge = np.partition(strength, -places)[-places]
    above, level = inside & (values > edge), inside & (values == edge)
    chosen[above] = 1.0
    chosen[level] = (min(count, len(strength)) - above.sum()) / level.sum()
    return chosen

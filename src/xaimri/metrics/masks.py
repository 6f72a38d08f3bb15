"""Masks beside maps: where the answer lies, and where the object does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from xaimri.arrays import Array, Map, Mask
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.values import finite_values, pixel_shares

Masks: TypeAlias = Mask | Sequence[Mask]
"""One mask ``(*space)`` for all explanations, or one for each."""


def masks(
    explanations: Sequence[Explanation], region: Array | Sequence[Array], name: str = "region"
) -> list[Mask]:
    """Return one mask per explanation, of the map's shape and not empty."""
    first = explanations[0].values.ndim
    one_for_all = isinstance(region, np.ndarray) and region.ndim != first + 1
    each = [np.asarray(region)] * len(explanations) if one_for_all else list(region)
    if len(each) != len(explanations):
        raise InvalidInput(f"{len(each)} masks were given as `{name}` for {len(explanations)} explanations.")
    found = []
    for one, explanation in zip(each, explanations, strict=True):
        array = np.asarray(one)
        if array.shape != explanation.values.shape or array.dtype != bool:
            raise InvalidInput(
                f"`{name}` must be a mask of True and False of the map's shape {explanation.values.shape}, "
                f"got {array.dtype} of shape {array.shape}."
            )
        if not array.any():
            raise InvalidInput(f"`{name}` has no pixel: give a mask with at least one.")
        found.append(array)
    return found


def maps_and_masks(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None,
    values: Callable[[Explanation], Map] = finite_values,
) -> Iterator[tuple[Map, Mask, Mask]]:
    """Yield every map with its answer inside the object, and the object."""
    objects = None if within is None else masks(explanations, within, "within")
    for number, (each, answer) in enumerate(zip(explanations, masks(explanations, region), strict=True)):
        whole = np.ones(answer.shape, dtype=bool) if objects is None else objects[number]
        inside = answer & whole
        if not inside.any():
            raise InvalidInput("the answer has no pixel inside the object: give a mask that overlaps it.")
        yield values(each), inside, whole


def relevance_and_masks(
    explanations: Sequence[Explanation], region: Masks, within: Masks | None
) -> Iterator[tuple[Map, Mask]]:
    """Yield the positive relevance of every map in the object, with its answer there."""
    for values, inside, whole in maps_and_masks(explanations, region, within, pixel_shares):
        yield np.where(whole, np.maximum(values, 0), 0), inside

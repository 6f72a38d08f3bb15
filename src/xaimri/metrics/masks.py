"""Masks beside maps: where the answer lies, and where the object does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from xaimri.arrays import Map, Mask
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.mask import MaskSource, read_mask
from xaimri.images.picture import Picture
from xaimri.metrics.values import finite_values, pixel_shares

Masks: TypeAlias = MaskSource | Sequence[MaskSource]
"""One mask ``(*space)`` for all explanations, or one for each, as `xaimri.images.read_mask` reads them."""


def masks(explanations: Sequence[Explanation], region: Masks, name: str = "region") -> list[Mask]:
    """Return one mask per explanation, of the map's shape and not empty."""
    each = _each(region, explanations)
    if len(each) != len(explanations):
        raise InvalidInput(f"{len(each)} masks were given as `{name}` for {len(explanations)} explanations.")
    found = []
    for one, explanation in zip(each, explanations, strict=True):
        lies = Picture(explanation.image, explanation.spacing, explanation.affine)
        mask = read_mask(one, explanation.values.shape, name=f"`{name}`", image=lies)
        if not mask.any():
            raise InvalidInput(f"`{name}` has no pixel: give a mask with at least one.")
        found.append(mask)
    return found


def _each(region: Masks, explanations: Sequence[Explanation]) -> list[MaskSource]:
    """Return what was given for every explanation: one source for all of them, or a list of sources."""
    space, count = explanations[0].values.shape, len(explanations)
    if isinstance(region, list | tuple):
        return [region] * count if _depth(region) == len(space) else list(region)
    shape = tuple(np.shape(region)) if hasattr(region, "__array__") else ()
    stacked = shape == (count, *space) or (len(shape) == len(space) + 1 and shape[:-1] != space)
    return list(np.asarray(region)) if stacked else [region] * count


def _depth(nested: object) -> int:
    """Return how many axes nested lists have, with those of an array in them."""
    depth = 0
    while isinstance(nested, list | tuple):
        depth, nested = depth + 1, nested[0] if nested else None
    return depth + int(getattr(nested, "ndim", 0))


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

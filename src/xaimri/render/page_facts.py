"""What an interactive page knows of an explanation, as JSON types and packed arrays."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from xaimri.arrays import Array
from xaimri.atlas import Atlas
from xaimri.explanation import Explanation
from xaimri.images.planes import ACROSS, Turn, millimetres, world_axes
from xaimri.regions import ROUNDING
from xaimri.render.block import Block
from xaimri.render.colour import LUMA, Scale, drawn_window
from xaimri.render.fade import PALE
from xaimri.render.planes import pixel_aspect, strongest_planes

REST = "in no region of the atlas"
"""What is said of region 0, where regions are those of an atlas."""


def facts_of(
    explanation: Explanation,
    scale: Scale,
    point: tuple[int, int, int] | None,
    window: object,
    atlas: Atlas | None,
) -> dict[str, Any]:
    """Return all that the page needs beside its arrays."""
    return {
        **_space(explanation, point),
        **_intensities(explanation, window),
        **_colours(explanation, scale),
        "regions": _regions(explanation),
        "atlas": None if atlas is None else {int(n): atlas.name_of(int(n)) for n in atlas.numbers},
    }


def _space(explanation: Explanation, point: tuple[int, int, int] | None) -> dict[str, Any]:
    """Return the planes, and where they cross; a slice is a volume of one plane."""
    shape, affine = explanation.values.shape, explanation.affine
    if len(shape) == 2:
        planes = [_plane(explanation, Turn(0, 1), 2, "image")]
        start = [int(each) for each in np.unravel_index(_strongest(explanation.values), shape)] + [0]
        shape = (*shape, 1)
    else:
        world = range(3) if affine is None else world_axes(affine)
        order = sorted(range(3), key=lambda axis: -world[axis])  # axial, coronal, sagittal
        names = [f"axis {axis}" if affine is None else ACROSS[world[axis]] for axis in range(3)]
        planes = [_plane(explanation, Turn.of((axis, 0), affine), axis, names[axis]) for axis in order]
        start = list(point) if point else [plane[1] for plane in strongest_planes(explanation) if plane]
    return {
        "shape": list(shape), "axes": explanation.values.ndim, "start": start, "planes": planes,
        "affine": None if affine is None else affine.tolist(),
    }  # fmt: skip


def _strongest(values: Array) -> int:
    return int(np.abs(np.nan_to_num(values, posinf=0.0, neginf=0.0)).argmax())


def _plane(explanation: Explanation, turn: Turn, axis: int, name: str) -> dict[str, Any]:
    affine, shape = explanation.affine, explanation.values.shape
    slice_ = len(shape) == 2
    letter = None
    if affine is not None and not slice_ and millimetres(affine, shape, axis) is not None:
        letter = "xyz"[world_axes(affine)[axis]]
    toward = 1 if affine is None or affine[world_axes(affine)[axis], axis] > 0 else -1
    return {
        "axis": axis, "name": name, "down": turn.down, "right": turn.right, "up": turn.up,
        "left": turn.leftwards, "ends": turn.ends, "letter": letter, "toward": toward,
        "tall": pixel_aspect(explanation, None if slice_ else (axis, 0)),
    }  # fmt: skip


def _grey(explanation: Explanation) -> tuple[Array, str]:
    """Return one intensity per voxel, and what it is."""
    image = explanation.image
    first = image[..., 0]
    if image.shape[-1] == 1 or all((image[..., n] == first).all() for n in range(1, image.shape[-1])):
        return first, "intensity"
    if image.shape[-1] == 3:
        return image @ LUMA, "luminance"
    return image.mean(axis=-1), f"mean of {image.shape[-1]} channels"


def blocks_of(explanation: Explanation, atlas: Atlas | None) -> dict[str, Block]:
    """Return the arrays of the page; a map that is its regions' values needs no array of its own."""
    regions = explanation.regions
    blocks = {"scan": Block.of(_grey(explanation)[0])}
    if regions is not None:
        blocks["labels"] = Block.of(regions.labels)
    if atlas is not None:
        blocks["atlas"] = Block.of(atlas.on(explanation.values.shape, explanation.affine))
    if not _is_painted(explanation):
        blocks["map"] = Block.of(explanation.values, signed=True)
    if explanation.errors is not None and (regions is None or regions.errors is None):
        blocks["errors"] = Block.of(explanation.errors, signed=True)
    return blocks


def _is_painted(explanation: Explanation) -> bool:
    """Tell whether every voxel has the value of its region."""
    regions = explanation.regions
    if regions is None:
        return False
    painted = regions.paint(regions.values).astype(explanation.values.dtype)
    return np.array_equal(painted, explanation.values, equal_nan=True)


def _regions(explanation: Explanation) -> dict[str, Any] | None:
    regions = explanation.regions
    if regions is None:
        return None
    return {
        "values": _numbers(regions.values),
        "errors": None if regions.errors is None else _numbers(regions.errors),
        "certain": regions.certain().tolist(),
        "names": _names(explanation),
    }


def _names(explanation: Explanation) -> dict[str, str] | None:
    """Return the names of regions by number, where they are those of an atlas."""
    source = explanation.diagnostics.get("atlas")
    if not isinstance(source, Mapping) or not isinstance(source.get("names"), Mapping):
        return None
    return {"0": REST, **{str(label): str(name) for label, name in source["names"].items()}}


def _numbers(values: Array) -> list[float | None]:
    """Return numbers as JSON has them: None stands for what is not known."""
    return [float(each) if np.isfinite(each) else None for each in values]


def _intensities(explanation: Explanation, window: object) -> dict[str, Any]:
    grey, words = _grey(explanation)
    shown = (float(grey.min()), float(grey.max()))
    opened = shown if window is None else drawn_window(explanation.image, window)
    return {"intensity": words, "range": list(shown), "window": list(opened)}


def _colours(explanation: Explanation, scale: Scale) -> dict[str, Any]:
    table = np.rint(scale.colours(np.linspace(0, 1, scale.colours.N)) * 255).astype(np.uint8)
    finite = np.nan_to_num(explanation.values, posinf=0.0, neginf=0.0)
    return {
        "colours": base64.b64encode(table.tobytes()).decode(), "limit": scale.limit, "signed": scale.signed,
        "beyond": scale.beyond,
        "pale": PALE, "z": NormalDist().inv_cdf(0.975), "least": ROUNDING * float(np.abs(finite).max()),
    }  # fmt: skip

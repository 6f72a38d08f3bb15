"""Which range of intensities a network was made for, read from what it does to its pixels first."""

from __future__ import annotations

from typing import Any

import numpy as np

from xaimri.adapters.keras.graph import PASSIVE, static
from xaimri.arrays import Image

MOVING = PASSIVE | {
    "BiasAdd",
    "ConcatV2",
    "DepthToSpace",
    "ExpandDims",
    "MirrorPad",
    "Pack",
    "Pad",
    "PadV2",
    "Reshape",
    "ResizeBicubic",
    "ResizeBilinear",
    "ResizeNearestNeighbor",
    "ReverseV2",
    "Squeeze",
    "StridedSlice",
    "Tile",
    "Transpose",
}
"""Operations that leave the range of intensities as it is."""

SMALL, LARGE, MEAN = 1 / 50, 50.0, 20.0
"""A factor, a divisor and a shift that only intensities far above 1 are met with."""


def expects_bytes(images: Any) -> bool:
    """Tell whether the first arithmetic on the images is that on intensities of 0 to 255.

    That is: they are multiplied by less than 1/50, divided by more than 50, or shifted by more than 20.
    """
    seen, todo = set(), [images]
    while todo:
        for op in todo.pop().consumers():
            if op in seen:
                continue
            seen.add(op)
            if op.type in MOVING:
                todo.extend(op.outputs)
            elif _scales(op):
                return True
    return False


def _scales(op: Any) -> bool:
    """Tell whether an operation treats its input as intensities far above 1."""
    if op.type not in {"Mul", "RealDiv", "Sub", "AddV2"}:
        return False
    constants = [np.abs(value) for value in map(static, op.inputs) if value is not None and np.size(value)]
    if not constants:
        return False
    if op.type == "Mul":
        return bool(0 < constants[0].max() <= SMALL)
    if op.type == "RealDiv":
        return static(op.inputs[1]) is not None and bool(constants[-1].min() >= LARGE)
    return bool(MEAN <= constants[0].max() <= 255)


def range_doubts(
    raw: Image, seen: Image, expects: bool, network_expects: bool
) -> tuple[tuple[str, str], ...]:
    """Say what is odd about an image's range, as names and sentences of caveats.

    Parameters
    ----------
    raw, seen
        The image as it was given, and as the network itself is given it, after any preprocessing.
    expects, network_expects
        Whether either is scaled down as intensities of 0 to 255 would be.
    """
    low, high = float(raw.min()), float(raw.max())
    if low == high:
        return ()
    changed = max(abs(low), abs(high)) > 2 and not np.array_equal(raw, seen)
    if network_expects and changed and (np.abs(seen).max() <= 5 or seen.min() < -MEAN):
        return (PREPROCESSED_TWICE,)
    if expects and low >= -1 and high <= 1:
        return ((NAME, UNSCALED.format(low=low, high=high)),)
    return ((NAME, WIDE.format(high=high)),) if expects and high > 1000 else ()


NAME = "input_range"
UNSCALED = (
    "The image's values lie in {low:.3g}..{high:.3g}, and the network scales intensities of 0..255 down "
    "itself, so it sees next to nothing: give the image as it was stored, or times 255."
)
WIDE = (
    "The image's values reach {high:.6g}, and the network was made for intensities of 0..255: say which "
    "range to show by `window=`, such as window=(0, 4000) or xaimri.Window(1, 99, percentile=True)."
)
PREPROCESSED_TWICE = (
    "preprocessed_twice",
    "`preprocess` scales the image, and the network does so once more inside: leave `preprocess` away, or "
    "use a network without that layer.",
)

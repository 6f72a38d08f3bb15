"""Which range of intensities a network was made for, read from what it does to its pixels first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.adapters.keras.graph import PASSIVE, static
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.arrays import Array, Image
from xaimri.caveats import Caveat, Reason

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

BYTES = (255.0, 256.0, 127.5, 128.0)
"""Divisors of intensities that are stored in 8 bits."""

MEANS = (90.0, 130.0)
"""Between these lie the channel means of 8-bit photographs, which some networks subtract."""

OF_CONSTANTS: dict[str, Callable[..., Any]] = {
    "Cast": np.asarray,
    "Identity": np.asarray,
    "Maximum": np.maximum,
    "Mul": np.multiply,
    "Reshape": lambda value, _: value,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Sqrt": np.sqrt,
}
"""How constants are worked on before a network meets its pixels with them; shapes don't matter here."""

DEEP = 1000.0
"""A value beyond it is of no image of 0 to 255, resized by whatever overshoots."""

FAR = 20.0
"""A scale or centre from which on values of -1 to 1 are next to nothing."""


@dataclass(frozen=True)
class Scaling:
    """What a network does to its pixels first: ``factor * pixel + offset``, the mean over channels.

    ``divided`` tells whether a constant on the way is one by which 8-bit intensities are divided.
    """

    factor: float = 1.0
    offset: float = 0.0
    divided: bool = False

    @property
    def of_bytes(self) -> bool:
        """Whether that is done to intensities of 8 bits: by their range, or by the mean of photographs."""
        centre = -self.offset / self.factor
        return self.divided or (MEANS[0] <= centre <= MEANS[1] and abs(self.factor) >= 0.01)

    @property
    def large(self) -> bool:
        """Whether values of -1 to 1 are next to nothing to the network."""
        return abs(self.factor) <= 1 / FAR or abs(self.offset / self.factor) >= FAR

    @property
    def top(self) -> float:
        """About the largest intensity that the network was made for."""
        ends = (-self.offset / self.factor, (1 - self.offset) / self.factor)
        return 255.0 if self.of_bytes else max(map(abs, ends))


def scaling(images: Tensor) -> Scaling | None:
    """Follow images through arithmetic with constants; None where there is none."""
    seen, todo = set(), [(images, Scaling())]
    while todo:
        tensor, before = todo.pop()
        for op in tensor.consumers():
            if op in seen:
                continue
            seen.add(op)
            after = before if op.type in MOVING else _after(op, tensor, before)
            if after is not None:
                todo += [(output, after) for output in op.outputs]
            elif before != Scaling():
                return before
    return None


def _after(op: Operation, tensor: Tensor, before: Scaling) -> Scaling | None:
    """Return the scaling behind an operation with a constant; None behind any other."""
    if op.type not in {"Mul", "RealDiv", "Sub", "AddV2"} or len(op.inputs) != 2:
        return None
    first = op.inputs[0] is tensor
    constant = _constant(op.inputs[1 if first else 0])
    if constant is None or not np.size(constant):
        return None
    value = float(np.mean(constant))
    if op.type in {"Mul", "RealDiv"}:
        if value == 0 or (op.type == "RealDiv" and not first):
            return None
        factor = value if op.type == "Mul" else 1 / value
        bytes_ = any(abs(1 / factor - known) < 0.01 * known for known in BYTES)
        return Scaling(before.factor * factor, before.offset * factor, before.divided or bytes_)
    sign = -1.0 if op.type == "Sub" and not first else 1.0
    shift = -value if op.type == "Sub" and first else value
    return Scaling(sign * before.factor, sign * before.offset + shift, before.divided)


def _constant(tensor: Tensor) -> Any:
    """Return the value of a tensor that is made of constants only, else None."""
    value = static(tensor)
    if value is None and tensor.op.type in OF_CONSTANTS:
        inputs = [_constant(t) for t in tensor.op.inputs]
        value = None if any(v is None for v in inputs) else OF_CONSTANTS[tensor.op.type](*inputs)
    return value


def range_doubts(
    raw: Image, seen: Float[Array, ...], outer: Scaling | None, inner: Scaling | None
) -> tuple[Caveat, ...]:
    """Say what is odd about an image's range.

    Parameters
    ----------
    raw, seen
        The image as it was given, and as the network itself is given it, after any preprocessing.
    outer, inner
        How either is scaled first; ``outer`` is None where the preprocessing can't be followed.
    """
    if raw.min() == raw.max():
        return ()
    if inner is not None and inner.large and not np.array_equal(raw, seen):
        vanished = np.abs(seen).max() <= 5 < np.abs(raw).max()
        centred = inner.of_bytes and raw.min() >= 0 and seen.min() < -FAR
        if vanished or centred:
            return (Reason.PREPROCESSED_TWICE.caveat(),)
    known, image = (inner, seen) if outer is None else (outer, raw)
    low, high = float(image.min()), float(image.max())
    if known is None:
        return ()
    if known.large and low >= -1 and high <= 1:
        return (Reason.INPUT_RANGE.caveat(low=low, high=high, top=known.top),)
    return (Reason.INPUT_RANGE.caveat(high=high),) if known.of_bytes and high > DEEP else ()

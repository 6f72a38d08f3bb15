"""What is told of an operation: whence its cells come, or that they have no place on the image."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from xaimri.adapters.keras.geometry.layout import Layout
from xaimri.adapters.keras.geometry.sizes import Sizes
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.arrays import Array


class Unplaced(Enum):
    """A tensor that comes from the image, and whose cells have no place on it."""

    LOST = "its cells lie somewhere, and where could not be read"
    EVERYWHERE = "each of its values sees the whole image, as after global pooling"


Reference: TypeAlias = Any
"""What TensorFlow tells tensors apart by: they are not hashed themselves."""

LOST, EVERYWHERE = Unplaced.LOST, Unplaced.EVERYWHERE


@dataclass(frozen=True)
class Move:
    """Cell ``i`` of the output lies at cell ``offset + scale * i`` of a tensor, per spatial axis.

    ``layout`` says where the output has its spatial axes, None where they follow the batch axis.
    """

    tensor: Tensor
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    layout: Layout | None = None


@dataclass(frozen=True)
class Step:
    """An operation at one of its outputs: a step on the way from the image.

    Attributes
    ----------
    op, output
        The operation, and the output that is asked about.
    inputs
        Those of its inputs that come from the image and do not see all of it.
    axes
        Number of spatial axes of the image; they follow the batch axis.
    derived
        References of every tensor that comes from the image.
    layouts
        Where inputs have their spatial axes that do not follow the batch axis.
    sizes
        What the graph does not state and was worked out.
    """

    op: Operation
    output: Tensor
    inputs: Sequence[Tensor]
    axes: int
    derived: Container[Reference]
    layouts: Mapping[Reference, Layout] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)

    def space(self, tensor: Tensor) -> tuple[int, ...] | None:
        """Return a tensor's spatial sizes, None where one is not known or nothing is left."""
        if tensor.shape.rank is None or tensor.shape.rank <= self.axes:
            return None
        sizes = tuple(n for n in self.shape(tensor)[1 : 1 + self.axes] if n)
        return sizes if len(sizes) == self.axes else None

    def shape(self, tensor: Tensor) -> list[int | None]:
        """Return a tensor's shape as far as it is known; the tensor's rank must be."""
        return self.sizes.shape(tensor)

    def value(self, tensor: Tensor) -> Array | None:
        """Return the value of a tensor that depends on constants and shapes alone, else None."""
        return self.sizes.value(tensor)

    def only(self, index: int = 0) -> Tensor | None:
        """Return an input where it alone comes from the image and its size is known, else None."""
        tensor = self.op.inputs[index]
        alone = len(self.inputs) == 1 and self.inputs[0] is tensor
        return tensor if alone and self.space(tensor) is not None else None

    def still(self, *tensors: Tensor | None) -> Found:
        """Keep the cells where they are, if each tensor has the output's spatial sizes."""
        size = self.space(self.output)
        if not tensors or size is None or any(t is None or self.space(t) != size for t in tensors):
            return LOST
        return [Move(t, (0.0,) * self.axes, (1.0,) * self.axes) for t in tensors]


Found: TypeAlias = list[Move] | Unplaced
"""What a rule finds: the moves that meet in an output, or that there is no place to be told."""

Rule: TypeAlias = Callable[[Step], Found]
"""Reads an operation."""

Shift: TypeAlias = tuple[list[float], list[float]]
"""Offset and scale of a move, per spatial axis."""


def single(tensor: Tensor, shift: Shift) -> Found:
    """Return one move by an offset and a scale per axis."""
    offset, scale = shift
    return [Move(tensor, tuple(map(float, offset)), tuple(map(float, scale)))]

"""Where a network's input has the image's axes and its channels, read from its operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import keras
import tensorflow as tf

from xaimri.adapters.keras.geometry.centres import Lattice, Places, layout_at
from xaimri.adapters.keras.geometry.walk import walk
from xaimri.adapters.keras.graph import CONVOLUTIONS
from xaimri.adapters.keras.tensors import Layer, Operation, Tensor
from xaimri.adapters.keras.trace import TRACING, layers_by_path
from xaimri.errors import InvalidInput

FEW = (1, 3, 4)
"""Sizes of an axis of channels that is no axis of space."""

ASIDE = 64
"""Stands for a size that a network leaves open, while it is traced."""

ALONG_ONE = -1
"""Stands for the axis of channels where an operation works along a single axis, which is of no image."""

POINTWISE = {
    *("Activation", "BatchNormalization", "CenterCrop", "Cropping2D", "Cropping3D", "Dropout", "InputLayer"),
    *("GaussianNoise", "LeakyReLU", "Normalization", "RandomContrast", "RandomFlip", "RandomRotation"),
    *("RandomTranslation", "RandomZoom", "ReLU", "Rescaling", "Resizing", "ZeroPadding2D", "ZeroPadding3D"),
    *("Add", "Cast", "Divide", "Multiply", "Subtract", "TrueDivide"),
}
"""Layers and operations that leave the axes where they are."""

SPATIAL = CONVOLUTIONS | {
    *("AvgPool", "AvgPool3D", "ExtractImagePatches", "MaxPool", "MaxPool3D"),
    *("ResizeArea", "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor", "ScaleAndTranslate"),
}
"""Operations that tell axes of space from that of channels."""


@dataclass(frozen=True)
class Order:
    """Where a network's input, without the batch axis, has the axes of an image.

    Attributes
    ----------
    space
        Of every spatial axis, in order.
    channels
        Of the channels; None where the network adds that axis itself.
    """

    space: tuple[int, ...]
    channels: int | None

    def shape(self, own: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return ``(*space, channels)`` of the network's own shape.

        Examples
        --------
        >>> Order((1, 2), 0).shape((3, 40, 50))
        (40, 50, 3)
        """
        return (*(own[axis] for axis in self.space), 1 if self.channels is None else own[self.channels])

    def enter(self, images: Tensor) -> Tensor:
        """Bring images ``(batch, *space, channels)`` into the order in which the network takes them."""
        if self.channels is None:
            return tf.squeeze(images, -1)
        return tf.transpose(images, [0, *self._places])

    def before(self, own: Sequence[int | None]) -> str:
        """Say what stands before a network so that it takes ``(*space, channels)``.

        Examples
        --------
        >>> Order((1, 2), 0).before((3, 40, 50))
        'keras.Sequential([keras.Input((40, 50, 3)), keras.layers.Permute((3, 1, 2)), model])'
        """
        layer = f"Reshape({tuple(own)})" if self.channels is None else f"Permute({self._places})"
        return f"keras.Sequential([keras.Input({self.shape(own)}), keras.layers.{layer}, model])"

    @property
    def _places(self) -> tuple[int, ...]:
        """Which axis of ``(batch, *space, channels)`` stands at each of the network's."""
        held = [*self.space, self.channels]
        return tuple(1 + held.index(axis) for axis in range(len(held)))


Reading: TypeAlias = Callable[[Tensor], Any]
"""Calls a network with images in the order in which it takes them."""

_orders: WeakKeyDictionary[Any, tuple[tuple[Any, ...], Order | None]] = WeakKeyDictionary()
_lock = Lock()


def order_of(model: Any, own: Sequence[int | None], call: Reading, batch: int | None = None) -> Order | None:
    """Return where a network's input has the image's axes; None where the channels come last.

    Parameters
    ----------
    model
        The network, or whatever holds one, for which the answer is kept.
    own
        Shape of the input, without the batch axis.
    call
        Calls the network; it is traced once, where neither the shape nor the first layers tell.
    batch
        The only size of batch that the network takes; None where it takes any.

    Raises
    ------
    InvalidInput
        If the channels may come first, and nothing tells.
    """
    if len(own) not in (2, 3, 4) or _plainly_last(own) or _first_takes_last(model, len(own)):
        return None
    layers = layers_by_path(model) if isinstance(model, keras.Layer) else {}
    key = (tuple(own), *map(id, layers.values()))
    with _lock:
        known = _orders.get(model)
    if known is None or known[0] != key:
        known = key, _read(own, call, batch)
        with _lock:
            _orders[model] = known
    return known[1]


def _plainly_last(own: Sequence[int | None]) -> bool:
    """Tell whether a shape leaves no doubt that its last axis is that of channels."""
    return len(own) > 2 and own[-1] in FEW and own[0] not in FEW


def _first_takes_last(model: Any, rank: int) -> bool:
    """Tell whether the first layer that tells axes apart stands at the input, and takes the channels last."""
    kind = type(model).__name__
    if kind not in ("Functional", "Sequential"):  # what else there is does as it likes
        return False
    for step in model.operations if kind == "Functional" else model.layers:
        kind = type(step).__name__
        if kind in POINTWISE:
            if getattr(step, "data_format", "channels_last") != "channels_last" or _in_front(step, rank):
                return False
        elif kind.endswith(f"{rank - 1}D") and ("Conv" in kind or "Pooling" in kind):
            return bool(step.data_format == "channels_last" and "LSTM" not in kind)
        else:
            return _first_takes_last(step, rank)
    return False


def _in_front(step: Layer, rank: int) -> bool:
    """Tell whether a layer normalises along an axis that is not the last."""
    axis = getattr(step, "axis", -1)
    return axis not in (-1, rank, (rank,), [rank], (-1,), None)


def _read(own: Sequence[int | None], call: Reading, batch: int | None) -> Order | None:
    """Trace a network once, and read which axes its first convolutions take for space."""
    sizes = tuple(ASIDE if n is None else n for n in own)
    told: list[int | None] = []
    try:
        with TRACING:
            spec = tf.TensorSpec((2 if batch is None else batch, *sizes), tf.float32)
            graph = tf.function(call, autograph=False).get_concrete_function(spec).graph
        rank = len(sizes)
        places: Places = {graph.inputs[0].ref(): Lattice((0.0,) * rank, (1.0,) * rank)}
        walk(graph, places, rank, lambda op, known: told.extend(_channels(op, known, sizes)))
    except Exception:  # whatever a network raises: calling it in earnest says so
        return None
    if len(set(told)) != 1 or told[0] == ALONG_ONE:
        return _undecided(own, told)
    channels = told[0]
    if channels == rank - 1:
        return None
    return Order(tuple(axis for axis in range(rank) if axis != channels), channels)


def _undecided(own: Sequence[int | None], told: Sequence[int | None]) -> Order | None:
    """Decide where no operation tells the axes apart, or ask."""
    if len(own) == 2:
        return None if told else Order((0, 1), None)
    if own[0] not in FEW or own[-1] in (*FEW, None):
        return None
    space = tuple(range(1, len(own)))
    first, none = Order(space, 0), Order((0, *space), None)
    raise InvalidInput(
        f"the network takes {tuple(own)}, and nothing in it tells whether the first axis holds channels: if "
        f"it does, explain {first.before(own)}; if it holds slices, {none.before(own)}."
    )


def _channels(op: Operation, places: Places, sizes: Sequence[int]) -> list[int | None]:
    """Return which axis of the input an operation takes for that of channels, where it tells."""
    if op.type not in SPATIAL:
        return []
    tensor = op.inputs[2 if "Backprop" in op.type else 0]
    layout = layout_at(places.get(tensor.ref()), tensor)
    if layout is None:
        return []
    named = "data_format" in op.node_def.attr and op.get_attr("data_format").decode().startswith("NC")
    inner = layout[2:] if named else layout[1:-1]
    if any(len(axis) > 1 for axis in inner):  # cut and joined: no axis of the image
        return []
    space = [label for axis in inner for label, _ in axis if label >= 0]
    held = [label for label, _ in layout[1 if named else -1] if label >= 0]
    if len(space) < 2:  # a convolution along one axis
        return [ALONG_ONE] if len(sizes) == 2 else []
    if len(held) > 1:  # slices beside one another in the channels
        return [len(sizes) - 1] if len(sizes) - 1 in held else []
    if held:
        return [held[0]]
    everywhere = {label for axis in layout for label, _ in axis}
    single = [axis for axis, n in enumerate(sizes) if n == 1 and axis not in everywhere]
    return [single[0] if len(single) == 1 else None]

"""What goes into a network beside the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.arguments import arguments_of, laid_out
from xaimri.adapters.keras.order import Order, order_of
from xaimri.adapters.keras.output import units as units_of
from xaimri.adapters.keras.tensors import Network, Others, Slot, Structure, Tensor
from xaimri.adapters.options import Inputs
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown

IMAGE = ...
"""Stands in ``inputs`` where the image goes."""


@dataclass(frozen=True, eq=False)
class Signature:
    """Where the image goes in, what else goes in, and which output is explained.

    Attributes
    ----------
    image_shape
        ``(*space, channels)`` of an image; empty where the network isn't built yet.
    structure
        As the network takes its inputs: `IMAGE` where the image goes, and the index of one of
        ``others`` elsewhere.
    others
        The other inputs, of one image, without the batch axis.
    output
        Name or index of the output; None where there is only one.
    units
        How many numbers the output has; None where that isn't known yet.
    order
        Where the network's own input has the image's axes; None where it is ``(*space, channels)``, too.
    apart
        Whether the structure's entries are arguments of the network's ``call``, by name.
    """

    image_shape: tuple[int | None, ...]
    structure: Structure
    others: tuple[Array, ...]
    output: str | int | None
    units: int | None
    order: Order | None = None
    apart: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """What compiled functions depend on, as a key."""
        return repr(self.structure), self.apart, self.specs, self.output, self.order

    @property
    def specs(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Shapes and types of the other inputs."""
        return tuple((other.shape, other.dtype.name) for other in self.others)

    def call(self, model: Network, images: Tensor, others: Sequence[Tensor]) -> Structure:
        """Call the network on images, not in training."""
        given = self.fill(images, others)
        if not self.apart:
            return model(given, training=False)
        first, *rest = given
        return model(given[first], **{name: given[name] for name in rest}, training=False)

    def fill(self, images: Tensor, others: Sequence[Tensor]) -> Structure:
        """Return what the network takes for images, the others repeated for each of them."""
        images = images if self.order is None else self.order.enter(images)
        if self.structure is IMAGE:
            return images
        count = tf.shape(images)[0]
        repeated = [tf.repeat(other[None], count, axis=0) for other in others]
        return keras.tree.map_structure(lambda at: images if at is IMAGE else repeated[at], self.structure)


def signature_of(model: Network, inputs: Inputs = None, output: str | int | None = None) -> Signature:
    """Read a network's inputs and outputs, and where it has the image's axes.

    Parameters
    ----------
    model
        A Keras model.
    inputs
        The inputs beside the image, for one image and without a batch axis: by name, such as
        ``{"age": 71.0}``; or as the network takes all of them, with ``...`` where the image goes, such as
        ``[..., 71.0]``.
    output
        Which output to explain, by name or index.
    """
    found = _as_it_is(model, inputs, output)
    own = found.image_shape or _seen(model)

    def call(images: Tensor) -> Structure:
        return found.call(model, images, [tf.constant(other) for other in found.others])

    batches = {slot.shape[0] for slot in _tensors(model)}
    order = order_of(model, own, call, batches.pop() if len(batches) == 1 else None)
    if order is None:
        return found
    *space, channels = order.shape(own)
    shape = (*space, channels) if found.image_shape else (*(None for _ in space), channels)
    return replace(found, image_shape=shape, order=order)


def _seen(model: Network) -> tuple[int | None, ...]:
    """Return the shape of the images on which a network was built that states none; empty without one."""
    try:
        built = (model.get_build_config() or {}) if model.built else {}
    except (AttributeError, ValueError):
        return ()
    shape = built.get("input_shape")
    plain = isinstance(shape, list | tuple) and all(isinstance(n, int | None) for n in shape)
    return tuple(shape[1:]) if plain and shape is not None else ()


def _as_it_is(model: Network, inputs: Inputs, output: str | int | None) -> Signature:
    """Read a network's inputs and outputs, the shape of the image as the network takes it."""
    known = {tensor.name: tensor for tensor in _tensors(model)}
    units = units_of(model, output)
    parted = None if known else laid_out(arguments_of(model), inputs)
    if parted is not None:
        return replace(_as_laid_out(parted, [], output, units), apart=True)
    if inputs is None:
        if len(known) > 1:
            raise InvalidInput(
                f"the network has {len(known)} inputs ({_listed(known)}): give all but the image by "
                f"`inputs=`, such as inputs={{{list(known)[-1]!r}: ...}}."
            )
        structure = dict.fromkeys(model.input, IMAGE) if _is_mapping(model, known) else IMAGE
        return Signature(_shape_of(model, known), structure, (), output, units)
    if not isinstance(inputs, Mapping | list | tuple):
        raise InvalidInput(
            f'`inputs` must be the other inputs by name, such as {{"age": 71.0}}, got {shown(inputs)}.'
        )
    if any(v is IMAGE for v in (inputs.values() if isinstance(inputs, Mapping) else inputs)):
        return _as_laid_out(inputs, list(known.values()), output, units)
    image = _image_among(inputs, known)
    names = [name for name in known if name != image]
    named = cast(Mapping[str, Any], inputs)  # a list without ... has been refused
    others = tuple(_other(named[name], known[name], name) for name in names)
    structure = keras.tree.map_structure(
        lambda tensor: IMAGE if tensor.name == image else names.index(tensor.name), model.input
    )
    return Signature(tuple(known[image].shape[1:]), structure, others, output, units)


def _tensors(model: Network) -> list[Slot]:
    """Return the symbolic inputs; none where the network isn't functional or not built."""
    try:
        return list(getattr(model, "inputs", None) or []) if model.built else []
    except (AttributeError, ValueError):
        return []


def _shape_of(model: Network, known: Mapping[str, Slot]) -> tuple[int | None, ...]:
    """Return the shape of the only input, without the batch axis; empty where it isn't known."""
    if known:
        return tuple(next(iter(known.values())).shape[1:])
    shape = getattr(model, "input_shape", None) if model.built else None
    return tuple(shape[1:]) if isinstance(shape, tuple) and shape and not isinstance(shape[0], tuple) else ()


def _is_mapping(model: Network, known: Mapping[str, Slot]) -> bool:
    """Tell whether a network takes its only input by name."""
    return len(known) == 1 and isinstance(getattr(model, "input", None), Mapping)


def _image_among(inputs: Others, known: Mapping[str, Slot]) -> str:
    """Return the name of the one input that was not given."""
    if not isinstance(inputs, Mapping):
        raise InvalidInput("a list of `inputs` needs ... where the image goes, such as inputs=[..., 71.0].")
    if not known:
        raise InvalidInput(
            "this network doesn't name its inputs: give them as it takes them, with ... where the image "
            'goes, such as inputs={"image": ..., "age": 71.0}.'
        )
    unknown = [name for name in inputs if name not in known]
    if unknown:
        raise InvalidInput(f"`inputs` has no input {unknown[0]!r}: the network's are {_listed(known)}.")
    left = [name for name in known if name not in inputs]
    if len(left) != 1:
        raise InvalidInput(
            f"`inputs` must leave exactly one input for the image, and {len(left)} are left of "
            f"{_listed(known)}: give all the others."
        )
    return left[0]


def _as_laid_out(
    inputs: Others, known: Sequence[Slot], output: str | int | None, units: int | None
) -> Signature:
    """Take the inputs in the very structure that was given, the image where ``...`` stands."""
    names = list(inputs) if isinstance(inputs, Mapping) else [str(i) for i in range(len(inputs))]
    values = list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)
    if sum(value is IMAGE for value in values) != 1:
        raise InvalidInput("`inputs` must have ... in exactly one place, where the image goes.")
    by_name = {tensor.name: tensor for tensor in known}
    unknown = [name for name in names if name not in by_name] if isinstance(inputs, Mapping) else []
    if known and len(names) != len(known):
        raise InvalidInput(
            f"the network takes {len(known)} inputs ({_listed(by_name)}), and `inputs` has {len(names)}"
            f"{f', {unknown[0]!r} among them' if unknown else ''}: give each one once."
        )
    of = [by_name.get(name, known[i] if i < len(known) else None) for i, name in enumerate(names)]
    rest = [i for i, value in enumerate(values) if value is not IMAGE]
    others = tuple(_other(values[i], of[i], names[i]) for i in rest)
    places = [IMAGE if value is IMAGE else rest.index(i) for i, value in enumerate(values)]
    image = of[places.index(IMAGE)]
    listed = tuple(places) if isinstance(inputs, tuple) else places
    structure = dict(zip(names, places, strict=True)) if isinstance(inputs, Mapping) else listed
    return Signature(tuple(image.shape[1:]) if image is not None else (), structure, others, output, units)


def _other(value: object, tensor: Slot | None, name: str) -> Array:
    """Return one of the other inputs, for one image, as the network's tensor wants it."""
    try:
        given = np.asarray(value)
    except ValueError:
        given = np.asarray("ragged")
    if given.dtype.kind not in "fiub" or not np.isfinite(given).all():
        raise InvalidInput(
            f"the input {name!r} must be a finite number or an array of them, got {shown(value)}."
        )
    if tensor is None:
        kept = np.atleast_1d(given)
        return kept.astype(np.float32) if kept.dtype.kind == "f" else kept
    wanted = tuple(tensor.shape[1:])
    if given.ndim == len(wanted) + 1 and given.shape[0] == 1:
        given = given[0]
    try:
        if None not in wanted:
            given = np.broadcast_to(given, wanted)
        elif given.ndim != len(wanted):
            raise ValueError
    except ValueError:
        raise InvalidInput(
            f"the input {name!r} must have the shape {wanted} for one image, got {given.shape}."
        ) from None
    kept = np.array(given, dtype=tensor.dtype, order="C")
    if kept.dtype.kind in "iub" and not np.array_equal(kept, given):
        raise InvalidInput(f"the input {name!r} takes whole numbers, got {shown(value)}.")
    return kept


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(repr, names))

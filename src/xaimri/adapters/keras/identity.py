"""What a network is made of: when any of it changes, what was compiled of it is out of date."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

from xaimri.adapters.keras.tensors import Layer
from xaimri.adapters.keras.trace import children, layers_by_path

Parts: TypeAlias = list[Any]
"""Layers, variables, functions and words, in order."""

ASKED = ("activation", "mean", "variance", "lora_enabled")
"""Attributes of a layer that count whatever they are."""

VARIABLES = (
    "_trainable_variables", "_non_trainable_variables", "_trainable_weights", "_non_trainable_weights",
)  # fmt: skip
"""Where Keras 3, and Keras 2, keep a layer's own variables."""

LISTS = ("_layers", "_operations", "_seed_generators", "_self_tracked_trackables", *VARIABLES)
"""Attributes that Keras changes in place, and of which `layers` and `variables` are made."""

DERIVED = ("layers", "variables", "dtype_policy", *ASKED)
"""What is read of a layer, and is known to follow from its attributes where Keras itself computes it."""

KERAS = ("keras", "keras_hub", "tf_keras")

CAPACITY = 16
"""Networks whose parts are kept at once."""


@dataclass(frozen=True, eq=False)
class Identity:
    """What a network is made of.

    Attributes
    ----------
    parts
        Held, so that their ids stay theirs.
    key
        Words by themselves, objects by identity: equal for equal networks only.
    """

    parts: Parts
    key: tuple[Any, ...]


_kept: OrderedDict[int, tuple[Layer, Identity, Snapshot]] = OrderedDict()
_lock = Lock()


def identity_of(model: Layer) -> Identity:
    """Return what a network is made of now; it is gone through anew only where an attribute has changed.

    Threads may ask while another traces the network, and adds to its layers' attributes.
    """
    with _lock:
        known = _kept.get(id(model))
    if known is not None and known[0] is model and known[2].holds():
        return known[1]
    snapshot = Snapshot.of(model)  # before the parts: what changes in between counts as a change
    parts = [part for layer in (model, *layers_by_path(model).values()) for part in traits(layer)]
    found = Identity(parts, tuple(p if isinstance(p, str | bool | None) else id(p) for p in parts))
    with _lock:
        _kept[id(model)] = model, found, snapshot
        _kept.move_to_end(id(model))
        while len(_kept) > CAPACITY:
            _kept.popitem(last=False)
    return found


def forget() -> None:
    """Forget what every network was made of."""
    with _lock:
        _kept.clear()


def traits(layer: Layer) -> tuple[Any, ...]:
    """Return what a layer's operations depend on beside its class: when any of it changes, trace anew.

    Its variables, its policy, its functions, and every public attribute that is an array, a number, a word, a
    flag or a tuple of such.
    """
    public = {name: value for name, value in vars(layer).copy().items() if name[0] != "_"}
    policy = getattr(getattr(layer, "dtype_policy", None), "name", None)
    named = (getattr(layer, name, None) for name in ASKED)
    arrays = (value for value in public.values() if hasattr(value, "dtype") and hasattr(value, "shape"))
    plain = {name: value for name, value in public.items() if _is_plain(value)}
    return layer, policy, *named, *_own_variables(layer), *arrays, repr(plain)


def _own_variables(layer: Layer) -> list[Any]:
    """Return the variables of a layer that are none of its layers'."""
    if not children(layer):
        return list(layer.variables)
    held = (getattr(layer, name, None) or () for name in VARIABLES)
    return [variable for each in held for variable in tuple(each)]


def _is_plain(value: object) -> bool:
    """Tell whether a value says by its own repr what it is."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All attributes of a network's layers as they were, by identity.

    ``telling`` is False where some of what is read of a layer may change without any of them.
    """

    attributes: Sequence[tuple[Layer, tuple[Any, ...]]]
    lists: Sequence[tuple[Sequence[Any], tuple[Any, ...]]]
    telling: bool

    @classmethod
    def of(cls, model: Layer) -> Snapshot:
        """Take down a network's attributes."""
        layers = (model, *layers_by_path(model).values())
        attributes = [(layer, tuple(vars(layer).copy().values())) for layer in layers]
        lists = [(each, tuple(each)) for layer in layers for each in _lists(layer)]
        return cls(attributes, lists, all(_is_derived(type(layer)) for layer in layers))

    def holds(self) -> bool:
        """Tell whether everything is still the same object."""
        try:
            return self.telling and all(
                len(now) == len(then) and all(map(operator.is_, now, then)) for now, then in self._pairs()
            )
        except RuntimeError:  # another thread adds an attribute just now
            return False

    def _pairs(self) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        for layer, then in self.attributes:
            yield vars(layer).values(), then
        yield from self.lists


def _lists(layer: Layer) -> Iterator[Sequence[Any]]:
    for name in LISTS:
        each = vars(layer).get(name)
        if isinstance(each, list | tuple):
            yield each


def _is_derived(kind: type) -> bool:
    """Tell whether all that is read of a layer follows from its attributes, as in Keras' own classes.

    A class of the user's may compute some of it in another way, which attributes can't tell.
    """
    owners = (next((base for base in kind.__mro__ if name in vars(base)), None) for name in DERIVED)
    return all(owner is None or owner.__module__.partition(".")[0] in KERAS for owner in owners)

"""A network cut into stages and blocks by the names of its layers, and what of it learns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias

Layer: TypeAlias = Any
"""A layer of Keras, or whatever has its ``name``, ``trainable``, ``output.shape``, ``weights`` and, where
it is a network itself, its ``layers``."""

State: TypeAlias = Literal["trained", "partly trained", "frozen", "without weights"]
"""Whether the weights of a part learn."""

MOST_STAGES = 16
"""A nested network whose names give more stages than this is grouped by the size of its maps."""


@dataclass(frozen=True)
class Block:
    """Layers that are drawn as one slab."""

    names: tuple[str, ...]
    state: State


@dataclass(frozen=True)
class Stage:
    """Blocks under one label; ``nested`` is the name of the network that they are nested in."""

    name: str
    shape: tuple[int | None, ...]
    blocks: tuple[Block, ...]
    nested: str | None


def stages_of(model: Layer) -> Iterator[Stage]:
    """Cut a network into stages, nested ones opened; of a long flat one the maps are grouped."""
    layers = list(getattr(model, "layers", ()))
    long = len(layers) > MOST_STAGES
    for (nested, grouped), found in groupby(layers, lambda x: (_is_network(x), long and len(_shape(x)) > 1)):
        for part in [list(found)] if grouped and not nested else [[layer] for layer in found]:
            if nested:
                yield from _inner_stages(part[0].layers, part[0].name)
            elif grouped:
                yield from _inner_stages(part, None)
            else:
                yield Stage(part[0].name, _shape(part[0]), (Block((part[0].name,), _state(part)),), None)


def _is_network(layer: Layer) -> bool:
    return bool(getattr(layer, "layers", None))


def _inner_stages(layers: Sequence[Layer], parent: str | None) -> Iterator[Stage]:
    """Group layers by the beginnings of their names, else by the size of their maps."""
    inside = [x for x in _leaves(layers) if parent is None or type(x).__name__ != "InputLayer"]
    groups = _group(inside, [layer.name.split("_")[0] for layer in inside])
    named = len(groups) <= MOST_STAGES
    for group in groups if named else _group(inside, _sizes(inside)):
        first, last = (group[i].name.split("_")[0] for i in (0, -1))
        name = first if named or first == last else f"{first} ... {last}"
        yield Stage(name, _shape(group[-1]), tuple(_blocks(group)), parent)


def _sizes(layers: Sequence[Layer]) -> list[tuple[int | None, ...]]:
    """Size of the maps at every layer; side branches that pool to one cell count as the maps around them."""
    sizes: list[tuple[int | None, ...]] = []
    for layer in layers:
        space = _shape(layer)[:-1]
        inner = bool(sizes) and all(n == 1 for n in space)
        sizes.append(sizes[-1] if inner else space)
    return sizes


def _leaves(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Open networks nested in a nested network."""
    for layer in layers:
        inner = getattr(layer, "layers", None)
        if inner:
            yield from _leaves(inner)
        else:
            yield layer


def _group(layers: Sequence[Layer], keys: Sequence[object]) -> list[list[Layer]]:
    """Group neighbours of one key; a group without weights, such as a pooling, joins the one before it."""
    groups: list[list[Layer]] = []
    for _, found in groupby(zip(keys, layers, strict=True), lambda pair: pair[0]):
        group = [layer for _, layer in found]
        if groups and _state(group) == "without weights":
            groups[-1] += group
        else:
            groups.append(group)
    return groups


def _blocks(layers: Sequence[Layer]) -> Iterator[Block]:
    """Cut a stage into its blocks, such as ``conv5_block3``; layers that are alone in theirs join in one."""
    parts = [list(found) for _, found in groupby(layers, lambda layer: layer.name.split("_")[:2])]
    if len(parts) > 12 or max(map(len, parts)) == 1:
        parts = [list(layers)]
    kept: list[list[Layer]] = []
    for part in parts:
        if kept and len(part) == 1:
            kept[-1] += part
        else:
            kept.append(part)
    for part in kept:
        yield Block(tuple(layer.name for layer in part), _state(part))


def _state(layers: Sequence[Layer]) -> State:
    flags = {bool(layer.trainable) for layer in layers if getattr(layer, "weights", ())}
    if not flags:
        return "without weights"
    return "partly trained" if len(flags) == 2 else "trained" if flags.pop() else "frozen"


def _shape(layer: Layer) -> tuple[int | None, ...]:
    """Shape of a layer's output without the batch; empty where it isn't known."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):
        return ()
    return tuple(shape[1:])


def weights_in_words(model: Layer) -> str:
    """How many weights there are, and how many of them learn."""
    leaves = list(_leaves(model.layers))
    counts = [sum(math.prod(w.shape) for w in getattr(layer, "weights", ())) for layer in leaves]
    learning = sum(n for n, layer in zip(counts, leaves, strict=True) if layer.trainable)
    return f"{_number(sum(counts))} weights, {_number(learning)} in layers that are trained"


def _number(count: int) -> str:
    return f"{count / 1e6:.1f} million" if count >= 1e5 else f"{count:,}"

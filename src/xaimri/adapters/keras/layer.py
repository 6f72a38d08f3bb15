"""Which inner layer a class activation map opens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

from xaimri.adapters.keras.geometry.lattice import settled_grid
from xaimri.adapters.keras.graph import between
from xaimri.adapters.keras.innermap import InnerMap
from xaimri.adapters.keras.patches import is_patches
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.keras.tokens import named_tokens, tokens_to_open
from xaimri.adapters.keras.trace import LayerOutput
from xaimri.adapters.keras.ways import Ends, Joined, Ways, is_map
from xaimri.caveats import Caveat, Reason
from xaimri.errors import InvalidInput, MissingCapability, shown

ATTENTION = {"Softmax", "BatchMatMulV2", "Einsum"}
"""Operations by which attention mixes cells."""

AND = " + "
"""Joins the names of layers that are opened together."""

ALONE = "the last map through which everything flows to the output"
JOINED = "the last maps on all ways to the output, joined along their features"
FRAMES = "the last maps of every frame or slice, one behind the other"
"""How what is opened by default came to be chosen."""

WAY_OUT = (
    'use a gradient method such as "saliency" or "integrated_gradients", or a perturbation method such as '
    '"lime".'
)


def map_to_open(outputs: Sequence[LayerOutput], layer: str | None, source: Tensor, sink: Tensor) -> InnerMap:
    """Return what to open: the named layer, or the last tokens or maps on all ways to the output."""
    if layer is None:
        tokens = tokens_to_open(outputs, source, sink)
    else:
        tokens = named_tokens(outputs, layer, source, sink)
    if tokens is not None:
        return tokens
    ways = Ways(outputs, source, sink)
    return _last(ways) if layer is None else _named(ways, outputs, layer)


def _last(ways: Ways) -> InnerMap:
    """Return the last map, after a convolution, on every way to the output: one, or several side by side.

    A map whose place is lost by attention gives way to the last one before it, and one behind a dense head
    that is written as convolutions to the map which that head reads.
    """
    ends = ways.last()
    if ends.past or not ends.maps:
        raise _without_map(ends)
    placed = (_before_head(_placed(end, ways), ways) for end in ends.maps)
    found = list({id(m.tensor): m for m in placed}.values())
    if any(is_patches(m.tensor, ways.source, ways.sink) for m in found):
        raise MissingCapability(
            "this network cuts the image into patches and works on their tokens, as vision transformers do; "
            "no layer's tokens carry everything to the output and lie in known places: name one by `layer=` "
            f"for what passes through it, or {WAY_OUT}"
        )
    tensors = tuple(m.tensor for m in found)
    joined = ways.joined(tensors)
    if joined is None:
        cells = [ways.grid(tensor).cells for tensor in tensors]
        sizes = " and ".join(dict.fromkeys(" x ".join(map(str, each)) for each in cells))
        raise MissingCapability(
            f"the last maps on the ways to the output, {_listed(found)}, don't lie on one lattice of cells "
            f"({sizes} of them), so no single map carries everything: name one by `layer=` for what passes "
            f"through it, or {WAY_OUT}"
        )
    why = FRAMES if joined.frames else ALONE if len(found) == 1 else JOINED
    return _opened(ways, tensors, _name(found), why, joined)


def _opened(
    ways: Ways,
    tensors: tuple[Tensor, ...],
    name: str,
    why: str,
    joined: Joined,
    caveats: tuple[Caveat, ...] = (),
) -> InnerMap:
    """Return maps that lie together; what branches carry that disagree before them settles their place."""
    place = None if joined.frames else partial(settled_grid, tensors, ways.source)
    return InnerMap(tensors, name, why, joined.grid, joined.lay, caveats, place)


def finer_map(outputs: Sequence[LayerOutput], chosen: InnerMap, source: Tensor, sink: Tensor) -> str:
    """Return the name of the last maps before the chosen ones that are not coarse, empty without any."""
    if not chosen.grid.coarse:
        return ""
    ways = Ways(outputs, source, sink)
    earlier = [
        next((m for m in ways.gates(t) if not ways.grid(m.tensor).coarse), None) for t in chosen.tensors
    ]
    found = list({id(m.tensor): m for m in earlier if m is not None}.values())
    whole = len(found) == len(chosen.tensors)  # not a map before the ways part
    return _name(found) if whole and ways.joined([m.tensor for m in found]) is not None else ""


def _without_map(ends: Ends) -> MissingCapability:
    """Say that something reaches the output past every map."""
    some = f", such as {_listed(ends.maps)} for what passes through it" if ends.maps else ""
    return MissingCapability(
        "this network has no spatial map through which everything flows to the output, so there is "
        f"nothing for a class activation map to open: name one with `layer=`{some}, or {WAY_OUT}"
    )


def _placed(output: LayerOutput, ways: Ways) -> LayerOutput:
    """Return a map whose place is known; that of the last one before attention where it is lost by that."""
    if not ways.grid(output.tensor).assumed:
        return output
    for earlier in ways.gates(output.tensor):
        mixed = any(op.type in ATTENTION for op in between(earlier.tensor, output.tensor))
        if mixed and not ways.grid(earlier.tensor).assumed:
            return earlier
    return output


def _before_head(output: LayerOutput, ways: Ways) -> LayerOutput:
    """Return the map of which a window sees most, as a dense layer does, for what it makes; else the same."""
    if any(_covers(op) for op in between(ways.source, output.tensor)):
        for earlier in ways.gates(output.tensor):
            if any(_covers(op) for op in between(earlier.tensor, output.tensor) - {earlier.tensor.op}):
                return earlier
    return output


def _covers(op: Operation) -> bool:
    """Tell whether a convolution's window covers more than half of what it reads, and nothing beside it."""
    if op.type not in {"Conv2D", "Conv3D"} or op.get_attr("padding") != b"VALID":
        return False
    cells = op.inputs[0].shape.as_list()[1:-1]
    kernel, dilations = op.inputs[1].shape.as_list()[: len(cells)], op.get_attr("dilations")[1:-1]
    pairs = zip(cells, kernel, dilations, strict=True)
    return all(n is not None and 2 * ((k - 1) * d + 1) > n + 1 for n, k, d in pairs)


def _name(outputs: Sequence[LayerOutput]) -> str:
    return AND.join(dict.fromkeys(output.path for output in outputs))


def _listed(outputs: Sequence[LayerOutput], most: int = 4) -> str:
    names = [repr(path) for path in dict.fromkeys(output.path for output in outputs)]
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])])


def _named(ways: Ways, outputs: Sequence[LayerOutput], layer: str) -> InnerMap:
    """Return what the named layer put out, or several that are joined by ``" + "``."""
    maps = [o for o in outputs if is_map(o, ways.source, ways.places)]
    parts = [layer] if _called(maps, layer) else layer.split(AND)
    named = [output for part in parts for output in _runs(maps, part, ways)]
    found = list({id(output.tensor): output for output in named}.values())
    tensors = tuple(output.tensor for output in found)
    joined = ways.joined(tensors)
    if joined is None:
        raise InvalidInput(
            f"`layer` {shown(layer)} stands for {len(found)} maps that don't lie on one lattice of "
            "cells, so they "
            "can't be joined: name one layer."
        )
    return _opened(ways, tensors, _name(found), "named by the caller", joined, _gone_past(ways, found))


def _called(maps: Sequence[LayerOutput], name: str) -> list[LayerOutput]:
    """Return the maps of a layer by its path; a bare name serves where only one layer has it."""
    return [o for o in maps if o.path == name] or [o for o in maps if o.path.rsplit("/", 1)[-1] == name]


def _runs(maps: Sequence[LayerOutput], layer: str, ways: Ways) -> Sequence[LayerOutput]:
    """Return what a layer put out on the way: several maps where it runs on several ways side by side."""
    exact = _called(maps, layer)
    if len({o.path for o in exact}) > 1:
        raise InvalidInput(
            f"`layer` {shown(layer)} stands for several layers: name one by its path, such as "
            f"{exact[0].path!r}."
        )
    if not exact:
        known = list(dict.fromkeys(o.path for o in maps))
        raise InvalidInput(
            f"`layer` {shown(layer)} is not a layer with a spatial map; the last ones are "
            f"{', '.join(map(repr, known[-5:])) or 'none'}."
        )
    found = [output for output in exact if ways.passes(output.tensor)]
    if not found:
        raise InvalidInput(
            f"`layer` {shown(layer)} does not lie on the way from the image to the output: name another "
            "layer."
        )
    pairs = combinations({id(output.tensor): output for output in found}.values(), 2)
    if any(second.tensor.op in between(first.tensor, second.tensor) for first, second in pairs):
        raise InvalidInput(
            f"`layer` {shown(layer)} runs {len(found)} times on the way, one after the other, so no "
            "single map "
            "stands for it: name a layer behind it."
        )
    return found


def _gone_past(ways: Ways, found: Sequence[LayerOutput]) -> tuple[Caveat, ...]:
    """Say what else reaches the output where not everything flows through the named layers."""
    others = ways.beside([output.tensor for output in found])
    if not others.past and not others.maps:
        return ()
    by = _listed(others.maps) if others.maps else "no map at all"
    return (Reason.PARTIAL_WAY.caveat(layer=_name(found), others=by),)

"""Which inner layer a class activation map opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xaimri.adapters.keras.geometry.lattice import grid_of
from xaimri.adapters.keras.graph import CONVOLUTIONS, between, passes_all, reach
from xaimri.adapters.keras.innermap import InnerMap
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.keras.trace import LayerOutput
from xaimri.errors import InvalidInput, MissingCapability

ATTENTION = {"Softmax", "BatchMatMulV2", "Einsum"}
"""Operations by which attention mixes cells."""

NONLINEAR = {
    "Relu",
    "Relu6",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Erf",
    "Tanh",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Softmax",
    "Exp",
    "Maximum",
    "Minimum",
    "MaxPool",
    "MaxPool3D",
    "Square",
    "SquaredDifference",
}
"""Operations that make more of the pixels than a projection of them."""

WAY_OUT = (
    'use a gradient method such as "saliency" or "integrated_gradients", or a perturbation method such as '
    '"lime".'
)


def map_to_open(outputs: Sequence[LayerOutput], layer: str | None, source: Tensor, sink: Tensor) -> InnerMap:
    """Return the named layer's output; without a name, the last map through which everything flows."""
    if layer is None:
        found, why = _last(outputs, source, sink), "the last map through which everything flows to the output"
    else:
        found, why = _named(outputs, layer, source, sink), "named by the caller"
    return InnerMap((found.tensor,), found.path, why, grid_of(found.tensor, source))


def _last(outputs: Sequence[LayerOutput], source: Tensor, sink: Tensor) -> LayerOutput:
    """Return the last spatial map, after a convolution, through which everything flows to the sink.

    A map whose place is lost by attention gives way to the last one before it.
    """
    found = _gates(outputs, source, sink)
    last = next(found, None)
    if last is None:
        raise MissingCapability(
            "this network has no spatial map through which everything flows to the output, so there is "
            f"nothing for a class activation map to open: name one with `layer=`, or {WAY_OUT}"
        )
    if grid_of(last.tensor, source).assumed:
        for earlier in found:
            mixed = any(op.type in ATTENTION for op in between(earlier.tensor, last.tensor))
            if mixed and not grid_of(earlier.tensor, source).assumed:
                last = earlier
                break
    if _is_patches(last.tensor, source, sink):
        raise MissingCapability(
            "this network cuts the image into patches and works on their tokens, as vision transformers do; "
            f"it has no feature maps for a class activation map to open: {WAY_OUT}"
        )
    return last


def finer_map(outputs: Sequence[LayerOutput], chosen: InnerMap, source: Tensor, sink: Tensor) -> str:
    """Return the path of the last map before the chosen one that is not coarse; empty where there is none."""
    if not chosen.grid.coarse:
        return ""
    before = reach([t.op for t in chosen.tensors], lambda op: [t.op for t in op.inputs])
    earlier = (o for o in _gates(outputs, source, sink) if o.tensor.op in before)
    return next((o.path for o in earlier if not grid_of(o.tensor, source).coarse), "")


def _gates(outputs: Sequence[LayerOutput], source: Tensor, sink: Tensor) -> Iterator[LayerOutput]:
    """Yield the maps after a convolution through which everything flows, the last one first."""
    way = between(source, sink)
    seen = set()
    for output in reversed(outputs):
        op = output.tensor.op
        if op in seen or not is_map(output, source) or not passes_all(op, source.op, sink.op, way):
            continue
        seen.add(op)
        upstream = reach([op], lambda op: [t.op for t in op.inputs if t.op in way])
        if any(op.type in CONVOLUTIONS for op in upstream):
            yield next(o for o in outputs if o.tensor is output.tensor)


def _is_patches(tensor: Tensor, source: Tensor, sink: Tensor) -> bool:
    """Tell whether a map is but a projection of patches side by side, whose tokens the network works on."""
    before, after = between(source, tensor), between(tensor, sink)
    if any(op.type in NONLINEAR for op in before) or not any(_is_cut(op) for op in before):
        return False
    tokens = [op for op in after if op.type in NONLINEAR and op.outputs[0].shape.rank in (3, 4)]
    return any(op.outputs[0].shape.rank != source.shape.rank or op.type == "Softmax" for op in tokens)


def _is_cut(op: Operation) -> bool:
    """Tell whether a convolution takes patches of several pixels that don't overlap."""
    if op.type not in {"Conv2D", "Conv3D"}:
        return False
    strides = op.get_attr("strides")[1:-1]
    kernel = op.inputs[1].shape.as_list()[: len(strides)]
    return max(kernel) > 1 and all(k == s for k, s in zip(kernel, strides, strict=True))


def _named(outputs: Sequence[LayerOutput], layer: str, source: Tensor, sink: Tensor) -> LayerOutput:
    """Return what the named layer put out; a bare name serves where only one layer has it."""
    maps = [o for o in outputs if is_map(o, source)]
    exact = [o for o in maps if o.path == layer] or [o for o in maps if o.path.rsplit("/", 1)[-1] == layer]
    if len({o.path for o in exact}) > 1:
        raise InvalidInput(
            f"`layer` {layer!r} stands for several layers: name one by its path, such as {exact[0].path!r}."
        )
    if not exact:
        known = list(dict.fromkeys(o.path for o in maps))
        raise InvalidInput(
            f"`layer` {layer!r} is not a layer with a spatial map; the last ones are "
            f"{', '.join(map(repr, known[-5:])) or 'none'}."
        )
    way = between(source, sink)
    found = {id(output.tensor): output for output in exact if output.tensor.op in way}
    if len(found) > 1:
        raise InvalidInput(
            f"`layer` {layer!r} runs {len(found)} times on the way, so no single map stands for it: name a "
            "layer behind it."
        )
    if found:
        return next(iter(found.values()))
    raise InvalidInput(
        f"`layer` {layer!r} does not lie on the way from the image to the output: name another layer."
    )


def is_map(output: LayerOutput, source: Tensor) -> bool:
    """Tell whether a layer's output has the image's spatial rank and more than one cell."""
    tensor = output.tensor
    shape = tensor.shape
    if tensor.graph is not source.graph or shape.rank != source.shape.rank or None in shape.as_list():
        return False
    return bool(shape[0] == source.shape[0] and max(shape.as_list()[1:-1]) > 1 and tensor.dtype.is_floating)

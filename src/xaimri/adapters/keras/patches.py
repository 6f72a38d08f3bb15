"""Whether a convolution only cuts the image into patches, whose tokens the network works on."""

from __future__ import annotations

from xaimri.adapters.keras.graph import between
from xaimri.adapters.keras.tensors import Operation, Tensor

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


def is_patches(tensor: Tensor, source: Tensor, sink: Tensor) -> bool:
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

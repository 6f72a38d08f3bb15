"""Operations that sample cells anew: how windows, padding, slicing, resizing and blocks move them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Found, Rule, Shift, Step, single
from xaimri.adapters.keras.tensors import Operation, Tensor


def _channels_last(step: Step, index: int = 0) -> Tensor | None:
    """Return the input of an operation on ``(batch, *space, channels)``, None where it has another layout."""
    tensor = step.only(index)
    layout = step.op.get_attr("data_format").decode() if "data_format" in step.op.node_def.attr else "C"
    return tensor if layout.endswith("C") and step.output.shape.rank == step.axes + 2 else None


def window(
    op: Operation,
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    first: int = 1,
) -> Shift:
    """Offset and scale of a sliding window on cells of the given size, along axes from the first one on."""
    padding = op.get_attr("padding").decode()
    explicit = op.get_attr("explicit_paddings") if padding == "EXPLICIT" else None
    offsets = []
    for axis, (n, k, s, d) in enumerate(zip(size, kernel, strides, dilations, strict=True)):
        extent = (k - 1) * d + 1
        before = 0
        if padding == "SAME":
            before = max((-(-n // s) - 1) * s + extent - n, 0) // 2
        elif explicit is not None:
            before = explicit[2 * (axis + first)]
        offsets.append((extent - 1) / 2 - before)
    return offsets, [float(s) for s in strides]


def _kernel(step: Step) -> list[int] | None:
    shape = step.op.inputs[1].shape
    sizes = [n for n in shape.as_list()[: step.axes] if n is not None] if shape.rank is not None else []
    return sizes if len(sizes) == step.axes else None


def _convolution(step: Step) -> Found:
    op, tensor, kernel = step.op, _channels_last(step), _kernel(step)
    if tensor is None or kernel is None:
        return LOST
    strides, dilations = op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1]
    return single(tensor, window(op, step.space(tensor) or (), kernel, strides, dilations))


def _transposed(step: Step) -> Found:
    op, tensor, size, kernel = step.op, _channels_last(step, 2), step.space(step.output), _kernel(step)
    if tensor is None or size is None or kernel is None:
        return LOST
    strides, dilations = op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1]
    offsets, scales = window(op, size, kernel, strides, dilations)
    return single(tensor, ([-o / s for o, s in zip(offsets, scales, strict=True)], [1 / s for s in scales]))


def _pool(step: Step) -> Found:
    op, tensor = step.op, _channels_last(step)
    if tensor is None:
        return LOST
    kernel, strides = op.get_attr("ksize")[1:-1], op.get_attr("strides")[1:-1]
    return single(tensor, window(op, step.space(tensor) or (), kernel, strides, [1] * step.axes))


def _patches(step: Step) -> Found:
    op, tensor = step.op, _channels_last(step)
    if tensor is None:
        return LOST
    kernel, strides, rates = (op.get_attr(name)[1:-1] for name in ("ksizes", "strides", "rates"))
    return single(tensor, window(op, step.space(tensor) or (), kernel, strides, rates))


def _padding(step: Step) -> Found:
    tensor, widths = step.only(), step.value(step.op.inputs[1])
    if tensor is None or widths is None:
        return step.still(tensor)
    return single(tensor, ([-float(w) for w in widths[1 : 1 + step.axes, 0]], [1.0] * step.axes))


def _slice(step: Step) -> Found:
    """Read ``x[:, a:b:s, ...]``; a start that is not known counts as none where the size stays."""
    op, tensor, size = step.op, step.only(), step.space(step.output)
    strides, begin = step.value(op.inputs[3]), step.value(op.inputs[1])
    if tensor is None or size is None or strides is None:
        return LOST
    entries = _entries(op, len(strides), tensor.shape.rank, step.axes)
    if entries is None:
        return LOST
    offsets, scales = [], []
    for axis, (n, m) in enumerate(zip(step.space(tensor) or (), size, strict=True), start=1):
        entry = entries.get(axis)
        stride = 1 if entry is None else int(strides[entry])
        open_start = entry is None or op.get_attr("begin_mask") >> entry & 1
        if stride < 1 or (begin is None and not open_start and n != m):
            return LOST
        first = 0 if open_start or begin is None else int(begin[entry])
        offsets.append(float(min(max(first + n if first < 0 else first, 0), n)))
        scales.append(float(stride))
    return single(tensor, (offsets, scales))


def _entries(op: Operation, count: int, rank: int, axes: int) -> dict[int, int] | None:
    """Return which entry of a slice reads which axis; None where a spatial axis or one before it moves."""
    ellipsis, new, shrink = (op.get_attr(f"{name}_mask") for name in ("ellipsis", "new_axis", "shrink_axis"))
    reading = [k for k in range(count) if not (ellipsis | new) >> k & 1]
    found, axis = {}, 0
    for k in range(count):
        if ellipsis >> k & 1:
            axis += rank - len(reading)
        elif (new | shrink) >> k & 1 and axis <= axes:
            return None
        elif not new >> k & 1:
            found[axis] = k
            axis += 1
    return found


def _cut(step: Step) -> Found:
    """Read ``tf.slice``."""
    tensor, begin = step.only(), step.value(step.op.inputs[1])
    if tensor is None or begin is None:
        return step.still(tensor)
    return single(tensor, ([float(b) for b in begin[1 : 1 + step.axes]], [1.0] * step.axes))


def _resize(step: Step) -> Found:
    tensor, size = step.only(), step.space(step.output)
    if tensor is None or size is None:
        return LOST
    before, attributes = step.space(tensor) or (), step.op.node_def.attr
    if max(before) == 1 < max(size):
        return EVERYWHERE
    area = step.op.type == "ResizeArea"
    half = area or ("half_pixel_centers" in attributes and step.op.get_attr("half_pixel_centers"))
    corners = step.op.get_attr("align_corners")
    scales = [(n - 1) / (m - 1) if corners and m > 1 else n / m for n, m in zip(before, size, strict=True)]
    if step.op.type == "ResizeNearestNeighbor":
        pairs = zip(before, size, scales, strict=True)
        return single(tensor, ([_nearest(n, m, s, half, corners) for n, m, s in pairs], scales))
    return single(tensor, ([(s - 1) / 2 if half else 0.0 for s in scales], scales))


def _nearest(n: int, m: int, scale: float, half: bool, corners: bool) -> float:
    """Return by how much the pixels that are taken lie behind ``scale * i``, on average."""
    exact = (np.arange(m) + (0.5 if half else 0.0)) * scale + (0.5 if corners else 0.0)
    return float(np.mean(np.clip(np.floor(exact), 0, n - 1) - scale * np.arange(m)))


def _scaled(step: Step) -> Found:
    """Read a resize with antialiasing; a factor worked out in the graph is that of the sizes."""
    tensor, size, factor = step.only(), step.space(step.output), step.op.inputs[2]
    told, shift = step.value(factor), step.value(step.op.inputs[3])
    if tensor is None or size is None or shift is None or step.axes != 2:
        return LOST
    before = step.space(tensor) or ()
    if max(before) == 1 < max(size):
        return EVERYWHERE
    if told is None and factor.op.type != "RealDiv":  # as tf.image.resize writes it
        return LOST
    scales = [m / n for n, m in zip(before, size, strict=True)] if told is None else told
    offsets = [(0.5 - float(t)) / float(s) - 0.5 for t, s in zip(shift, scales, strict=True)]
    return single(tensor, (offsets, [1 / float(s) for s in scales]))


def _phases(step: Step) -> Found:
    """Move pixels into batch entries, one per phase of a block: how TensorFlow dilates."""
    tensor, block, pads = step.only(), step.value(step.op.inputs[1]), step.value(step.op.inputs[2])
    if tensor is None or block is None or pads is None or len(block) > step.axes:
        return LOST
    pairs = list(zip(block, pads[:, 0], strict=True)) + [(1, 0)] * (step.axes - len(block))
    return single(tensor, ([-float(p) for _, p in pairs], [float(b) for b, _ in pairs]))


def _unphased(step: Step) -> Found:
    tensor, block, crops = step.only(), step.value(step.op.inputs[1]), step.value(step.op.inputs[2])
    if tensor is None or block is None or crops is None or len(block) > step.axes:
        return LOST
    pairs = list(zip(block, crops[:, 0], strict=True)) + [(1, 0)] * (step.axes - len(block))
    return single(tensor, ([float(c) / float(b) for b, c in pairs], [1 / float(b) for b, _ in pairs]))


def _to_depth(step: Step) -> Found:
    tensor, block = _channels_last(step), float(step.op.get_attr("block_size"))
    shift = ([(block - 1) / 2] * step.axes, [block] * step.axes)
    return LOST if tensor is None else single(tensor, shift)


def _from_depth(step: Step) -> Found:
    tensor, block = _channels_last(step), float(step.op.get_attr("block_size"))
    shift = ([(1 / block - 1) / 2] * step.axes, [1 / block] * step.axes)
    return LOST if tensor is None else single(tensor, shift)


MOVES: dict[str, Rule] = {
    **dict.fromkeys(["Conv2D", "Conv3D", "DepthwiseConv2dNative"], _convolution),
    **dict.fromkeys(["Conv2DBackpropInput", "Conv3DBackpropInputV2"], _transposed),
    **dict.fromkeys(["MaxPool", "MaxPool3D", "MaxPoolWithArgmax", "AvgPool", "AvgPool3D"], _pool),
    "ExtractImagePatches": _patches,
    **dict.fromkeys(["Pad", "PadV2", "MirrorPad"], _padding),
    "StridedSlice": _slice,
    "Slice": _cut,
    **dict.fromkeys(["ResizeBilinear", "ResizeBicubic", "ResizeArea", "ResizeNearestNeighbor"], _resize),
    "ScaleAndTranslate": _scaled,
    "SpaceToBatchND": _phases,
    "BatchToSpaceND": _unphased,
    "SpaceToDepth": _to_depth,
    "DepthToSpace": _from_depth,
}
"""The operations that move the cells, and how."""

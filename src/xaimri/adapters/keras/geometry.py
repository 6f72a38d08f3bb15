"""Where a feature map's cells lie on the image, read from the operations of the traced graph.

Every operation moves the lattice of cells by what its padding, strides, dilation and kernel say. An
operation that keeps the spatial shape keeps the lattice; one that is not known here and changes the
shape loses it, and the grid is then marked as assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xaimri.adapters.keras.graph import between, static
from xaimri.grid import Grid


@dataclass(frozen=True)
class Lattice:
    """Cell ``i`` is centred at ``start + step * i`` input pixels, per axis."""

    start: tuple[float, ...]
    step: tuple[float, ...]
    spread: float = 0.0

    def moved(self, offset: list[float], scale: list[float]) -> Lattice:
        """Take cells at ``offset + scale * i`` of this lattice."""
        start = tuple(a + s * o for a, s, o in zip(self.start, self.step, offset, strict=True))
        return Lattice(start, tuple(s * k for s, k in zip(self.step, scale, strict=True)), self.spread)


def grid_of(cells: Any, source: Any) -> Grid:
    """Return where the cells of a tensor lie on the source image; assumed where that can't be read."""
    space, shape = _space(source), _space(cells)
    way = between(source, cells)
    lattices: dict[Any, Lattice | None] = {source.op: Lattice((0.0,) * len(space), (1.0,) * len(space))}
    for op in source.graph.get_operations():  # in order of creation, so inputs come first
        if op in way and op not in lattices:
            lattices[op] = _through(op, lattices)
    found = lattices[cells.op]
    if found is None or min(found.step) <= 0:
        return Grid.resized(space, shape, assumed=True)
    return Grid(space, shape, found.start, found.step, spread=found.spread)


def _space(tensor: Any) -> tuple[int, ...]:
    return tuple(tensor.shape.as_list()[1:-1]) if tensor.shape.rank else ()


def _through(op: Any, lattices: dict[Any, Lattice | None]) -> Lattice | None:
    """Return the lattice of an operation's output from those of its inputs."""
    arrivals = [t for t in op.inputs if t.op in lattices]
    if op.type in MOVES:
        moved = [t for t in arrivals if lattices[t.op] is not None]
        lattice = lattices[moved[0].op] if moved else None
        shift = MOVES[op.type](op, moved[0], op.outputs[0]) if moved else None
        return None if lattice is None or shift is None else lattice.moved(*shift)
    mixed = _mixed(op)
    if mixed is not None:
        return lattices.get(mixed.op)
    repeated = _repeated(op)
    if repeated is not None:
        lattice, size = lattices.get(repeated.op), _space(op.outputs[0])
        scales = [n / m for n, m in zip(_space(repeated), size, strict=True)]
        return None if lattice is None else lattice.moved([(s - 1) / 2 for s in scales], scales)
    size = _space(op.outputs[0]) if op.outputs else ()
    same = [
        lattices[t.op] for t in arrivals if t.shape.rank == op.outputs[0].shape.rank and _space(t) == size
    ]
    return (
        _merged([lattice for lattice in same if lattice is not None], size)
        if same and None not in same
        else None
    )


def _merged(lattices: list[Lattice], size: tuple[int, ...]) -> Lattice:
    """Mean of the lattices that meet in one operation, with their largest disagreement."""
    count = len(lattices)
    start = tuple(sum(x) / count for x in zip(*(v.start for v in lattices), strict=True))
    step = tuple(sum(x) / count for x in zip(*(v.step for v in lattices), strict=True))
    spread = max(v.spread for v in lattices)
    for v in lattices:
        for a, s, b, t, n in zip(v.start, v.step, start, step, size, strict=True):
            spread = max(spread, abs(a - b), abs(a + s * (n - 1) - b - t * (n - 1)))
    return Lattice(start, step, spread)


Shift = tuple[list[float], list[float]]


def _window(op: Any, size: list[int], kernel: list[int], strides: list[int], dilations: list[int]) -> Shift:
    """Offset and scale of a sliding window on cells of the given size."""
    padding = op.get_attr("padding").decode()
    explicit = op.get_attr("explicit_paddings") if padding == "EXPLICIT" else None
    offsets = []
    for axis, (n, k, s, d) in enumerate(zip(size, kernel, strides, dilations, strict=True)):
        extent = (k - 1) * d + 1
        before = 0
        if padding == "SAME":
            before = max((-(-n // s) - 1) * s + extent - n, 0) // 2
        elif explicit is not None:
            before = explicit[2 * (axis + 1)]
        offsets.append((extent - 1) / 2 - before)
    return offsets, [float(s) for s in strides]


def _convolution(op: Any, tensor: Any, _: Any) -> Shift | None:
    size = list(_space(tensor))
    kernel = op.inputs[1].shape.as_list()[: len(size)]
    return _window(op, size, kernel, op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1])


def _pool(op: Any, tensor: Any, _: Any) -> Shift | None:
    size = list(_space(tensor))
    return _window(op, size, op.get_attr("ksize")[1:-1], op.get_attr("strides")[1:-1], [1] * len(size))


def _transposed(op: Any, tensor: Any, output: Any) -> Shift | None:
    if tensor is not op.inputs[2]:
        return None
    size = list(_space(output))
    kernel = op.inputs[1].shape.as_list()[: len(size)]
    offsets, scales = _window(op, size, kernel, op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1])
    return [-o / s for o, s in zip(offsets, scales, strict=True)], [1 / s for s in scales]


def _padding(op: Any, tensor: Any, _: Any) -> Shift | None:
    widths = static(op.inputs[1])
    if widths is None:
        return None
    return [-float(w) for w in widths[1:-1, 0]], [1.0] * len(_space(tensor))


def _slice(op: Any, tensor: Any, output: Any) -> Shift | None:
    if tensor.shape.rank == output.shape.rank and _space(tensor) == _space(output):
        return _still(tensor) if _keeps_order(op, tensor.shape.rank) else None
    begin, steps = static(op.inputs[1]), static(op.inputs[3])
    masks = [op.get_attr(f"{name}_mask") for name in ("ellipsis", "new_axis", "shrink_axis")]
    if begin is None or steps is None or any(masks) or len(begin) < tensor.shape.rank - 1:
        return None
    open_start = op.get_attr("begin_mask")
    offsets, scales = [], []
    for axis, n in enumerate(_space(tensor), start=1):
        first = 0 if open_start >> axis & 1 else int(begin[axis])
        offsets.append(float(first + n if first < 0 else first))
        scales.append(float(steps[axis]))
    return (offsets, scales) if min(scales) > 0 else None


def _keeps_order(op: Any, rank: int) -> bool:
    """Tell whether a slice that keeps the shape reverses no spatial axis."""
    steps = static(op.inputs[3])
    if steps is None or op.get_attr("new_axis_mask") or op.get_attr("shrink_axis_mask"):
        return False
    ellipsis = op.get_attr("ellipsis_mask")
    full = list(steps) + [1] * (rank - len(steps))
    if ellipsis:
        at = ellipsis.bit_length() - 1
        full = [*steps[:at], *[1] * (rank - len(steps) + 1), *steps[at + 1 :]]
    return bool(min(full[1:-1], default=1) > 0)


def _resize(op: Any, tensor: Any, output: Any) -> Shift | None:
    half = op.get_attr("half_pixel_centers")
    corners = op.get_attr("align_corners")
    offsets, scales = [], []
    for n, m in zip(_space(tensor), _space(output), strict=True):
        scale = (n - 1) / (m - 1) if corners and m > 1 else n / m
        scales.append(scale)
        offsets.append((scale - 1) / 2 if half else 0.0)
    return offsets, scales


def _phases(op: Any, tensor: Any, _: Any) -> Shift | None:
    """Move pixels into batch entries, one per phase of a block: how TensorFlow dilates."""
    block, pads = static(op.inputs[1]), static(op.inputs[2])
    if block is None or pads is None or len(block) != len(_space(tensor)):
        return None
    return [-float(p) for p in pads[:, 0]], [float(b) for b in block]


def _unphased(op: Any, tensor: Any, _: Any) -> Shift | None:
    block, crops = static(op.inputs[1]), static(op.inputs[2])
    if block is None or crops is None or len(block) != len(_space(tensor)):
        return None
    return [float(c) / float(b) for c, b in zip(crops[:, 0], block, strict=True)], [
        1.0 / float(b) for b in block
    ]


def _repeated(op: Any) -> Any:
    """Return the tensor whose pixels a reshaped tiling repeats side by side, None where it does not."""
    tiled = op.inputs[0].op if op.type == "Reshape" else None
    if tiled is None or tiled.type != "Tile" or tiled.inputs[0].op.type != "ExpandDims":
        return None
    tensor, output, stacked = tiled.inputs[0].op.inputs[0], op.outputs[0], tiled.outputs[0].shape.as_list()
    if tensor.shape.rank != output.shape.rank or None in stacked:
        return None
    axis = static(tiled.inputs[0].op.inputs[1])
    before, after = tensor.shape.as_list(), output.shape.as_list()
    grown = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    beside = (
        axis is not None
        and grown == [int(axis) - 1]
        and stacked[int(axis)] * before[grown[0]] == after[grown[0]]
    )
    return tensor if beside else None


def _mixed(op: Any) -> Any:
    """Return the tensor whose channels a dense layer mixes cell by cell, None where it does not."""
    product = op.inputs[0].op if op.type == "Reshape" else None
    if product is None or product.type != "MatMul" or product.inputs[0].op.type != "Reshape":
        return None
    tensor, output = product.inputs[0].op.inputs[0], op.outputs[0]
    same = (
        tensor.shape.rank == output.shape.rank and tensor.shape[:-1].as_list() == output.shape[:-1].as_list()
    )
    return tensor if same and product.inputs[0].shape[-1] == tensor.shape[-1] else None


def _reverse(op: Any, tensor: Any, _: Any) -> Shift | None:
    axes = static(op.inputs[1])
    last = tensor.shape.rank - 1
    return _still(tensor) if axes is not None and all(a in (last, -1) for a in axes) else None


def _transpose(op: Any, tensor: Any, _: Any) -> Shift | None:
    order = static(op.inputs[1])
    return _still(tensor) if order is not None and list(order) == list(range(len(order))) else None


def _still(tensor: Any) -> Shift:
    rank = len(_space(tensor))
    return [0.0] * rank, [1.0] * rank


def _lost(*_: Any) -> Shift | None:
    return None


MOVES: dict[str, Callable[[Any, Any, Any], Shift | None]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "Conv2DBackpropInput": _transposed,
    "Conv3DBackpropInputV2": _transposed,
    "MaxPool": _pool,
    "MaxPool3D": _pool,
    "AvgPool": _pool,
    "AvgPool3D": _pool,
    "Pad": _padding,
    "PadV2": _padding,
    "MirrorPad": _padding,
    "SpaceToBatchND": _phases,
    "BatchToSpaceND": _unphased,
    "StridedSlice": _slice,
    "ResizeBilinear": _resize,
    "ResizeNearestNeighbor": _resize,
    "ResizeBicubic": _resize,
    "ReverseV2": _reverse,
    "Transpose": _transpose,
    "ImageProjectiveTransformV3": _lost,
    "Roll": _lost,
    "GatherV2": _lost,
    "Einsum": _lost,
    "BatchMatMulV2": _lost,
}
"""How each operation moves the lattice; one not listed keeps it where the spatial shape stays."""

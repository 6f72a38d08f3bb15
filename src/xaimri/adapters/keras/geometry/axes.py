"""Operations that rearrange, join, contract or mix axes: the cells stay where the spatial axes do."""

from __future__ import annotations

from functools import partial
from math import prod

from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Found, Rule, Step, single
from xaimri.adapters.keras.tensors import Tensor


def keep(step: Step) -> Found:
    """Keep the cells of every input of the output's rank and spatial sizes; lose them where there is none."""
    rank, size = step.output.shape.rank, step.space(step.output)
    return step.still(*(t for t in step.inputs if t.shape.rank == rank and step.space(t) == size))


def lose(step: Step) -> Found:
    """Lose the cells."""
    return LOST


def _reshape(step: Step) -> Found:
    """Keep the cells where only the axes behind the spatial ones are split or joined."""
    beside = repeated(step)
    if beside is not LOST:
        return beside
    tensor, first = step.only(), 1 + step.axes
    if tensor is not None and step.output.shape.rank is not None:
        rest = [t.shape.as_list()[first:] for t in (tensor, step.output)]
        if None not in rest[0] + rest[1] and prod(rest[0]) == prod(rest[1]):
            return step.still(tensor)
    return LOST


def repeated(step: Step) -> Found:
    """Follow a tiling, reshaped so that it repeats each pixel side by side."""
    tiled, size = step.op.inputs[0].op, step.space(step.output)
    if tiled.type != "Tile" or tiled.inputs[0].op.type != "ExpandDims":
        return LOST
    tensor, axis = tiled.inputs[0].op.inputs[0], step.value(tiled.inputs[0].op.inputs[1])
    before, after, stacked = step.space(tensor), step.output.shape, tiled.outputs[0].shape
    if axis is None or None in (before, size, stacked.rank) or None in (*after, *stacked):
        return LOST
    grown = [i for i, (n, m) in enumerate(zip(tensor.shape, after, strict=False)) if n != m]
    beside = int(axis) - 1
    if tensor.shape.rank != after.rank or grown not in ([], [beside]):
        return LOST
    if stacked[beside + 1] * tensor.shape[beside] != after[beside]:
        return LOST
    if max(before or ()) == 1 < max(size or ()):
        return EVERYWHERE
    scales = [n / m for n, m in zip(before or (), size or (), strict=True)]
    return single(tensor, ([(s - 1) / 2 for s in scales], scales))


def _reduced(step: Step) -> Found:
    tensor, axes = step.only(), _axes(step, 1)
    if tensor is None or axes is None:
        return LOST
    spatial = set(range(1, 1 + step.axes))
    if spatial <= axes:
        return EVERYWHERE
    keep = "keep_dims" in step.op.node_def.attr and step.op.get_attr("keep_dims")
    return step.still(tensor) if keep or not axes & (spatial | {0}) else LOST


def _axes(step: Step, index: int, extra: int = 0) -> set[int] | None:
    """Return the axes that an input names, counted from the front; None where they are not known."""
    named, rank = step.value(step.op.inputs[index]), step.op.inputs[0].shape.rank
    if named is None or rank is None:
        return None
    return {int(a) % (rank + extra) for a in named.reshape(-1)}


def _along(step: Step, index: int) -> Found:
    """Keep the cells where something happens along axes behind the spatial ones."""
    axes = _axes(step, index)
    return step.still(step.only()) if axes is not None and all(a > step.axes for a in axes) else LOST


def _inside(step: Step, count: int) -> Found:
    """Keep the cells where something happens within the last axes, all of them behind the spatial ones."""
    rank = step.op.inputs[0].shape.rank
    return step.still(step.only()) if rank is not None and rank - count > step.axes else LOST


def _transpose(step: Step) -> Found:
    order = step.value(step.op.inputs[1])
    front = list(range(1 + step.axes))
    return step.still(step.only()) if order is not None and list(order[: len(front)]) == front else LOST


def _expanded(step: Step) -> Found:
    axes = _axes(step, 1, extra=1)
    return step.still(step.only()) if axes is not None and all(a > step.axes for a in axes) else LOST


def _squeezed(step: Step) -> Found:
    tensor = step.only()
    if tensor is None:
        return LOST
    sizes = tensor.shape.as_list()
    named = step.op.get_attr("squeeze_dims") or [i for i, n in enumerate(sizes) if n in (1, None)]
    return step.still(tensor) if all(a % len(sizes) > step.axes for a in named) else LOST


def _stacked(step: Step) -> Found:
    """Keep the cells where tensors are stacked along a new axis behind the spatial ones."""
    rank = step.output.shape.rank
    behind = rank is not None and step.op.get_attr("axis") % rank > step.axes
    return step.still(*step.inputs) if behind else LOST


def _unstacked(step: Step) -> Found:
    rank = step.op.inputs[0].shape.rank
    behind = rank is not None and step.op.get_attr("axis") % rank > step.axes
    return step.still(step.only()) if behind else LOST


def _split(step: Step) -> Found:
    data, where = (1, 0) if step.op.type == "Split" else (0, 2)
    tensor, axis = step.only(data), step.value(step.op.inputs[where])
    if tensor is None or axis is None:
        return LOST
    at = int(axis) % tensor.shape.rank
    if not 1 <= at <= step.axes:
        return step.still(tensor)
    return _beginning(
        step, tensor, at, [step.shape(t)[at] for t in step.op.outputs[: step.output.value_index]], 1
    )


def _joined(step: Step) -> Found:
    """Keep the cells where channels are joined; follow them where constants are joined in space."""
    *parts, where = step.op.inputs
    axis, rank = step.value(where), step.output.shape.rank
    if axis is None or rank is None:
        return LOST
    at = int(axis) % rank
    if not 1 <= at <= step.axes:
        return keep(step)
    if len(step.inputs) != 1:
        return LOST
    tensor = step.inputs[0]
    first = next(i for i, t in enumerate(parts) if t is tensor)
    return _beginning(step, tensor, at, [step.shape(t)[at] for t in parts[:first]], -1)


def _beginning(step: Step, tensor: Tensor, axis: int, sizes: list[int | None], sign: int) -> Found:
    """Shift an axis by the sizes of what stands before."""
    known = [n for n in sizes if n is not None]
    if len(known) != len(sizes):
        return LOST
    offset = [0.0] * step.axes
    offset[axis - 1] = float(sign * sum(known))
    return single(tensor, (offset, [1.0] * step.axes))


def _einsum(step: Step) -> Found:
    equation = step.op.get_attr("equation").decode().replace(" ", "")
    ranks = [t.shape.rank for t in (*step.op.inputs, step.output)]
    terms = equation.replace("->", ",").split(",")
    if None in ranks or "->" not in equation or len(terms) != len(ranks):
        return LOST
    return _contracted(step, [_labels(term, rank) for term, rank in zip(terms, ranks, strict=True)])


def _labels(term: str, rank: int) -> str:
    """Write out the ellipsis of a term as labels of their own, aligned at their end."""
    hidden = rank - len(term.replace("...", ""))
    return term.replace("...", "".join(chr(0xE000 + i) for i in range(hidden - 1, -1, -1)))


def _product(step: Step) -> Found:
    """Read a batch of matrix products as a contraction."""
    ranks = [t.shape.rank for t in (*step.op.inputs, step.output)]
    if None in ranks:
        return LOST
    names = [step.op.get_attr(name) for name in ("adj_x", "adj_y")]
    ends = ["ki" if names[0] else "ik", "jk" if names[1] else "kj", "ij"]
    return _contracted(step, [_labels("..." + end, rank) for end, rank in zip(ends, ranks, strict=True)])


def _contracted(step: Step, terms: list[str]) -> Found:
    """Keep the cells where every operand from the image has the output's spatial labels in their places.

    An operand that does not have them brings its own cells, which are then mixed, as in attention.
    """
    *operands, output = terms
    places = slice(1, 1 + step.axes)
    spatial = output[places]
    if len(spatial) < step.axes or any(output.count(label) > 1 for label in spatial):
        return LOST
    pairs = zip(step.op.inputs, operands, strict=True)
    ours = [term for tensor, term in pairs if any(tensor is t for t in step.inputs)]
    cellwise = all(t[places] == spatial and all(t.count(label) == 1 for label in spatial) for t in ours)
    return step.still(*step.inputs) if cellwise else LOST


def _of_its_own(step: Step) -> Found:
    """Keep each tensor of a tuple that is passed on."""
    tensor = step.op.inputs[step.output.value_index]
    return step.still(tensor) if any(tensor is t for t in step.inputs) else EVERYWHERE


AXES: dict[str, Rule] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ExpandDims": _expanded,
    "Squeeze": _squeezed,
    "Pack": _stacked,
    "Unpack": _unstacked,
    "ConcatV2": _joined,
    "Split": _split,
    "SplitV": _split,
    "IdentityN": _of_its_own,
    "Einsum": _einsum,
    **dict.fromkeys(["BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"], _product),
    **dict.fromkeys(["Mean", "Sum", "Max", "Min", "Prod", "All", "Any", "EuclideanNorm"], _reduced),
    **dict.fromkeys(["ArgMax", "ArgMin"], _reduced),
    **dict.fromkeys(["ReverseV2", "Cumsum", "Cumprod", "CumulativeLogsumexp"], partial(_along, index=1)),
    **dict.fromkeys(["Roll", "GatherV2"], partial(_along, index=2)),
    **dict.fromkeys(["TopKV2", "FFT", "IFFT", "RFFT", "IRFFT"], partial(_inside, count=1)),
    **dict.fromkeys(["FFT2D", "IFFT2D", "RFFT2D", "IRFFT2D"], partial(_inside, count=2)),
    **dict.fromkeys(["FFT3D", "IFFT3D", "RFFT3D", "IRFFT3D"], partial(_inside, count=3)),
    **dict.fromkeys(["FFTND", "IFFTND", "RFFTND", "IRFFTND", "Dilation2D", "Conv", "MatMul"], lose),
    **dict.fromkeys(["GatherNd", "ScatterNd", "TensorScatterUpdate", "ReverseSequence"], lose),
    **dict.fromkeys(["ImageProjectiveTransformV2", "ImageProjectiveTransformV3", "RandomShuffle"], lose),
    **dict.fromkeys(["While", "StatelessWhile", "Case", "StatelessCase"], lose),
    **dict.fromkeys(["PyFunc", "PyFuncStateless", "EagerPyFunc"], lose),
    **dict.fromkeys(["CropAndResize", "MatrixTriangularSolve", "MatrixSolve", "Cholesky"], lose),
    **dict.fromkeys([f"TensorScatter{how}" for how in ("Add", "Sub", "Max", "Min")], lose),
}
"""The operations that may mix or exchange cells though the spatial shape stays, and when they do not."""

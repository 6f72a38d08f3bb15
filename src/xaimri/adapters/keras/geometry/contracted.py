"""Operations that sum over axes: dense layers keep a cell's place, attention keeps its query's."""

from __future__ import annotations

import numpy as np

from xaimri.adapters.keras.geometry.field import (
    SAME,
    Field,
    Fields,
    Where,
    anywhere,
    averaged,
    field,
    some,
)
from xaimri.adapters.keras.geometry.rearranged import Given, Rearrange
from xaimri.adapters.keras.geometry.step import LOST
from xaimri.adapters.keras.graph import static
from xaimri.adapters.keras.tensors import Operation, Tensor

PRODUCTS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}
"""Operations that sum the products of two tensors' values."""


def mixes(op: Operation, given: Given) -> bool:
    """Tell whether an operation sums over cells by weights that are made of the image, as attention does."""
    fields = [each for each in given if isinstance(each, Field)]
    terms = _terms(op)
    if op.type not in PRODUCTS or len(fields) < 2 or terms is None:
        return False
    *operands, output = terms
    return any(
        _varied(way, term, output)
        for each, term in zip(given, operands, strict=True)
        if isinstance(each, Field)
        for way in each.ways
    )


def _product(op: Operation, output: Tensor, given: Given) -> Fields:
    terms = _terms(op)
    if terms is None or LOST in given:
        return LOST
    *operands, result = terms
    if any(len(set(term)) < len(term) for term in terms):
        return LOST
    pairs = [(each, term) for each, term in zip(given, operands, strict=True) if isinstance(each, Field)]
    made = [_ordered(anywhere(each.made, _gone(term, result)), term, result) for each, term in pairs]
    ways: list[Where] = []
    for each, term in pairs:
        for way in each.ways:
            axes = _varied(way, term, result)
            if axes and len(pairs) > 1:
                continue  # mixed by weights that are made of the image
            found = _ordered(averaged(way, axes) if axes else way, term, result)
            if not any(_same(found, other) for other in ways):
                ways.append(found)
    return field(output.shape.as_list(), some(made), ways, max(each.spread for each, _ in pairs))


def _same(a: Where, b: Where) -> bool:
    return a.shape == b.shape and np.allclose(a, b, equal_nan=True, atol=SAME)


def _gone(term: str, output: str) -> list[int]:
    """Return the axes of an operand that are summed over."""
    return [k for k, label in enumerate(term) if label not in output]


def _varied(way: Where, term: str, output: str) -> list[int]:
    """Return the axes that are summed over and along which places differ."""
    return [k for k in _gone(term, output) if way.shape[1 + k] > 1]


def _ordered(way: Where, term: str, output: str) -> Where:
    """Drop the axes that were summed over, and bring the others into the output's order."""
    way, left = way.squeeze(tuple(1 + k for k in _gone(term, output))), [x for x in term if x in output]
    way = way.transpose(0, *(1 + left.index(label) for label in output if label in left))
    return np.expand_dims(way, tuple(1 + k for k, label in enumerate(output) if label not in left))


def _terms(op: Operation) -> list[str] | None:
    """Write a product as labels of its operands' axes and of its output's."""
    ranks = [t.shape.rank for t in (*op.inputs, op.outputs[0])]
    if op.type == "Einsum":
        equation = op.get_attr("equation").decode().replace(" ", "")
        terms = equation.replace("->", ",").split(",") if "->" in equation else []
    elif op.type in PRODUCTS:
        flat = op.type == "MatMul"
        turned = [
            op.get_attr(name) for name in (("transpose_a", "transpose_b") if flat else ("adj_x", "adj_y"))
        ]
        terms = ["...ki" if turned[0] else "...ik", "...jk" if turned[1] else "...kj", "...ij"]
    else:
        terms = []
    if None in ranks or len(terms) != len(ranks):
        return None
    return [_written(term, rank) for term, rank in zip(terms, ranks, strict=True)]


def _written(term: str, rank: int) -> str:
    """Write out the ellipsis of a term as labels of their own, aligned at their end."""
    hidden = rank - len(term.replace("...", ""))
    return term.replace("...", "".join(chr(0xE000 + i) for i in range(hidden - 1, -1, -1)))


def _reduced(op: Operation, output: Tensor, given: Given) -> Fields:
    data, named = given[0], static(op.inputs[1])
    if not isinstance(data, Field) or named is None:
        return LOST
    axes = sorted({int(a) % len(data.shape) for a in named.reshape(-1)})
    keep = "keep_dims" in op.node_def.attr and op.get_attr("keep_dims")
    gone = () if keep else tuple(1 + a for a in axes)
    ways = []
    for way in data.ways:
        apart = [a for a in axes if way.shape[1 + a] > 1]
        ways.append((averaged(way, apart) if apart else way).squeeze(gone))
    return field(output.shape.as_list(), anywhere(data.made, axes).squeeze(gone), ways, data.spread)


CONTRACTED: dict[str, Rearrange] = {
    **dict.fromkeys(PRODUCTS, _product),
    **dict.fromkeys(
        ["Mean", "Sum", "Max", "Min", "Prod", "All", "Any", "EuclideanNorm", "ArgMax", "ArgMin"], _reduced
    ),
}
"""The operations that sum over axes, and what they leave of the places."""

"""Which tokens a class activation map opens, where a network works on tokens beside maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xaimri.adapters.keras.geometry.cells import Gathering, gathering
from xaimri.adapters.keras.geometry.contracted import PRODUCTS
from xaimri.adapters.keras.geometry.field import Field
from xaimri.adapters.keras.geometry.places import Tracing, ends_of, places_from, reaches
from xaimri.adapters.keras.graph import CONVOLUTIONS, between, reach
from xaimri.adapters.keras.innermap import InnerMap
from xaimri.adapters.keras.patches import is_patches
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.keras.trace import LayerOutput
from xaimri.caveats import Caveat, Reason

SAME_VALUES = {
    *("Identity", "IdentityN", "Cast", "Reshape", "Transpose", "ExpandDims", "Squeeze", "Split", "SplitV"),
    *("StridedSlice", "Slice", "ConcatV2", "Pack", "Unpack", "BiasAdd"),
}
"""Operations that change no value, or add a number to a feature."""

SCALED = {"AddV2", "Add", "Sub", "Mul", "RealDiv", *PRODUCTS}
"""Operations that make a projection of features, where the other operand is the network's own."""

SUMS = {"AddV2", "Add", "AddN"}

FLOWS = "the last tokens through which everything flows to the output"
READ = "the last tokens before they are read out"
"""How tokens came to be chosen."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """A tensor of which cells can be gathered, and what it is called."""

    path: str
    tensor: Tensor
    places: Field
    cells: Gathering


class TokenNetwork:
    """The tokens of a network, in the order in which they are made.

    Attributes
    ----------
    source, sink
        The image and the output.
    tokens
        Of every layer whose values can be laid on cells, each tensor once.
    """

    def __init__(self, outputs: Sequence[LayerOutput], source: Tensor, sink: Tensor) -> None:
        self.source, self.sink = source, sink
        self._way = between(source, sink)
        self._order = {op: k for k, op in enumerate(source.graph.get_operations())}
        self._outputs = [o for o in outputs if o.tensor.op in self._way]
        self._tracing = places_from(source) if self._may_have_tokens() else Tracing(source.shape.rank - 2)
        self._made = reach(
            [op for op in self._way if op.type in CONVOLUTIONS | PRODUCTS],
            lambda op: [c for t in op.outputs for c in t.consumers() if c in self._way],
        )
        first: dict[Operation, LayerOutput] = {}
        for output in self._outputs:
            first.setdefault(output.tensor.op, output)
        laid = (self._laid(output.path, output.tensor) for output in first.values())
        self.tokens = [tokens for tokens in laid if tokens is not None]

    def _may_have_tokens(self) -> bool:
        """Tell quickly of most networks that they have none."""
        pairs = (op for op in self._way if op.type in PRODUCTS)
        if any(all(t.op in self._way for t in op.inputs) for op in pairs) or self._has_no_convolution():
            return True
        return any(o.tensor.shape.rank not in (2, self.source.shape.rank) for o in self._outputs)

    def _has_no_convolution(self) -> bool:
        return not any(op.type in CONVOLUTIONS for op in self._way)

    def _laid(self, path: str, tensor: Tensor) -> Tokens | None:
        """Return a tensor as tokens, None where it can't be laid on cells or is but the image."""
        places, (batch, *space, _) = self._tracing.of(tensor), self.source.shape.as_list()
        if tensor.op not in self._made or not isinstance(places, Field) or not tensor.dtype.is_floating:
            return None
        cells = gathering(places, space, batch)
        return None if cells is None else Tokens(path, tensor, places, cells)

    def called(self, name: str) -> list[Tokens]:
        """Return the tokens of a layer by its path or name, or of a sum by its name in the graph."""
        found = [t for t in self.tokens if t.path == name]
        found = found or [t for t in self.tokens if t.path.rsplit("/", 1)[-1] == name]
        sums = (self._laid(op.name, op.outputs[0]) for op in self._sums() if op.name == name)
        return found or [tokens for tokens in sums if tokens is not None]

    def _sums(self) -> list[Operation]:
        """Return the sums of what is made of the image, as of residuals, in order."""
        sums = (op for op in self._made if op.type in SUMS and all(t.op in self._way for t in op.inputs))
        return sorted(sums, key=self._order.__getitem__)

    @property
    def works_on_tokens(self) -> bool:
        """Whether cells take features from each other, as by attention, or patches are worked on alone."""
        if self._tracing.mixed & self._way:
            return True
        maps = [o.tensor for o in self._outputs if o.tensor.shape.rank == self.source.shape.rank]
        fewer = [t for t in self.tokens if t.cells.grid.cells != t.cells.grid.space]
        return bool(fewer) and (
            self._has_no_convolution() or any(is_patches(t, self.source, self.sink) for t in maps)
        )

    def mixed_before(self, tokens: Tokens) -> bool:
        """Tell whether features of other places have entered tokens."""
        before = reach([tokens.tensor.op], lambda op: [t.op for t in op.inputs])
        return bool(self._tracing.mixed & before)

    def gate(self, before: Tokens | None = None) -> Tokens | None:
        """Return the last tokens through which everything flows, and all of which the output depends on.

        Of layers, or a sum that no layer makes, as of a residual.
        """
        until = len(self.tokens) if before is None else self.tokens.index(before) + 1
        found = next((tokens for tokens in reversed(self.tokens[:until]) if self._is_gate(tokens)), None)
        first = -1 if found is None else self._order[found.tensor.op]
        last = len(self._order) if before is None else self._order[before.tensor.op]
        for op in reversed(self._sums()):
            if first < self._order[op] < last:
                tokens = self._laid(op.name, op.outputs[0])
                if tokens is not None and self._is_gate(tokens):
                    return tokens
        return found

    def _is_gate(self, tokens: Tokens) -> bool:
        stop, way = tokens.tensor.op, self._way
        above = reach([self.sink.op], lambda op: [t.op for t in op.inputs if op is not stop and t.op in way])
        return self.source.op not in above and self._is_read(tokens)

    def _is_read(self, tokens: Tokens) -> bool:
        """Tell whether the output depends on the first of the tokens and on the last."""
        return all(reaches(tokens.tensor, end, self.sink) for end in ends_of(tokens.places))

    def past(self, gate: Tokens, tokens: Tokens) -> int:
        """Return how many of a gate's first and last cell reach the output other than through tokens."""
        ends = ends_of(gate.places)
        return sum(reaches(gate.tensor, end, self.sink, without=tokens.tensor) for end in ends)

    def last_read(self, gate: Tokens) -> Tokens:
        """Return the last tokens behind a gate through which its cells flow.

        A class token takes a way of its own to the output, so what it reads is no gate for everything. Mere
        projections, as to keys and values, count as what they are made of.
        """
        last = gate
        for tokens in self.tokens:
            if self._order[tokens.tensor.op] <= self._order[gate.tensor.op]:
                continue
            made = between(last.tensor, tokens.tensor) - {last.tensor.op}
            if not made or all(_is_projection(op, made) for op in made):
                continue
            if self.past(gate, tokens) < 2 and self._is_read(tokens):
                last = tokens
        return last


def tokens_to_open(outputs: Sequence[LayerOutput], source: Tensor, sink: Tensor) -> InnerMap | None:
    """Return the last tokens before they are pooled, or read out by a class token.

    None where the network has no tokens that carry everything, so that its last map is to be opened.
    """
    network = TokenNetwork(outputs, source, sink)
    if not network.works_on_tokens:
        return None
    gate = network.gate()
    if gate is None:
        return None
    last = network.last_read(gate)
    alone = network.past(gate, last) if last is not gate else 0
    return _opened(last, FLOWS if last is gate else READ, _mixing(network, last, alone))


def named_tokens(outputs: Sequence[LayerOutput], layer: str, source: Tensor, sink: Tensor) -> InnerMap | None:
    """Return the tokens of a named layer; None where it has none, or a map that is no work of attention."""
    network = TokenNetwork(outputs, source, sink)
    found = network.called(layer)
    if len(found) != 1:
        return None
    (tokens,) = found
    is_map = tuple(tokens.tensor.shape[1:-1]) == tokens.cells.grid.cells
    if is_map and not network.mixed_before(tokens):
        return None
    gate = network.gate(before=tokens) if tokens in network.tokens else tokens
    caveats = _mixing(network, tokens, 0)
    if gate is None or (gate is not tokens and network.past(gate, tokens) == 2):
        caveats = (*caveats, Reason.PARTIAL_WAY.caveat(layer=tokens.path, others="the same tokens beside it"))
    return _opened(tokens, "named by the caller", caveats)


def _is_projection(op: Operation, made: set[Operation]) -> bool:
    """Tell whether an operation's values are linear in those that it is made of."""
    return op.type in SAME_VALUES or (op.type in SCALED and len([t for t in op.inputs if t.op in made]) < 2)


def _opened(tokens: Tokens, why: str, caveats: tuple[Caveat, ...]) -> InnerMap:
    return InnerMap((tokens.tensor,), tokens.path, why, tokens.cells.grid, tokens.cells, caveats)


def _mixing(network: TokenNetwork, tokens: Tokens, alone: int) -> tuple[Caveat, ...]:
    """Say what attention before tokens does to where they lie, and which tokens go past them."""
    if not network.mixed_before(tokens):
        return ()
    path, extra = tokens.path, tokens.cells.extra + alone
    if extra:
        return (Reason.ATTENTION_MIXES.caveat(layer=path, extra=extra),)
    return (Reason.ATTENTION_MIXES.caveat(layer=path),)

"""Bodies of called functions in the place of the calls, so that their operations can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from xaimri.adapters.keras.tensors import Compiled, Graph, Operation, Tensor

CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
"""Operations that call a function."""

Node: TypeAlias = Any
"""A node of a graph's protocol buffer."""


def body(op: Operation) -> Graph | None:
    """Return the graph of the function that an operation calls; None where TensorFlow does not show it."""
    look_up = getattr(op.graph, "_get_function", None)
    function = look_up(op.get_attr("f").name) if look_up and op.type in CALLS else None
    graph = getattr(function, "graph", None)
    fits = graph is not None and len(graph.inputs) == len(op.inputs) and len(graph.outputs) == len(op.outputs)
    return graph if fits else None


def opened(tensor: Tensor) -> Tensor | None:
    """Return what a call gives, made anew by the operations of its body; None where it is closed.

    The variables are those that the call reads, so that the value and its gradient are the same.
    """
    graph = body(tensor.op)
    if graph is None:
        return None
    return _imported(graph, list(tensor.op.inputs), [graph.outputs[tensor.value_index]])[0]


def inlined(function: Compiled, *given: Tensor) -> list[Tensor]:
    """Return a traced function's outputs of tensors, by its operations in the graph that is being traced."""
    graph = tf.compat.v1.get_default_graph()
    feeds = [*given, *(graph.capture(t) for t in function.captured_inputs)]
    return _imported(function.graph, feeds, list(function.graph.outputs))


def _imported(graph: Graph, feeds: Sequence[Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
    """Copy a body, and those of the functions that it calls, behind the tensors that stand for its inputs."""
    flat = _Flat()
    flat.add(graph, "", [None] * len(feeds))
    inputs = {_plain(t.name): feed for t, feed in zip(graph.inputs, feeds, strict=True)}
    names = [flat.resolved(_plain(t.name)) for t in wanted]
    definition = flat.definition(set(inputs))
    if any(attr.HasField("func") or attr.list.func for n in definition.node for attr in n.attr.values()):
        definition.library.CopyFrom(graph.as_graph_def().library)
    used = {name for node in definition.node for name in node.input}
    made = tf.graph_util.import_graph_def(
        definition,
        input_map={name: feed for name, feed in inputs.items() if name in used},
        return_elements=[_port(name) for name in names if name not in inputs],
        name="opened",
    )
    found = iter(made)
    return [inputs[name] if name in inputs else next(found) for name in names]


class _Flat:
    """Nodes of a body and of all that it calls, each under a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.stands_for: dict[str, str] = {}
        self.calls: set[str] = set()

    def add(self, graph: Graph, prefix: str, given: Sequence[str | None]) -> None:
        """Add the nodes of a body whose inputs are these; None where they stay open."""
        for tensor, name in zip(graph.inputs, given, strict=True):
            if name is not None:
                self.stands_for[prefix + _plain(tensor.name)] = name
        own = {tensor.op.name for tensor in graph.inputs}
        for op in graph.get_operations():
            if op.name in own:
                continue
            inner = body(op)
            name = prefix + op.name
            if inner is None:
                node = tf.compat.v1.NodeDef()
                node.CopyFrom(op.node_def)
                node.name = name
                node.attr.pop("_class", None)
                node.input[:] = [_prefixed(i, prefix) for i in node.input]
                self.nodes.append(node)
                continue
            self.calls.add(name)
            self.add(inner, f"{name}/", [prefix + _plain(t.name) for t in op.inputs])
            for i, output in enumerate(inner.outputs):
                self.stands_for[name if i == 0 else f"{name}:{i}"] = f"{name}/{_plain(output.name)}"

    def resolved(self, name: str) -> str:
        """Return the name of the tensor that stands behind a name."""
        while name in self.stands_for:
            name = self.stands_for[name]
        return name

    def definition(self, inputs: set[str]) -> Any:
        """Return the nodes as one graph, without what waits for a call or an input as a whole."""
        definition = tf.compat.v1.GraphDef()
        here = {node.name for node in self.nodes}
        for node in self.nodes:
            before = [i for i in node.input if i[0] == "^" and i[1:] in here]
            node.input[:] = [*(self.resolved(i) for i in node.input if i[0] != "^"), *before]
            definition.node.append(node)
        return definition


def _plain(name: str) -> str:
    """Return a tensor's name as nodes write it: without the number of a first output."""
    return name.removesuffix(":0")


def _port(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _prefixed(name: str, prefix: str) -> str:
    return f"^{prefix}{name[1:]}" if name[0] == "^" else prefix + _plain(name)

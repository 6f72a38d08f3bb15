"""Shapes and small values that a traced graph does not state, worked out from the shapes that it does."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.arrays import Array

ELEMENTWISE = {"AddV2", "Cast", "Identity", "Mul", "Sub"}
"""Operations on whole maps whose output is as large as their inputs together."""

LONGEST = 16
"""Most entries of a value that is worked out: shapes are short."""


class Sizes:
    """What is worked out of one graph, and of the functions that it calls."""

    def __init__(self) -> None:
        self._values: dict[Any, Array | None] = {}
        self._shapes: dict[Any, list[int | None]] = {}

    def carry(self, tensor: Tensor, inner: Tensor, inside: Sizes) -> None:
        """Tell another what is known of a tensor, which it knows by an inner name."""
        if tensor.shape.rank is None:
            return
        inside._shapes[inner.ref()] = self.shape(tensor)
        if tensor.shape.rank in (0, 1):
            inside._values[inner.ref()] = self.value(tensor)

    def shape(self, tensor: Tensor) -> list[int | None]:
        """Return a tensor's shape as far as it is known; its rank must be."""
        stated: list[int | None] = tensor.shape.as_list()
        if None not in stated:
            return stated
        if tensor.ref() not in self._shapes:
            self._shapes[tensor.ref()] = stated  # in the place of what is being worked out
            self._shapes[tensor.ref()] = self._worked_out(tensor.op, stated)
        return self._shapes[tensor.ref()]

    def value(self, tensor: Tensor) -> Array | None:
        """Return the value of a small tensor that depends on shapes and constants alone, else None."""
        if tensor.ref() not in self._values:
            self._values[tensor.ref()] = None
            stated = tf.get_static_value(tensor)
            self._values[tensor.ref()] = self._evaluated(tensor) if stated is None else np.asarray(stated)
        return self._values[tensor.ref()]

    def _worked_out(self, op: Operation, stated: list[int | None]) -> list[int | None]:
        known: Sequence[list[int | None]] = []
        if op.type == "Fill":
            dims = self.value(op.inputs[0])
            known = [] if dims is None else [[int(n) for n in dims]]
        elif op.type in ELEMENTWISE:
            known = [self.shape(t) for t in op.inputs if t.shape.rank == len(stated)]
        elif op.type == "ConcatV2" and (axis := self.value(op.inputs[-1])) is not None:
            parts = [self.shape(t) for t in op.inputs[:-1]]
            known = [_joined(parts, int(axis) % len(stated))]
        each = list(zip(*known, strict=True)) or [()] * len(stated)
        return [
            max(n for n in sizes if n is not None) if own is None and sizes and None not in sizes else own
            for own, sizes in zip(stated, each, strict=True)
        ]

    def _evaluated(self, tensor: Tensor) -> Array | None:
        """Run an operation on the values of its inputs."""
        op = tensor.op
        if op.type == "Shape":
            sizes = self.shape(op.inputs[0]) if op.inputs[0].shape.rank is not None else [None]
            return None if None in sizes else np.asarray(sizes, tensor.dtype.as_numpy_dtype)
        short = all(
            t.shape.rank in (0, 1) and (t.shape.num_elements() or LONGEST) <= LONGEST for t in op.inputs
        )
        if op.op_def.is_stateful or not op.inputs or not short or tensor.dtype in (tf.resource, tf.variant):
            return None
        inputs = [self.value(t) for t in op.inputs]
        if any(value is None for value in inputs):
            return None
        made: Array | None = outputs_of(op, inputs)[tensor.value_index]
        return made


def _joined(parts: Sequence[list[int | None]], axis: int) -> list[int | None]:
    along = [part[axis] for part in parts]
    made = list(parts[0])
    made[axis] = None if None in along else sum(n for n in along if n is not None)
    return made


def outputs_of(op: Operation, inputs: Sequence[Any]) -> Sequence[Any]:
    """Run an operation of a graph by itself, and return its outputs; None of what can't be run."""
    try:
        function = getattr(tf.raw_ops, op.type)
        taken = inspect.signature(function).parameters
        given: dict[str, Any] = {a.name: op.get_attr(a.name) for a in op.op_def.attr if a.name in taken}
        left = list(inputs)
        for argument in op.op_def.input_arg:
            several = op.get_attr(argument.number_attr) if argument.number_attr else None
            given[argument.name] = left.pop(0) if several is None else [left.pop(0) for _ in range(several)]
        with tf.init_scope():
            made = function(**given)
    except Exception:  # such as one without a function of its own
        return [None] * len(op.outputs)
    return [np.asarray(tensor.numpy()) for tensor in tf.nest.flatten(made)]

"""Values that a graph works out from constants alone, such as indices counted from the end."""

from __future__ import annotations

from typing import Any

from xaimri.adapters.keras.geometry.sizes import outputs_of
from xaimri.adapters.keras.graph import static
from xaimri.adapters.keras.tensors import Tensor

OPAQUE = {"Placeholder", "ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall", "While", "If"}
"""Operations whose values are told by more than what enters them."""

MOST = 100_000
"""Values that are worked out at most."""


def constant(tensor: Tensor) -> Any:
    """Return the value of a tensor that depends on constants alone, None of any other."""
    found = static(tensor)
    if found is not None:
        return found
    op = tensor.op
    if op.type in OPAQUE or not op.inputs or op.op_def.is_stateful or None in tensor.shape:
        return None
    if tensor.shape.num_elements() > MOST:
        return None
    inputs = [constant(t) for t in op.inputs]
    if any(value is None for value in inputs):
        return None
    return outputs_of(op, inputs)[tensor.value_index]

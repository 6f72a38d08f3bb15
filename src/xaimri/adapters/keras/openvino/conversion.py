"""Networks converted to OpenVINO: one per traced function and set of weights, kept in a small cache."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.adapters.keras.programs import Program
from xaimri.adapters.keras.tensors import Compiled
from xaimri.arrays import Array, Scores

Model: TypeAlias = Any
"""A network as OpenVINO holds it; the package may not be installed."""

CAPACITY = 4
"""Converted networks kept at once; each holds its weights anew, once or twice over."""

HINTS = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
"""Single precision, as some processors would take bfloat16; all cores on one batch."""


@dataclass(eq=False)
class Converted:
    """A network compiled by OpenVINO.

    Attributes
    ----------
    program
        The traced function that was converted; held, so that its identity stays its own.
    run
        Takes the function's arguments by their numbers, and returns its results.
    size
        The only size of batch that it takes; None where it takes any.
    agrees
        Whether it gave the original's logits; None before it was asked.
    """

    program: Program
    run: Any
    size: int | None
    agrees: bool | None = None
    lock: RLock = field(default_factory=RLock)

    def outputs(self, *given: Array) -> tuple[Scores, Float[Array, "images columns"]]:
        """Return the logits of one batch, ``(batch, classes)``, and what the network puts out."""
        with self.lock:  # one request, so that memory does not grow with threads
            found = self.run(dict(enumerate(given)))
            logits, stated = np.array(found[0]), np.array(found[1])
        return logits, stated


_converted: OrderedDict[tuple[int, bytes], Converted | tuple[Program, Exception]] = OrderedDict()
_lock, _converting = RLock(), RLock()


def convert(program: Program) -> Converted:
    """Return the traced function on OpenVINO, with its weights as they are now.

    Raises
    ------
    Exception
        Whatever OpenVINO raised when it was first asked to convert this one.
    """
    key = (id(program), _digest(program.run))
    with _converting:
        with _lock:
            found = _converted.get(key)
        if found is None:
            try:
                found = Converted(program, *_compile(program.run))
            except Exception as failure:
                found = program, failure.with_traceback(None)
        with _lock:
            _converted[key] = found
            _converted.move_to_end(key)
            while len(_converted) > CAPACITY:
                _converted.popitem(last=False)
    if isinstance(found, Converted):
        return found
    raise found[1]


def is_any_held() -> bool:
    """Tell whether any network is converted."""
    with _lock:
        return any(isinstance(found, Converted) for found in _converted.values())


def held(program: Program) -> Converted | None:
    """Return what the traced function was converted to, if it was, with its weights as they are now.

    One that takes batches of any size stands for all functions that differ in that alone.
    """
    with _lock:
        near = [
            (digest, found)
            for (_, digest), found in _converted.items()
            if isinstance(found, Converted)
            and (found.program is program or (found.size is None and found.program.family == program.family))
        ]
    if not near:
        return None  # without the digest of the weights, which takes a while
    now = _digest(program.run)
    return next((found for digest, found in near if digest == now), None)


def forget() -> None:
    """Forget every converted network."""
    with _lock:
        _converted.clear()


def _compile(run: Compiled) -> tuple[Any, int | None]:
    """Convert a traced function, and compile it for the processor; say what size of batch it takes.

    `openvino.convert_model` would do the same, and report to the makers of OpenVINO that it did.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.tensorflow.utils import create_tf_graph_iterator

    reader = FrontEndManager().load_by_framework("tf")
    graph = create_tf_graph_iterator(run, None, None, None, share_weights=True)  # must outlive the conversion
    network = reader.convert(reader.load(graph))
    size = int(run.inputs[0].shape[0])
    free = _of_any_batch(network)
    return openvino.Core().compile_model(free or network, "CPU", HINTS), None if free else size


def _of_any_batch(network: Model) -> Model | None:
    """Return a network that takes batches of any size, or None where its own size is written into it."""
    free = network.clone()
    shapes = {i: free.inputs[i].partial_shape for i in (0, 1)}  # the images and what is asked of each
    try:
        free.reshape({i: [-1, *list(shape)[1:]] for i, shape in shapes.items()})
    except RuntimeError:
        return None
    return free if free.outputs[0].partial_shape[0].is_dynamic else None


def _digest(run: Compiled) -> bytes:
    """Return a digest of the weights: a converted network has copies, which would not see a change."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in run.graph.variables:
        digest.update(np.ascontiguousarray(weight.numpy()).reshape(-1).view(np.uint8).data)
    return digest.digest()

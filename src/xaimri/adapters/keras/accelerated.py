"""A Keras network run by OpenVINO: the same logits, faster on a processor, checked against the original."""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from xaimri.adapters.keras.batches import batch_size, padded
from xaimri.adapters.keras.engine import Program, key_of
from xaimri.arrays import Images, Scores
from xaimri.classifier import Engine
from xaimri.errors import MissingExtra, said
from xaimri.perturb.responses import even_batch

if TYPE_CHECKING:
    from xaimri.adapters.keras.classifier import KerasClassifier

CAPACITY = 4
"""Converted networks kept at once; each holds a copy of the weights."""

TOLERANCE = 1e-3
"""Largest difference to the original's logits, as a share of their range over the first batch."""

SAVED = 2.5e-12
"""Seconds saved per multiplication and addition, less than was measured on two cores."""

START, PER_OPERATION = 1.5, 0.003
"""Seconds that a conversion takes: at least, and more for each operation of the traced graph."""


@dataclass
class Converted:
    """A compiled network and whether it has been checked."""

    run: Any
    size: int
    held: Any
    agrees: bool | None = None
    lock: Lock = field(default_factory=Lock)


_converted: OrderedDict[tuple[Any, ...], Converted] = OrderedDict()
_lock = Lock()


class OpenVINOClassifier:
    """Logits of a Keras network by OpenVINO; the original where the two disagree."""

    def __init__(self, original: KerasClassifier, converted: Converted) -> None:
        self._original, self._converted = original, converted

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the logits."""
        return self._original.classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``."""
        return self._original.input_shape

    @property
    def engine(self) -> str:
        """``"openvino"``, or ``"tensorflow"`` where the check failed."""
        return "tensorflow" if self._converted.agrees is False else "openvino"

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``; one forward pass."""
        with self._converted.lock:
            if self._converted.agrees is None:
                self._check(images[: self._converted.size])
            return self._forward(images) if self._converted.agrees else self._original.logits(images)

    def _forward(self, images: Images) -> Scores:
        batch, size = self._original.prepared(images), self._converted.size
        parts = []
        for first in range(0, len(batch), size):
            part = batch[first : first + size]
            others = [np.asarray(other) for other in self._original.others]
            given = [padded(part, size), np.full(size, -1, np.int32), *others]
            parts.append(np.array(self._converted.run(dict(enumerate(given)))[0])[: len(part)])
        return np.concatenate(parts)

    def _check(self, images: Images) -> None:
        """Compare with the original on the first batch; warn, and stay with it, where they disagree."""
        expected = self._original.logits(images)
        try:
            gap = float(np.abs(self._forward(images) - expected).max())
        except Exception as failure:
            warnings.warn(f"OpenVINO can't run this network ({said(failure)}): {INSTEAD}", stacklevel=2)
            self._converted.agrees = False
            return
        spread = max(float(np.ptp(expected)), 1e-3)
        self._converted.agrees = bool(gap <= TOLERANCE * spread)
        if not self._converted.agrees:
            warnings.warn(
                f"OpenVINO's logits differ from the network's by {gap:.2g}, of a range of {spread:.2g}: "
                f"{INSTEAD}",
                stacklevel=2,
            )


INSTEAD = 'the network itself is used instead; pass engine="tensorflow" to silence this.'


def accelerated(
    original: KerasClassifier, engine: Engine, images: int, shape: tuple[int, ...]
) -> KerasClassifier | OpenVINOClassifier:
    """Return the classifier on the engine asked for; ``"auto"`` decides by the work, never by a clock."""
    if engine == "tensorflow" or (engine == "auto" and find_spec("openvino") is None):
        return original
    if engine == "auto" and not _may_pay_off(original.model, images, shape):
        return original  # nothing is traced only to find that out
    size = batch_size(even_batch(images), "logits")
    traced, owner = original.traced(size, shape)
    if engine == "auto" and not pays_off(cast(Any, traced.run).graph, images, size):
        return original
    try:
        return OpenVINOClassifier(original, _compiled(original, traced, owner, size))
    except MissingExtra:
        raise
    except Exception as failure:
        if engine == "openvino":
            warnings.warn(f"OpenVINO can't convert this network ({said(failure)}): {INSTEAD}", stacklevel=2)
        return original


def pays_off(graph: Any, images: int, size: int) -> bool:
    """Tell whether what so many images save is more than the conversion costs."""
    saved = SAVED * operations(graph) / size * images
    return saved > START + PER_OPERATION * len(graph.get_operations())


def _may_pay_off(model: Any, images: int, shape: tuple[int, ...]) -> bool:
    """Tell whether it could pay off if every weight met every pixel."""
    most = 2.0 * sum(float(np.prod(w.shape)) for w in model.weights) * float(np.prod(shape[:-1])) * images
    return not model.weights or most * SAVED > START


def operations(graph: Any) -> float:
    """Return the multiplications and additions of convolutions and matrix products in a traced graph."""
    total = 0.0
    for op in graph.get_operations():
        if op.type in ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul"):
            kernel = op.inputs[1].shape.as_list()
            made = op.outputs[0].shape.as_list()
            if None in kernel or None in made:
                continue
            own = np.prod(kernel[:2]) if op.type.startswith("Depthwise") else np.prod(kernel) / made[-1]
            total += 2.0 * float(np.prod(made)) * float(own)
    return total


def _compiled(original: KerasClassifier, traced: Program, owner: tuple[Any, ...], size: int) -> Converted:
    """Convert and compile a traced function, or return what was compiled from the same weights."""
    if find_spec("openvino") is None:
        raise MissingExtra("openvino", "openvino", 'engine="openvino"')
    key, parts = key_of(owner, original.model)
    key = (*key, _digest(original.model))
    with _lock:
        if key in _converted:
            _converted.move_to_end(key)
            return _converted[key]
        import openvino

        converted = openvino.convert_model(traced.run)
        hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        run = openvino.Core().compile_model(converted, "CPU", hints)
        _converted[key] = Converted(run, size, (original.model, parts))
        while len(_converted) > CAPACITY:
            _converted.popitem(last=False)
        return _converted[key]


def _digest(model: Any) -> bytes:
    """Return a digest of the weights: a converted network has copies, which would not see a change."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in model.variables:
        digest.update(np.ascontiguousarray(weight.numpy()).view(np.uint8).data)
    return digest.digest()


def forget() -> None:
    """Forget every converted network."""
    with _lock:
        _converted.clear()

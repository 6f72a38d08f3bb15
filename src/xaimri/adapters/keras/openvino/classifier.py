"""A Keras network run by OpenVINO: the same logits, faster on a processor, checked against the original."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float

from xaimri.adapters.keras.batches import BATCH, batch_size, pad
from xaimri.adapters.keras.engine import Engine
from xaimri.adapters.keras.openvino.conversion import Converted, convert, held, is_any_held
from xaimri.adapters.keras.openvino.worth import is_suited, may_pay_off, pays_off
from xaimri.adapters.keras.programs import Program
from xaimri.adapters.keras.tensors import Network, Tensor
from xaimri.arrays import Array, Images, Scores
from xaimri.capacity import capacity, even_batch
from xaimri.errors import MissingExtra, first_line
from xaimri.forked import check_process
from xaimri.perturb.workload import times

TOLERANCE = 1e-3
"""Largest difference to the original's logits, as a share of their range over the first batch."""

WORTH = 1.25
"""How many times as many images OpenVINO may run as TensorFlow would, to fill its batches."""

INSTEAD = 'the network itself is used instead; pass engine="tensorflow" to silence this.'


@runtime_checkable
class Original(Protocol):
    """The classifier that OpenVINO stands in for: a network, and how it is traced."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the logits."""
        ...

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``."""
        ...

    @property
    def model(self) -> Network:
        """The network itself."""
        ...

    @property
    def others(self) -> list[Tensor]:
        """The inputs beside the image."""
        ...

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``."""
        ...

    def prepare(self, images: Images) -> Float[Array, "batch *space features"]:
        """Return images as the compiled function takes them."""
        ...

    def trace(self, size: int, shape: tuple[int, ...]) -> Program:
        """Return the compiled function of the logits of so many images of ``(*space, channels)``."""
        ...

    @property
    def findings(self) -> dict[str, str]:
        """What was decided about the outputs."""
        ...

    def checked(self, logits: Scores, stated: Float[Array, "images columns"], traced: Program) -> Scores:
        """Return the logits of a batch whose outputs are what they were taken for, or say what is wrong."""
        ...


OriginalT = TypeVar("OriginalT", bound=Original)


class OpenVINOClassifier:
    """Logits of a Keras network by OpenVINO; the original where the two disagree on the first batch."""

    def __init__(self, original: Original, compiled: Converted) -> None:
        self._original, self._converted = original, compiled

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

    @property
    def findings(self) -> dict[str, str]:
        """What was decided about the outputs."""
        return self._original.findings

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``; one forward pass, at first two."""
        check_process()
        with self._converted.lock:
            if self._converted.agrees is None:
                self._converted.agrees = self._checked(images[:BATCH])
        if not self._converted.agrees or self._wasteful(len(images), images.shape[1:]):
            return self._original.logits(images)
        return self._original.checked(*self._forward(images), self._converted.program)

    def _wasteful(self, count: int, shape: tuple[int, ...]) -> bool:
        """Tell whether filling batches of the only size costs more than OpenVINO saves."""
        size, own = self._converted.size, batch_size(count, "logits", shape)
        return size is not None and -(-count // size) * size > WORTH * (-(-count // own) * own)

    def _forward(self, images: Images) -> tuple[Scores, Float[Array, "images columns"]]:
        """Return the logits, and what the network itself puts out."""
        batch = self._original.prepare(images)
        others = [np.asarray(other) for other in self._original.others]
        size, parts = self._converted.size or capacity(batch.shape[1:], BATCH), []
        for first in range(0, len(batch), size):
            part = batch[first : first + size]
            given = pad(part, size) if self._converted.size else part
            found = self._converted.outputs(given, np.full((len(given), 2), -1, np.int32), *others)
            parts.append(tuple(each[: len(part)] for each in found))
        logits, stated = (np.concatenate(each) for each in zip(*parts, strict=True))
        return logits, stated

    def _checked(self, images: Images) -> bool | None:
        """Compare with the original; warn where they disagree; None where these images tell nothing."""
        expected = self._original.logits(images)
        if not np.isfinite(expected).all():
            return None
        try:
            gap = float(np.abs(self._forward(images)[0] - expected).max())
        except Exception as failure:
            warnings.warn(f"OpenVINO can't run this network ({first_line(failure)}): {INSTEAD}", stacklevel=2)
            return False
        spread = max(float(np.ptp(expected)), TOLERANCE)
        if gap <= TOLERANCE * spread:
            return True
        warnings.warn(
            f"OpenVINO's logits differ from the network's by {gap:.2g} over a range of {spread:.2g}: "
            f"{INSTEAD}",
            stacklevel=2,
        )
        return False


def accelerate(
    original: OriginalT, engine: Engine, images: int, shape: tuple[int, ...]
) -> OriginalT | OpenVINOClassifier:
    """Return the classifier on the engine asked for.

    ``"auto"`` decides by the work of the whole call, never by a clock. A network that is converted already is
    used as it is: that costs nothing any more.
    """
    auto, installed = engine == "auto", find_spec("openvino") is not None
    if engine == "openvino" and not installed:
        raise MissingExtra("openvino", "openvino", 'engine="openvino"')
    if engine == "tensorflow" or not installed or (auto and not is_suited(original.model)):
        return original
    whole = images * times()
    if auto and not is_any_held() and not may_pay_off(original.model, whole, shape):
        return original
    size = batch_size(even_batch(images, capacity(shape)), "logits", shape)
    try:
        traced = original.trace(size, shape)
        ready = held(traced) if auto else None
        if ready is not None:
            return OpenVINOClassifier(original, ready)
        if auto and not pays_off(traced.run.graph, whole, size):
            return original
        return OpenVINOClassifier(original, convert(traced))
    except Exception as failure:
        if not auto:
            warnings.warn(
                f"OpenVINO can't convert this network ({first_line(failure)}): {INSTEAD}", stacklevel=2
            )
        return original

"""SavedModel folders as classifiers, which only answer: what they say is read from their graph."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float

from xaimri.adapters.answers import Answers
from xaimri.adapters.keras.batches import pad
from xaimri.adapters.keras.inline import inlined
from xaimri.adapters.keras.order import order_of
from xaimri.adapters.keras.output import output_of
from xaimri.adapters.keras.programs import TENSORFLOW, Program
from xaimri.adapters.keras.tensors import Compiled, Spec, Tensor
from xaimri.adapters.options import Preprocess
from xaimri.arrays import Array, Images, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import Outputs
from xaimri.errors import InvalidInput, first_line
from xaimri.forked import check_process
from xaimri.user_function import called

ROUNDED = 0.1
"""Largest change by rounding to whole numbers, as a share of the images' own size."""


class SavedModel:
    """A TensorFlow SavedModel: it scores images and shows nothing of its inside.

    Perturbation methods work on it. For gradients and class activation maps give the Keras network, or
    its ``.keras`` or ``.h5`` file.

    Parameters
    ----------
    path
        The folder, as ``model.export`` writes it; its serving signature must take one batch of images. One
        that takes whole numbers is given images rounded to them.
    classes, preprocess
        As of :class:`~xaimri.FunctionClassifier`.
    outputs, unit
        As of :class:`~xaimri.KerasClassifier`: the graph decides.
    output
        Which of several outputs to explain, by name; None takes the only one that is a distribution over
        classes.

    Raises
    ------
    InvalidInput
        If the folder can't be read, or its signature takes more than the images, or none.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        classes: Sequence[str] | None = None,
        preprocess: Preprocess | None = None,
        outputs: Outputs = "auto",
        unit: int | None = None,
        output: str | None = None,
    ) -> None:
        check_process()
        self._answers, self._preprocess = Answers("network", outputs, unit), preprocess
        self._loaded, signature = _serving(Path(path))
        names = sorted(signature.structured_outputs)
        if output is not None and output not in names:
            raise InvalidInput(
                f"the outputs of the SavedModel `{path}` are {', '.join(map(repr, names))}: pick the one to "
                f"explain by `output=`, such as output={names[0]!r}."
            )
        self._slot = _images_of(path, signature)
        own, ((name, _),) = self._own, signature.structured_input_signature[1].items()
        self._order = order_of(self._loaded, own, lambda x: signature(**{name: tf.cast(x, self._slot.dtype)}))
        self._program = _traced(signature, self._slot, self._answers, output)
        self._size = self._program.run.outputs[1].shape[0] or self._slot.shape[:1].as_list()[0]
        self._classes = self._answers.first_names(self._program.run.outputs[1].shape[1], classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self._classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; empty where any shape does."""
        return self._own if self._order is None else self._order.shape(self._own)

    @property
    def channels_first(self) -> bool:
        """Whether the network itself takes the channels first."""
        return self._order is not None and self._order.channels == 0

    @property
    def _own(self) -> tuple[int | None, ...]:
        """Shape of an image as the signature takes it."""
        return tuple(self._slot.shape[1:]) if self._slot.shape.rank else ()

    @property
    def findings(self) -> dict[str, str]:
        """What was decided about the outputs, and which output was picked from several."""
        picked = {} if self._program.output is None else {"output": self._program.output}
        return {"outputs": self._answers.meaning(self._program.activation), **picked}

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``; a batch of fixed size is filled up."""
        given = np.array(images, dtype=np.float32)
        if self._preprocess is not None:
            given = np.asarray(called("`preprocess`", self._preprocess, given))
        if self._slot.dtype.is_integer or self._slot.dtype.is_bool:
            given = whole_numbers(given, self._slot.dtype)
        logits, stated = self._run(given)
        logits = logits / np.float32(self._answers.temperature)  # the graph has none
        self._answers.check_finite(stated)
        self._answers.check(logits, stated, self._program.activation)
        self._classes = self._answers.names(self._classes, logits.shape[1])
        return logits

    def tempered(self, temperature: float, /) -> SavedModel:
        """Return the same classifier with all logits divided by a number."""
        other = copy.copy(self)
        other._answers = self._answers.tempered(temperature)
        return other

    def doubts(self, images: Images, probabilities: Scores, /) -> tuple[tuple[Caveat, ...], ...]:
        """Say which probabilities are too near 0 and 1 to be explained."""
        return self._answers.doubts(probabilities, self._program.activation)

    def _run(self, given: Array) -> tuple[Scores, Float[Array, "images columns"]]:
        """Run all images; one at a time where the network can't take so many."""
        try:
            return self._batches(given, self._size or len(given))
        except tf.errors.InvalidArgumentError as failure:
            if self._size is not None or len(given) == 1:
                raise InvalidInput(
                    f"the SavedModel fails on {len(given)} images of shape {given.shape[1:]} "
                    f"({first_line(failure)}): give images of the size that it was exported for, or export "
                    "it for batches of any size."
                ) from failure
        self._size = 1
        return self._run(given)

    def _batches(self, given: Array, size: int) -> tuple[Scores, Float[Array, "images columns"]]:
        """Run batches of a size, the last one filled up."""
        parts = []
        for first in range(0, len(given), size):
            part = given[first : first + size]
            batch = tf.cast(tf.constant(pad(part, size)), self._slot.dtype)
            found = self._program.run(batch if self._order is None else self._order.enter(batch))
            if any(len(each) != size for each in found):
                raise InvalidInput(
                    f"the SavedModel gives {len(found[1])} rows for {size} images, not one per image: export "
                    "it for batches of any size."
                )
            parts.append([each.numpy()[: len(part)] for each in found])
        logits, stated = (np.concatenate(each) for each in zip(*parts, strict=True))
        return logits, stated


def whole_numbers(images: Array, kind: tf.DType) -> Array:
    """Return images rounded to whole numbers, or say that too much of them is lost in that."""
    lowest, highest = (0, 1) if kind.is_bool else (kind.min, kind.max)
    rounded = np.rint(images)
    lost = float(np.sqrt(np.mean((rounded - images) ** 2)))
    size = float(np.sqrt(np.mean(images**2)))
    if images.min() < lowest - 0.5 or images.max() > highest + 0.5 or lost > ROUNDED * size:
        raise InvalidInput(
            f"the SavedModel takes whole numbers in {lowest}..{highest}, and the images have values in "
            f"{images.min():.3g}..{images.max():.3g}: give them as they are stored, or scale them by "
            "`preprocess=`."
        )
    return np.clip(rounded, lowest, highest)


def _images_of(path: str | PathLike[str], signature: Compiled) -> Spec:
    """Return the signature's only input, which must be numbers."""
    inputs = signature.structured_input_signature[1]
    if len(inputs) != 1:
        raise InvalidInput(
            f"the SavedModel `{path}` takes {len(inputs)} inputs ({', '.join(map(repr, inputs))}): fix "
            "the others in a function of the images, and pass that."
        )
    ((name, spec),) = inputs.items()
    if not (spec.dtype.is_floating or spec.dtype.is_integer or spec.dtype.is_bool):
        raise InvalidInput(
            f"the SavedModel `{path}` takes {name!r} as {spec.dtype.name}, such as the bytes of encoded "
            "files, and not pixels: export it with a signature of pixels, or pass a function that encodes "
            "images and calls it."
        )
    return spec


def _traced(signature: Compiled, slot: Spec, answers: Answers, output: str | None) -> Program:
    """Trace the logits and the outputs of the signature."""
    found: dict[str, Any] = {}

    def body(images: Tensor) -> tuple[Tensor, Tensor]:
        said = output_of(dict(sorted(_answer(signature, images).items())), (), output, images)
        logits = answers.logits(tf.cast(said.scores, tf.float32), said.activation, TENSORFLOW)
        found.update(activation=said.activation, output=said.name)
        return logits, tf.cast(said.stated, tf.float32)

    run = tf.function(body, autograph=False, input_signature=[slot]).get_concrete_function()
    return Program(run, **found)


def _answer(signature: Compiled, images: Tensor) -> dict[str, Tensor]:
    """Return what the signature gives, by the operations of its body where they can be had."""
    try:
        found = inlined(signature, images)
    except ValueError:
        ((name, _),) = signature.structured_input_signature[1].items()
        answer: dict[str, Tensor] = signature(**{name: images})
        return answer
    for tensor, spec in zip(found, tf.nest.flatten(signature.structured_outputs), strict=True):
        tensor.set_shape(spec.shape)
    return dict(tf.nest.pack_sequence_as(signature.structured_outputs, found))


def _serving(source: Path) -> tuple[Any, Compiled]:
    """Load a SavedModel and return it with its serving signature."""
    try:
        loaded = tf.saved_model.load(str(source))
    except Exception as failure:
        raise InvalidInput(
            f"the SavedModel `{source}` can't be read ({first_line(failure)}): export the network again."
        ) from failure
    if "serving_default" in loaded.signatures:
        return loaded, loaded.signatures["serving_default"]
    if len(loaded.signatures) == 1:
        return loaded, next(iter(loaded.signatures.values()))
    raise InvalidInput(
        f"the SavedModel `{source}` has no serving signature: export the network with `model.export`."
    )

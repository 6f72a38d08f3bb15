"""Saved networks: files that Keras reads back whole, and SavedModel folders, which only answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from xaimri.adapters.function import FunctionClassifier
from xaimri.adapters.keras.classifier import KerasClassifier
from xaimri.adapters.keras.file import load_model
from xaimri.adapters.keras.hub import load_task
from xaimri.adapters.keras.order import order_of
from xaimri.adapters.options import Preprocess
from xaimri.arrays import Images
from xaimri.classifier import Outputs
from xaimri.errors import InvalidInput, first_line


def open_network(path: str | PathLike[str], **options: Any) -> KerasClassifier:
    """Read a saved network, and make a classifier of it with the options of one."""
    return KerasClassifier(load_model(path), **options)


def open_task(path: str | PathLike[str], **options: Any) -> KerasClassifier:
    """Read a task of KerasHub from its preset, and make a classifier of it with the options of one."""
    return KerasClassifier(load_task(path), **options)


class SavedModel(FunctionClassifier):
    """A TensorFlow SavedModel: it scores images and shows nothing of its inside.

    Perturbation methods work on it. For gradients and class activation maps give the Keras network, or
    its ``.keras`` or ``.h5`` file.

    Parameters
    ----------
    path
        The folder, as ``model.export`` writes it; its serving signature must take one batch of images.
    classes, preprocess, outputs
        As of :class:`~xaimri.FunctionClassifier`.
    output
        Which of several outputs to explain, by name.

    Raises
    ------
    InvalidInput
        If the folder can't be read, or its signature takes more than the images.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        classes: Sequence[str] | None = None,
        preprocess: Preprocess | None = None,
        outputs: Outputs = "probabilities",
        output: str | None = None,
    ) -> None:
        self._loaded, signature = _serving(Path(path))
        inputs = signature.structured_input_signature[1]
        if len(inputs) != 1:
            raise InvalidInput(
                f"the SavedModel `{path}` takes {len(inputs)} inputs ({', '.join(map(repr, inputs))}): fix "
                "the others in a function of the images, and pass that."
            )
        names = sorted(signature.structured_outputs)
        if output not in names and (output is not None or len(names) > 1):
            raise InvalidInput(
                f"the outputs of the SavedModel `{path}` are {', '.join(map(repr, names))}: pick the one to "
                f"explain by `output=`, such as output={names[0]!r}."
            )
        ((name, spec),) = inputs.items()
        chosen = output or names[0]

        own = tuple(spec.shape[1:]) if spec.shape.rank else ()
        order = order_of(self._loaded, own, lambda x: signature(**{name: tf.cast(x, spec.dtype)}))
        self.channels_first = order is not None and order.channels == 0

        def score(images: Images) -> Any:
            given = tf.cast(tf.constant(images), spec.dtype)
            given = given if order is None else order.enter(given)
            answer: Mapping[str, Any] = signature(**{name: given})
            return np.asarray(answer[chosen])

        super().__init__(score, classes, preprocess, outputs, own if order is None else order.shape(own))


def _serving(source: Path) -> tuple[Any, Any]:
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

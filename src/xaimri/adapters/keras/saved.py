"""Saved networks: files that Keras reads back whole, and SavedModel folders, which only answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import keras
from xaimri.adapters.function import FunctionClassifier
from xaimri.arrays import Images
from xaimri.classifier import Outputs
from xaimri.errors import InvalidInput, said

SUFFIXES = (".keras", ".h5", ".hdf5")


def load_model(path: str | Path) -> keras.Model:
    """Read a saved network (``.keras`` or ``.h5``) in Keras' safe mode, without its training state.

    Raises
    ------
    InvalidInput
        If there is no such file, or Keras can't read it without custom code.
    """
    source = Path(path)
    if not source.exists():
        raise InvalidInput(f"no saved network at `{source}`: check the path.")
    if source.is_dir() or source.suffix not in SUFFIXES:
        raise InvalidInput(
            f"`{source}` is not a saved network: give a file that ends in .keras or .h5, or the folder of a "
            "SavedModel."
        )
    try:
        return keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as failure:
        raise InvalidInput(
            f"`{source}` can't be read in Keras' safe mode ({said(failure)}): load it yourself with "
            "keras.models.load_model and its custom objects, and pass the network."
        ) from failure


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
        path: str | Path,
        classes: Sequence[str] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        outputs: Outputs = "probabilities",
        output: str | None = None,
    ) -> None:
        self._loaded, signature = _signature(Path(path))
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

        def score(images: Images) -> Any:
            given = tf.cast(tf.constant(images), spec.dtype)
            answer: Mapping[str, Any] = signature(**{name: given})
            return np.asarray(answer[chosen])

        shape = tuple(spec.shape[1:]) if spec.shape.rank else ()
        super().__init__(score, classes, preprocess, outputs, shape)


def _signature(source: Path) -> tuple[Any, Any]:
    """Load a SavedModel and return it with its serving signature."""
    try:
        loaded = tf.saved_model.load(str(source))
    except Exception as failure:
        raise InvalidInput(
            f"the SavedModel `{source}` can't be read ({said(failure)}): export the network again."
        ) from failure
    if "serving_default" in loaded.signatures:
        return loaded, loaded.signatures["serving_default"]
    if len(loaded.signatures) == 1:
        return loaded, next(iter(loaded.signatures.values()))
    raise InvalidInput(
        f"the SavedModel `{source}` has no serving signature: export the network with `model.export`."
    )

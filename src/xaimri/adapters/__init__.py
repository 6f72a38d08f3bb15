"""Whatever the user has, as a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xaimri.adapters.function import FunctionClassifier
from xaimri.adapters.linear import LinearClassifier
from xaimri.classifier import Classifier, Outputs
from xaimri.errors import InvalidInput

__all__ = ["FunctionClassifier", "LinearClassifier", "as_classifier", "is_saved_model"]


def as_classifier(
    model: Any,
    *,
    classes: Sequence[str] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    outputs: Outputs = "probabilities",
    unit: int | None = None,
    output: str | int | None = None,
    inputs: Any = None,
    engine: str = "auto",
) -> Classifier:
    """Turn a Keras model, the path of a saved one, a callable or a classifier into a classifier.

    Raises
    ------
    InvalidInput
        If it is none of these, or arguments stand beside a classifier that has its own.
    """
    ports = {"unit": unit, "output": output, "inputs": inputs}
    ports["engine"] = None if engine == "auto" else engine
    if isinstance(model, str | Path):
        from xaimri.adapters.keras import saved

        if is_saved_model(model):
            fixed = {name: value for name, value in ports.items() if name != "output"}
            _refuse(fixed, "a SavedModel: export the network with that part fixed")
            return saved.SavedModel(model, classes, preprocess, outputs, output)  # type: ignore[arg-type]
        model = saved.load_model(model)
    if any(base.__module__.partition(".")[0] == "keras" for base in type(model).__mro__):
        from xaimri.adapters.keras import KerasClassifier

        return KerasClassifier(model, classes, preprocess, outputs, unit, output, inputs, engine)  # type: ignore[arg-type]
    if isinstance(getattr(type(model), "classes", None), property) or hasattr(model, "logits"):
        given = {"classes": classes, "preprocess": preprocess, **ports}
        given["outputs"] = None if outputs == "probabilities" else outputs
        _refuse(given, f"a {type(model).__name__}, which has its own: set them where it is made")
        if isinstance(model, Classifier):
            return model
    if callable(model):
        _refuse(ports, "a function: fix them inside it")
        return FunctionClassifier(model, classes, preprocess, outputs)
    raise InvalidInput(
        f"a {type(model).__name__} is no model: give a Keras model, the path of a saved one, a function of a "
        "batch of images, or an object with `classes` and `logits(images)`."
    )


def is_saved_model(path: str | Path) -> bool:
    """Tell whether a folder is a TensorFlow SavedModel."""
    return (Path(path) / "saved_model.pb").is_file()


def _refuse(arguments: dict[str, Any], beside: str) -> None:
    """Say which arguments can't stand beside such a model."""
    given = [f"`{name}`" for name, value in arguments.items() if value is not None]
    if given:
        raise InvalidInput(f"{' and '.join(given)} can't stand beside {beside}.")

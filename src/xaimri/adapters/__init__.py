"""Whatever the user has, as a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xaimri.adapters.function import FunctionClassifier
from xaimri.adapters.linear import LinearClassifier
from xaimri.classifier import Classifier, Outputs
from xaimri.errors import InvalidInput

__all__ = ["FunctionClassifier", "LinearClassifier", "as_classifier"]


def as_classifier(
    model: Any,
    *,
    classes: Sequence[str] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    outputs: Outputs = "probabilities",
) -> Classifier:
    """Turn a Keras model, the path of a saved one, a callable or a classifier into a classifier.

    Raises
    ------
    InvalidInput
        If it is none of these, or arguments stand beside a classifier that has its own.
    """
    if isinstance(model, str | Path):
        from xaimri.adapters.keras import load_model

        model = load_model(model)
    if any(base.__module__.partition(".")[0] == "keras" for base in type(model).__mro__):
        from xaimri.adapters.keras import KerasClassifier

        return KerasClassifier(model, classes, preprocess, outputs)
    if isinstance(getattr(type(model), "classes", None), property) or hasattr(model, "logits"):
        if classes is not None or preprocess is not None or outputs != "probabilities":
            raise InvalidInput(
                f"`classes`, `preprocess` and `outputs` stand beside a {type(model).__name__}, which "
                "has its own: "
                "leave them away, or set them where it is made."
            )
        if isinstance(model, Classifier):
            return model
    if callable(model):
        return FunctionClassifier(model, classes, preprocess, outputs)
    raise InvalidInput(
        f"a {type(model).__name__} is no model: give a Keras model, the path of a saved one, a "
        "function of a batch of "
        "images, or an object with `classes` and `logits(images)`."
    )

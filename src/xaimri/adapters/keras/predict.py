"""A Keras network's own `predict`: where it is written anew, or what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xaimri.adapters.keras.tensors import Network, Structure
from xaimri.doubts.predict import Predict

LEFT = ("predict_function", "stop_predicting")
"""What `predict` leaves on a network."""


def own_predict(model: Network) -> tuple[str, Predict] | None:
    """Return `predict` where a network has one of its own, or a step of its own; None where it is Keras'."""
    if all(_is_stock(model, name) for name in ("predict", "predict_step", "make_predict_function")):
        return None

    def predict(given: Structure, **options: Any) -> Structure:
        with _as_it_was(model):
            return model.predict(given, **options)

    return "predict", predict


def _is_stock(model: Network, name: str) -> bool:
    """Tell whether a method is that of Keras, or of KerasHub, which only prepares images before."""
    if name in vars(model):
        return False
    definer = next((base for base in type(model).__mro__ if name in vars(base)), object)
    package = definer.__module__.partition(".")[0]
    return package == "keras" or (
        package in ("keras_hub", "keras_nlp") and "preprocess_samples" in vars(definer)
    )


@contextmanager
def _as_it_was(model: Network) -> Iterator[None]:
    """Take off a network what `predict` leaves on it."""
    held = vars(model)
    before = {name: held[name] for name in LEFT if name in held}
    try:
        yield
    finally:
        for name in LEFT:
            held.pop(name, None)
        held.update(before)

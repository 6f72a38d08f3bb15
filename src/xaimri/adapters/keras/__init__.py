"""Keras networks as classifiers."""

from xaimri.adapters.keras import conversion, engine
from xaimri.adapters.keras.classifier import KerasClassifier
from xaimri.adapters.keras.saved import SavedModel, load_model

__all__ = ["KerasClassifier", "SavedModel", "clear_cache", "load_model"]


def clear_cache() -> None:
    """Forget every compiled function and converted network, and with them the networks that they hold."""
    engine.clear_cache()
    conversion.forget()

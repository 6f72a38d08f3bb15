"""Keras networks as classifiers."""

from xaimri.adapters.keras.classifier import KerasClassifier, load_model
from xaimri.adapters.keras.engine import clear_cache

__all__ = ["KerasClassifier", "clear_cache", "load_model"]

"""Keras networks as classifiers."""

from xaimri.adapters.keras.classifier import KerasClassifier
from xaimri.adapters.keras.engine import clear_cache
from xaimri.adapters.keras.saved import SavedModel, load_model

__all__ = ["KerasClassifier", "SavedModel", "clear_cache", "load_model"]

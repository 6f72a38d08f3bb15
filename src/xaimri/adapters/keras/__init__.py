"""Keras networks as classifiers. Importing this loads no framework: its parts are loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xaimri.adapters.keras.classifier import KerasClassifier as KerasClassifier
    from xaimri.adapters.keras.file import load_model as load_model
    from xaimri.adapters.keras.saved_model import SavedModel as SavedModel

_HOMES = {"KerasClassifier": "classifier", "SavedModel": "saved_model", "load_model": "file"}

__all__ = ["KerasClassifier", "SavedModel", "clear_cache", "load_model"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name in _HOMES:
        return getattr(import_module(f"xaimri.adapters.keras.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'xaimri.adapters.keras' has no attribute {name!r}")


def clear_cache() -> None:
    """Forget every compiled function and converted network, and with them the networks that they hold."""
    from xaimri.adapters.keras import programs
    from xaimri.adapters.keras.openvino import conversion

    programs.clear_cache()
    conversion.forget()

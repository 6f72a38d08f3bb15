"""Saved networks: files that Keras reads back whole."""

from __future__ import annotations

from os import PathLike
from typing import Any

from xaimri.adapters.keras.classifier import KerasClassifier
from xaimri.adapters.keras.file import load_model
from xaimri.adapters.keras.hub import load_task


def open_network(path: str | PathLike[str], **options: Any) -> KerasClassifier:
    """Read a saved network, and make a classifier of it with the options of one."""
    return KerasClassifier(load_model(path), **options)


def open_task(path: str | PathLike[str], **options: Any) -> KerasClassifier:
    """Read a task of KerasHub from its preset, and make a classifier of it with the options of one."""
    return KerasClassifier(load_task(path), **options)

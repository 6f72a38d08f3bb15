"""What a caller may say of a model, whichever framework it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

from xaimri.adapters.keras.engine import Engine
from xaimri.classifier import Outputs

Preprocess: TypeAlias = Callable[[Any], Any]
"""What is done to a batch of images before a model sees it: arrays, or tensors of its framework."""

Inputs: TypeAlias = Any
"""A model's inputs beside the image, by name or as it takes them."""


class Options(TypedDict, total=False):
    """What a caller may say of a model; :func:`xaimri.explain` tells what each is."""

    classes: Sequence[str] | None
    preprocess: Preprocess | None
    outputs: Outputs
    unit: int | None
    output: str | int | None
    inputs: Inputs
    engine: Engine


DEFAULTS: Mapping[str, str] = {"outputs": "probabilities", "engine": "auto"}
"""What the options say where nothing is given, if not None."""

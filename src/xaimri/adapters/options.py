"""What a caller may say of a model, whichever framework it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Preprocess: TypeAlias = Callable[[Any], Any]
"""What is done to a batch of images before a model sees it: arrays, or tensors of its framework."""

Inputs: TypeAlias = Any
"""A model's inputs beside the image, by name or as it takes them."""

ModelLike: TypeAlias = object
"""Whatever the user has: a `xaimri.Model`, a Keras network, the path of a saved one, a bundle or its folder,
a function of a batch of images, a classifier."""

Options: TypeAlias = Mapping[str, Any]
"""What a caller says of a model, by name: what a classifier is made with of :func:`xaimri.open_model`."""

DEFAULTS: Mapping[str, str] = {"outputs": "auto", "engine": "auto"}
"""What the options say where nothing is given, if not None."""

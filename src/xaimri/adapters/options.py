"""What a caller may say of a model, whichever framework it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from xaimri.errors import InvalidInput, shown
from xaimri.kinds import Function

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


def as_preprocess(given: object) -> Preprocess | None:
    """Return what is done to a batch, a function; None where nothing is.

    Raises
    ------
    InvalidInput
        If it is no function; a name of `keras.applications` is told by the function it means.

    Examples
    --------
    >>> as_preprocess(None)
    >>> as_preprocess(abs)
    <built-in function abs>
    """
    if isinstance(given, str):
        raise InvalidInput(
            f"`preprocess` must be a function, got {shown(given)}: give the one of a module, such as "
            "keras.applications.resnet50.preprocess_input."
        )
    return None if given is None else Function().convert(given, "preprocess")

"""Networks whose ``call`` takes the image and more, each as an argument of its own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from xaimri.adapters.keras.tensors import Network, Others
from xaimri.errors import InvalidInput

OWN = ("training", "mask")
"""Arguments of a ``call`` that are Keras' own, and no inputs."""


def arguments_of(model: Network) -> dict[str, bool]:
    """Return the inputs that a network's ``call`` takes, and whether each must be given; none where not told.

    Examples
    --------
    >>> import keras
    >>> class Two(keras.Model):
    ...     def call(self, image, table, weight=None, training=False):
    ...         return image
    >>> arguments_of(Two())
    {'image': True, 'table': True, 'weight': False}
    """
    try:
        parameters = inspect.signature(model.call).parameters.values()
    except (AttributeError, TypeError, ValueError):
        return {}
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name: p.default is p.empty for p in parameters if p.kind in kinds and p.name not in OWN}


def laid_out(arguments: Mapping[str, bool], inputs: Others | None) -> dict[str, Any] | None:
    """Return what goes into each argument, ``...`` for the image; None where the inputs are one structure.

    Parameters
    ----------
    arguments
        As of :func:`arguments_of`.
    inputs
        As the user gave them: by the arguments' names, or in their order.

    Raises
    ------
    InvalidInput
        If an argument that must be given is left out, or there is none of a name.
    """
    if len(arguments) < 2 or (isinstance(inputs, Sequence) and len(inputs) > len(arguments)):
        return None
    if inputs is None and sum(arguments.values()) < 2:
        return None
    by_name = isinstance(inputs, Mapping)
    given = dict(inputs or {}) if by_name or inputs is None else dict(zip(arguments, inputs, strict=False))
    names = ", ".join(map(repr, arguments))
    unknown = [name for name in given if name not in arguments]
    if unknown:
        raise InvalidInput(f"`inputs` has no input {unknown[0]!r}: the network's `call` takes {names}.")
    if not any(value is ... for value in given.values()):
        free = [name for name in arguments if name not in given]
        given = {**dict.fromkeys(free[:1], ...), **given}
    left = [name for name, needed in arguments.items() if needed and name not in given]
    if left:
        raise InvalidInput(
            f"the network's `call` takes {names}: give all but the image by `inputs=`, such as "
            f"inputs={{{left[0]!r}: ...}}."
        )
    return {name: given[name] for name in arguments if name in given}

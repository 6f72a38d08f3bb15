"""A function of the user's own: called so that its own error is told, and what goes in and out in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from typing import Any

from xaimri.errors import InvalidInput, XaimriError, first_line


def called(name: str, function: Callable[[Any], Any], given: Any, words: str = "") -> Any:
    """Call a user's function, and show an error of its own with what it was given.

    Parameters
    ----------
    name
        How the sentence calls the function.
    words
        How it calls what was given; by default as :func:`described`.

    Raises
    ------
    InvalidInput
        From an error of the function's own; one of this package, and a lack of memory, stay what they are.

    Examples
    --------
    >>> called("`rule`", lambda rows: rows[7], [1, 2])
    Traceback (most recent call last):
    ...
    xaimri.errors.InvalidInput: `rule` raised IndexError (list index out of range) when it was given a list \
of 2: mend it there; its own lines are in the traceback.
    """
    told = words or described(given)  # before the call, which may change it
    try:
        return function(given)
    except (XaimriError, MemoryError):
        raise
    except Exception as failure:
        raise InvalidInput(
            f"{name} raised {type(failure).__name__} ({first_line(failure)}) when it was given {told}: "
            "mend it there; its own lines are in the traceback."
        ) from failure


def described(value: object) -> str:
    """Say what a function was given or returned: its type, its shape and kind of number where it has them.

    Examples
    --------
    >>> described([1, 2]), described({"logits": 0}), described(None)
    ('a list of 2', "a dict of 'logits'", 'None')
    """
    kind = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, Mapping):
        return f"a {kind} of {', '.join(map(repr, value)) or 'nothing'}"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None:
        return f"a {kind} of shape {tuple(shape)}, {dtype}"
    return f"a {kind} of {len(value)}" if isinstance(value, Sized) else f"a {kind}"

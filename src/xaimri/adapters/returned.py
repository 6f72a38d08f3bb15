"""What a function returned or was given, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sized


def described(answer: object) -> str:
    """Say what a function returned: its type, and its shape and kind of number where it has them."""
    kind = type(answer).__name__
    if answer is None:
        return "None"
    if isinstance(answer, Mapping):
        return f"a {kind} of {', '.join(map(repr, answer)) or 'nothing'}"
    shape, dtype = getattr(answer, "shape", None), getattr(answer, "dtype", None)
    if shape is not None:
        return f"a {kind} of shape {tuple(shape)}, {dtype}"
    return f"a {kind} of {len(answer)}" if isinstance(answer, Sized) else f"a {kind}"

"""How many outputs a network is built with, and on what it is built."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from xaimri.errors import InvalidInput, shown


def number_of(classes: Sequence[str] | int) -> int:
    """Return the number of classes, given as names or as their number.

    Raises
    ------
    InvalidInput
        If there are fewer than two, or a name stands twice.

    Examples
    --------
    >>> number_of(["no atrophy", "atrophy"]), number_of(4)
    (2, 4)
    """
    if isinstance(classes, str):
        raise InvalidInput(
            f"`classes` must be several names or their number, got the one string {shown(classes)}."
        )
    number = classes if isinstance(classes, int) else len(classes)
    if number < 2 or (not isinstance(classes, int) and len(set(classes)) != number):
        raise InvalidInput(
            f"`classes` must be at least 2 distinct names or their number, got {shown(classes)}."
        )
    return number


def check_backend() -> None:
    """Refuse to build on another backend than the one that trains."""
    if keras.backend.backend() != "tensorflow":
        raise InvalidInput(
            f"training needs Keras on TensorFlow, and this one runs on {keras.backend.backend()}: set "
            "KERAS_BACKEND=tensorflow before Keras is imported."
        )

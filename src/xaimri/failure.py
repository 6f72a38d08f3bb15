"""The other ending: what could not be done for one image, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage: TypeAlias = Literal["read", "explain", "measure"]
"""Where on the way an image failed."""


@dataclass(frozen=True)
class Failure:
    """Why there is nothing for one image, and at which stage that showed.

    Attributes
    ----------
    name
        Of the image: its path relative to its folder, else its position.
    stage
        ``"read"``, ``"explain"`` or ``"measure"``.
    sentence
        What is wrong and what to do, as the error would say it.

    Examples
    --------
    >>> print(Failure("notes.png", "read", "`notes.png` is no image."))
    `notes.png` is no image.
    """

    name: str
    stage: Stage
    sentence: str

    def __str__(self) -> str:
        return self.sentence

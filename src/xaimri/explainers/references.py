"""A set of reference images as a setting: what a gradient method starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from xaimri.arrays import Array, Images, Stored
from xaimri.errors import InvalidInput, shown
from xaimri.rules import Numbers, Rule
from xaimri.settings import setting

T = TypeVar("T")


@dataclass(frozen=True)
class ReferencesRule(Rule):
    """A set of images, kept as a stored array."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "an array of images on the model's grid"

    def convert(self, value: object, name: str, /) -> Stored:
        """Return the images in single precision, read-only."""
        given = value.array if isinstance(value, Stored) else value
        if not isinstance(given, np.ndarray) or given.ndim < 3:
            raise InvalidInput(
                f"`{name}` must be {self.allowed}, (references, *space, channels), got {shown(given)}: pass "
                "some of the training images, for instance from xaimri.data.load_images."
            )
        return Numbers().convert(value, name)


def references_setting(default: T) -> T:
    """Return the field of a setting ``references``, which has to be given."""
    doc = (
        "Images on the model's grid, ``(references, *space, channels)``, such as those of the training set. "
        "They have to be given."
    )
    return setting(default, ReferencesRule(), doc=doc)


def references_of(given: Stored | Array | None, shape: tuple[int, ...]) -> Images:
    """Return the images of a setting ``references``, which must have the shape of the model's images."""
    references = given.array if isinstance(given, Stored) else np.empty(0)
    if references.shape[1:] != shape:
        raise InvalidInput(
            f"`references` must be images of shape {shape}, the model's grid, got "
            f"{references.shape[1:]}: fit them first, for instance with xaimri.data.load_images."
        )
    return references

"""A set of reference images as a setting: what a gradient method starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from xaimri.arrays import Images, Stored
from xaimri.errors import InvalidInput
from xaimri.settings import images


def references_setting(explainer: Any) -> None:
    """Check the setting ``references``: images, which are kept as a stored array."""
    given = explainer.references.array if isinstance(explainer.references, Stored) else explainer.references
    if not isinstance(given, np.ndarray) or given.ndim < 3:
        raise InvalidInput(
            "`references` must be an array of images on the model's grid, (references, *space, "
            f"channels), got {getattr(given, 'shape', type(given).__name__)}: pass some of the training "
            "images, for instance from xaimri.data.load_images."
        )
    images(explainer, "references")


def references_of(explainer: Any, shape: tuple[int, ...]) -> Images:
    """Return the references of an explainer, which must have the shape of the model's images."""
    references = explainer.references.array if isinstance(explainer.references, Stored) else np.empty(0)
    if references.shape[1:] != shape:
        raise InvalidInput(
            f"`references` must be images of shape {shape}, the model's grid, got "
            f"{references.shape[1:]}: fit them first, for instance with xaimri.data.load_images."
        )
    return references

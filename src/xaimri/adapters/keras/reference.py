"""Seeded images on which a saved network must still answer as it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from xaimri.adapters.keras.bundle_record import REFERENCES
from xaimri.arguments import check_arguments
from xaimri.arrays import Images, Scores
from xaimri.errors import InvalidInput, shown
from xaimri.kinds import Several
from xaimri.rules import WholeNumber

TOLERANCE = 1e-4
"""Largest difference of a probability from the one kept, at loading; kernels differ between machines."""


@check_arguments(shape=Several(WholeNumber(1, most=10**5)))
def reference_images(shape: Sequence[int]) -> Images:
    """Seeded images of 0 to 255 on which a bundle's network is checked.

    Parameters
    ----------
    shape
        ``(*space, channels)`` of the model's input.

    Returns
    -------
    Images
        float32 ``(4, *space, channels)``: noise about a level that falls off along the first axis,
        the same on every machine.
    """
    if len(shape) < 2:
        raise InvalidInput(f"`shape` must be (*space, channels), got {shown(tuple(shape))}.")
    noise = np.random.default_rng(20160627).random((REFERENCES, *shape))
    fall = np.linspace(1, 0, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    levels = np.linspace(0.25, 1, REFERENCES).reshape(-1, *[1] * len(shape))
    images: Images = np.floor(255 * levels * (fall + noise) / 2).astype(np.float32)
    return images


def answers_of(model: keras.Model) -> Scores:
    """Return what a network gives for its reference images, ``(4, classes)``."""
    answers: Scores = np.asarray(model(reference_images(model.input_shape[1:]), training=False), np.float64)
    return answers


def check_answers(
    model: keras.Model, kept: Sequence[Sequence[float]], name: str, versions: Mapping[str, str]
) -> None:
    """See that a network that was read answers as when it was saved.

    Parameters
    ----------
    model, kept
        The network, and what it gave then.
    name, versions
        Of its bundle, and of the packages that saved it.

    Raises
    ------
    InvalidInput
        If probabilities differ by more than `TOLERANCE`.
    """
    gap = float(np.abs(answers_of(model) - np.array(kept, np.float64)).max())
    if not gap <= TOLERANCE:
        raise InvalidInput(
            f"the network in {name} no longer answers as when it was saved (probabilities differ "
            f"by {gap:.2g}, allowed {TOLERANCE:g}): use the versions it was saved with, {versions}."
        )

"""The features of images, as their network sees them: the input of its last dense layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.capacity import capacity
from xaimri.classifier import Featured
from xaimri.errors import MissingCapability
from xaimri.failure import Failure
from xaimri.images.taken import Taken
from xaimri.model import Model
from xaimri.perturb.progress import advance
from xaimri.sources import Named, attempt

Distance: TypeAlias = Literal["euclidean", "cosine"]
"""How far apart two images are: of their features as they are, or of the features' directions."""


def features_of(
    model: Model, images: Iterable[Named], failures: list[Failure]
) -> Iterator[tuple[Named, Float[Array, " features"]]]:
    """Yield each image that can be read with its features; why others can't goes into ``failures``.

    Some images are held at once, so that memory does not grow with their number.

    Raises
    ------
    MissingCapability
        If the network hands out no features.
    """
    classifier = model.classifier
    if not isinstance(classifier, Featured):
        raise MissingCapability(
            f"a {type(classifier).__name__} hands out no features, by which images are near to each other: "
            "pass the Keras network itself, or a class with `features` and `readout`."
        )
    held: list[tuple[Named, Taken]] = []
    for one in images:
        taken = attempt(one, model.intake)
        if isinstance(taken, Failure):
            failures.append(taken)
            continue
        if not isinstance(taken, Taken):
            raise MissingCapability(
                "a volume that is cut into slices has no features of its own: give the slices themselves."
            )
        shape = taken.fitted.shape
        if held and (held[0][1].fitted.shape != shape or len(held) >= capacity(shape)):
            yield from _asked(classifier, held)
            held = []
        held.append((one, taken))
    if held:
        yield from _asked(classifier, held)


def _asked(
    classifier: Featured, held: Sequence[tuple[Named, Taken]]
) -> Iterator[tuple[Named, Float[Array, " features"]]]:
    images = np.stack([taken.fitted for _, taken in held]).astype(np.float32)
    rows = classifier.features(images)
    advance(len(held))
    for (one, _), row in zip(held, rows, strict=True):
        yield one, np.asarray(row, np.float32)


def distances(
    rows: Float[Array, "cases features"], row: Float[Array, " features"], distance: Distance
) -> Float[Array, " cases"]:
    """Return distances in double precision, 0 exactly where features are equal."""
    one, others = row.astype(np.float64), rows.astype(np.float64)
    if distance == "euclidean":
        found: Array = np.linalg.norm(others - one, axis=1)
        return found
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(one)
    cosine = np.divide(others @ one, lengths, out=np.zeros(len(others)), where=lengths > 0)
    same = (others == one).all(axis=1)
    away: Array = np.where(same, 0.0, np.clip(1 - cosine, 0, 2))
    return away

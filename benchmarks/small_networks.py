"""Networks small enough to predict all masks of an image, trained on phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xaimri.data import Dataset, phantom

SIZE = (40, 40)


def network(seed: int, *, stages: Sequence[int] = (0, 1, 2, 3), subjects: int = 400):
    """Train a small network to tell these stages, and return it with its training and its held-out cases."""
    known, held = _halves(seed, stages, subjects)
    return trained(known, seed), known, held


def trained(known: Dataset, seed: int):
    """Train the network on these cases."""
    import keras

    images = images_of(known)
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 1)),
            layers.Rescaling(1 / float(images.max())),
            *(layers.Conv2D(n, 3, 2, "same", activation="relu") for n in (8, 16, 32)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(len(known.classes), activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, known.labels, epochs=40, verbose=0)
    return model


def accuracy(model, held: Dataset) -> float:
    """Return the share of cases that the network knows."""
    return float(model.evaluate(images_of(held), held.labels, verbose=0)[1])


def images_of(cases: Dataset) -> np.ndarray:
    """Return the images as the network takes them, ``(cases, *space, 1)``."""
    return np.stack([np.asarray(case.source, np.float32) for case in cases])[..., None]


def _halves(seed: int, stages: Sequence[int], subjects: int) -> tuple[Dataset, Dataset]:
    """Make phantoms of these stages, and return the first half of the subjects and the second."""
    made = phantom.make(subjects=subjects, slices=4, size=SIZE, seed=seed)
    kept = [replace(case, label=stages.index(case.label)) for case in made if case.label in stages]
    halves = kept[: len(kept) // 2], kept[len(kept) // 2 :]
    first, second = (Dataset(tuple(phantom.STAGES[n] for n in stages), tuple(half)) for half in halves)
    return first, second

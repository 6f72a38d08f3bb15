"""Networks small enough to predict all masks of an image, trained on phantoms."""

from __future__ import annotations

import numpy as np

from xaimri.data import phantom

SIZE = (40, 40)


def network(seed: int):
    """Train a small network on phantoms, and return it with held-out images."""
    import keras

    made = phantom.make(subjects=400, slices=4, size=SIZE, seed=seed)
    images = np.stack([np.asarray(c.source, np.float32) for c in made.cases]).reshape(len(made), *SIZE, 1)
    labels = np.array([c.label for c in made.cases])
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 1)),
            layers.Rescaling(1 / float(images.max())),
            *(layers.Conv2D(n, 3, 2, "same", activation="relu") for n in (8, 16, 32)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(len(made.classes), activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    train = np.arange(len(images)) < len(images) // 2
    model.fit(images[train], labels[train], epochs=40, verbose=0)
    return model, images[~train], float(model.evaluate(images[~train], labels[~train], verbose=0)[1])

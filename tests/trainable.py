"""A small network, and the images that it learns to tell apart within seconds."""

import numpy as np

from frameworks import on_first_use
from xaimri.data.case import Case, Dataset

with on_first_use():
    import keras

SHAPE = (12, 10)


def cases(number, seed, classes=("dark", "grey", "bright")):
    """Noise about a level that tells the class."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(number):
        label = i % 3
        pixels = np.clip(rng.normal(60 + 50 * label, 25, SHAPE), 0, 255).astype(np.uint8)
        made.append(Case(f"{seed}/{i}", label, f"{seed}-{i}", pixels))
    return Dataset(classes, tuple(made))


TRAIN, VALIDATION = cases(22, 1), cases(9, 2)
DATA = (TRAIN, VALIDATION)


def network(seed=0, shift=0.0):
    """A nested backbone with batch norms, and a head with dropout; seeded weights."""
    inner = keras.Sequential(
        [
            keras.Input((*SHAPE, 1)),
            keras.layers.Conv2D(4, 3, name="conv1"),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.ReLU(name="relu1"),
            keras.layers.Conv2D(6, 3, name="conv2"),
            keras.layers.BatchNormalization(name="bn2"),
        ],
        name="backbone",
    )
    inputs = keras.Input((*SHAPE, 1))
    x = keras.layers.GlobalAveragePooling2D()(inner(keras.layers.Rescaling(1 / 255)(inputs)))
    x = keras.layers.Dropout(0.2)(keras.layers.Dense(8, activation="relu")(x))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.path.endswith("kernel"):
            variable.assign(rng.normal(shift, 0.3, variable.shape))
    return model


def weights(model):
    return [np.array(w) for w in model.get_weights()]


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def untimed(result):
    return {name: column for name, column in result.history.items() if name != "seconds"}


QUIET = {"progress": False, "batch": 8}

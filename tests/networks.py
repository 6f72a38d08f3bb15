"""Small networks, and one network built in several ways."""

import numpy as np

from frameworks import on_first_use

with on_first_use():
    import keras
    from keras import layers


def small(space=(20, 28), channels=3, classes=4, activation="softmax", seed=0, features=6):
    """A convolutional network of any rank with random weights and biases."""
    keras.utils.set_random_seed(seed)
    convolution, pool = (layers.Conv2D, layers.GlobalAveragePooling2D)
    if len(space) == 3:
        convolution, pool = (layers.Conv3D, layers.GlobalAveragePooling3D)
    bias = keras.initializers.RandomNormal(0, 0.3)
    return keras.Sequential(
        [
            keras.Input((*space, channels)),
            convolution(features, 3, strides=2, activation="relu", bias_initializer=bias, name="first"),
            convolution(features + 1, 3, padding="same", activation="relu", name="last"),
            pool(name="pool"),
            layers.Dense(classes, activation=activation, bias_initializer=bias, name="head"),
        ]
    )


def backbone(space=(20, 28), channels=3, seed=0):
    keras.utils.set_random_seed(seed)
    image = keras.Input((*space, channels))
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    y = layers.Conv2D(6, 3, padding="same", name="second")(x)
    return keras.Model(image, layers.Add(name="cells")([x, y]), name="backbone")


def twins(base, classes=3):
    """One network, sharing every layer: flat, nested and Sequential."""
    pool, head = layers.GlobalAveragePooling2D(name="pool"), layers.Dense(classes, "softmax", name="head")
    flat = keras.Model(base.input, head(pool(base.output)), name="flat")
    image = keras.Input(base.input_shape[1:])
    nested = keras.Model(image, head(pool(base(image))), name="nested")
    return {"flat": flat, "nested": nested, "sequential": keras.Sequential([base, pool, head])}


def noise(shape, count=2, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=(count, *shape))).astype(np.float32)

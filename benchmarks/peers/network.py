"""The network and the images that every implementation is given: plain arrays, and the Keras network of them.

It is flat, pads by itself and alike on all sides, so that other frameworks can hold it without a doubt about
where a cell lies. There are two heads: behind global pooling a feature's gradient is the same in every cell,
and methods that differ elsewhere coincide; behind a dense layer on all cells it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

SHAPE = (40, 48, 3)
CELLS = (10, 12)
CLASSES = 4
CONVOLUTIONS = (("conv1", 8, 1), ("conv2", 12, 2), ("conv3", 16, 2), ("conv4", 16, 1))
"""Name, features and stride; all 3 x 3, padded by 1, followed by a ReLU."""
LAST = "conv4_relu"
"""The layer that class activation maps look at."""
HEADS = ("pooled", "flat")
"""What stands between that layer and the logits: global average pooling, or nothing but a dense layer."""
Arrays = Mapping[str, np.ndarray]


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Draw every kernel and bias, kernels as Keras holds them."""
    generator = np.random.default_rng(seed)
    arrays, channels = {}, SHAPE[-1]
    for name, features, _ in CONVOLUTIONS:
        scale = np.sqrt(2 / (9 * channels))
        arrays[f"{name}/kernel"] = scale * generator.standard_normal((3, 3, channels, features))
        arrays[f"{name}/bias"] = 0.1 * generator.standard_normal(features)
        channels = features
    for head, inputs in zip(HEADS, (channels, channels * CELLS[0] * CELLS[1]), strict=True):
        arrays[f"{head}/kernel"] = generator.standard_normal((inputs, CLASSES)) / np.sqrt(inputs / 16)
        arrays[f"{head}/bias"] = 0.1 * generator.standard_normal(CLASSES)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def images(count: int, seed: int) -> np.ndarray:
    """Draw images of coarse and fine texture, each with a range of its own."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((count, 5, 6, SHAPE[-1])).repeat(8, axis=1).repeat(8, axis=2)
    fine = generator.random((count, *SHAPE))
    ranges = np.linspace(0.8, 1.6, count).reshape(-1, 1, 1, 1)
    return ((0.7 * coarse + 0.3 * fine) * ranges).astype(np.float32)


def build(head: str, arrays: Arrays, softmax: bool = True) -> keras.Model:
    """Build the Keras network with one of the heads."""
    import keras

    inputs = x = keras.Input(SHAPE)
    for name, features, stride in CONVOLUTIONS:
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        x = keras.layers.Conv2D(features, 3, strides=stride, name=name)(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
    pool = keras.layers.GlobalAveragePooling2D() if head == "pooled" else keras.layers.Flatten()
    x = keras.layers.Dense(CLASSES, name=head)(pool(x))
    if softmax:
        x = keras.layers.Softmax(name="probabilities")(x)
    model = keras.Model(inputs, x)
    for name in (*(name for name, *_ in CONVOLUTIONS), head):
        model.get_layer(name).set_weights([arrays[f"{name}/kernel"], arrays[f"{name}/bias"]])
    return model

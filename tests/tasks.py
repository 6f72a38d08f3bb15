"""Small tasks of KerasHub with random weights, and one whose answer is known."""

from importlib.util import find_spec

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import keras
    import keras_hub

MISSING = pytest.mark.skipif(
    find_spec("keras_hub") is None, reason='KerasHub is not installed: pip install "xaimri[keras_hub]"'
)
SCALE, OFFSET = [1 / 60, 1 / 50, 1 / 70], [-2.0, -1.9, -1.7]


def preprocessor(**settings):
    """What a preset's preprocessor is made of; scale and offset are those of no network's images."""
    given = {"scale": SCALE, "offset": OFFSET, **settings}
    return keras_hub.models.ImageClassifierPreprocessor(keras_hub.layers.ImageConverter(**given))


def bright(prepare=None, shape=(24, 20, 3)):
    """A task that counts brightness: its logits are 3 and -3 times the mean of the first channel above 0."""
    image = keras.Input(shape)
    count = keras.layers.Conv2D(2, 1, use_bias=False, name="count")
    backbone = keras.Model(image, keras.layers.ReLU(name="cells")(count(image)))
    task = keras_hub.models.ImageClassifier(
        backbone, num_classes=2, preprocessor=prepare, activation="softmax"
    )
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[..., 0, 0], kernel[..., 0, 1] = 1, -1
    count.set_weights([kernel])
    task.output_dense.set_weights([np.array([[3.0, -3.0], [0.0, 0.0]]), np.zeros(2)])
    return task


def small(prepare=None, activation="softmax", shape=(None, None, 3)):
    """A task of two convolutions, which is traced in a moment."""
    image = keras.Input(shape)
    x = keras.layers.Conv2D(5, 3, strides=2, activation="relu")(image)
    backbone = keras.Model(image, keras.layers.Conv2D(6, 3, activation="relu")(x))
    task = keras_hub.models.ImageClassifier(
        backbone, num_classes=3, preprocessor=prepare, activation=activation
    )
    return spread(task)


def resnet(prepare=None, activation="softmax", shape=(None, None, 3)):
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 16],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=shape,
    )
    return spread(
        keras_hub.models.ResNetImageClassifier(
            backbone, num_classes=3, preprocessor=prepare, activation=activation
        )
    )


def spread(task):
    """Draw the last layer's weights wide, so that the classes are told apart."""
    last = next(layer for layer in reversed(task.layers) if layer.weights)
    draw = np.random.default_rng(5)
    last.set_weights([draw.normal(0, 2, w.shape).astype(np.float32) for w in last.get_weights()])
    return task


def photograph(*size, seed=0):
    """An image of 0 to 255, smooth, so that an odd pixel more or less is no great matter."""
    noise = np.random.default_rng(seed).uniform(0, 255, (4, 5, 3)).astype(np.float32)
    return np.asarray(keras.ops.image.resize(noise, size), np.float32)


def said(task, image):
    """What `predict` says of one image, as probabilities."""
    answer = task.predict(image[None], verbose=0)[0].astype(np.float64)
    if getattr(task, "activation", None) in ("softmax", keras.activations.softmax):
        return answer
    powers = np.exp(answer - answer.max())
    return powers / powers.sum()

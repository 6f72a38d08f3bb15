"""The convolutional part of a ResNet50, of any width, and where its weights come from."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import keras
import numpy as np

from xaimri.errors import InvalidInput, first_line

BLOCKS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Filters, residual units and stride of conv2 to conv5 (He et al. 2016, table 1)."""

PHANTOM_WIDTH = 0.25
"""Width of the network whose weights are shipped."""

PHANTOM_WEIGHTS = "phantom_resnet50.npz"
"""Kernels as float16, vectors as float32, each under layer and name."""


def build_backbone(space: tuple[int, int], weights: str | Path | None, width: float) -> keras.Model:
    """Build the convolutional part and load its weights.

    Raises
    ------
    InvalidInput
        If weights are of another width, can't be downloaded, or don't fit.
    """
    if weights == "imagenet":
        if width != 1:
            raise InvalidInput(
                f"ImageNet's weights are of a ResNet50 of width 1, not {width:g}: give width=1.0, or "
                'weights=None, or width=0.25 with weights="phantom".'
            )
        return _downloaded(space)
    if weights == "phantom" and width != PHANTOM_WIDTH:
        raise InvalidInput(
            f"the phantom's weights are of a quarter of the width, not of {width:g}: give width=0.25."
        )
    backbone = residual_network(space, width)
    if weights == "phantom":
        fill(backbone, shipped_weights())
    elif weights is not None:
        _read(backbone, Path(weights))
    return backbone


def residual_network(space: tuple[int, int], width: float) -> keras.Model:
    """Build a ResNet50 without its top, layers named as in `keras.applications`, filters times ``width``."""
    layers = keras.layers

    def filters(number: int) -> int:
        return max(1, round(number * width))

    def relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.Activation("relu", name=name)(x)

    def unit(x: keras.KerasTensor, number: int, stride: int, name: str, first: bool) -> keras.KerasTensor:
        """Bottleneck of 1 x 1, 3 x 3 and 1 x 1, beside a shortcut that is projected in a block's first."""
        short = _normed(x, filters(4 * number), 1, stride, f"{name}_0") if first else x
        x = relu(_normed(x, filters(number), 1, stride, f"{name}_1"), f"{name}_1_relu")
        x = relu(_normed(x, filters(number), 3, 1, f"{name}_2"), f"{name}_2_relu")
        x = _normed(x, filters(4 * number), 1, 1, f"{name}_3")
        return relu(layers.Add(name=f"{name}_add")([short, x]), f"{name}_out")

    inputs = keras.Input((*space, 3), name="input")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = relu(_normed(x, filters(64), 7, 2, "conv1", "valid"), "conv1_relu")
    x = layers.MaxPooling2D(3, 2, name="pool1_pool")(layers.ZeroPadding2D(1, name="pool1_pad")(x))
    for block, (number, units, stride) in enumerate(BLOCKS, start=2):
        for i in range(units):
            x = unit(x, number, stride if i == 0 else 1, f"conv{block}_block{i + 1}", first=i == 0)
    return keras.Model(inputs, x, name="resnet50")


def fill(backbone: keras.Model, weights: dict[str, Any]) -> None:
    """Give every layer its weights, by layer and name."""
    for layer in backbone.layers:
        for variable in layer.weights:
            variable.assign(weights[f"{layer.name}/{variable.name}"].astype(np.float32))


def pack(backbone: keras.Model) -> dict[str, Any]:
    """Return what :func:`fill` takes: kernels as float16, the few vectors as float32."""
    found = {}
    for layer in backbone.layers:
        for variable in layer.weights:
            value = np.asarray(variable.value)
            found[f"{layer.name}/{variable.name}"] = value.astype(
                np.float16 if value.ndim > 1 else np.float32
            )
    return found


def shipped_weights() -> dict[str, Any]:
    """Read the weights in the package, made by ``benchmarks/train_phantom_weights.py``."""
    with as_file(files("xaimri.training") / PHANTOM_WEIGHTS) as path, np.load(path) as kept:
        return dict(kept)


def _normed(
    x: keras.KerasTensor, number: int, side: int, stride: int, name: str, padding: str = "same"
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(number, side, strides=stride, padding=padding, name=f"{name}_conv")(x)
    return keras.layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_bn")(x)


def _downloaded(space: tuple[int, int]) -> keras.Model:
    try:
        return keras.applications.ResNet50(
            include_top=False, input_shape=(*space, 3), name="resnet50", weights="imagenet"
        )
    except Exception as error:  # Keras raises bare Exception where a download fails
        raise InvalidInput(
            "the ImageNet weights of ResNet50 could not be downloaded: pass weights=None to start "
            "from random weights, weights=PATH to read a file of backbone weights, or build once "
            f"with a network so that Keras keeps them in its cache ({first_line(error, 160)})."
        ) from error


def _read(backbone: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise InvalidInput(
            f'`weights` must be "imagenet", "phantom", None or a weight file, and `{path}` is no file.'
        )
    try:
        backbone.load_weights(path)
    except Exception as error:  # h5py and Keras raise many types
        raise InvalidInput(
            f"`{path}` does not hold the weights of a ResNet50 backbone without its top: give a file that "
            f"`keras.applications.ResNet50(include_top=False)` can load ({first_line(error, 160)})."
        ) from error

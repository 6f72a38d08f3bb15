"""A ResNet50 classifier that takes raw pixels: what is explained is exactly what was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import keras
import numpy as np

from xaimri.adapters.keras.randomness import keep_python_random
from xaimri.errors import InvalidInput, shown
from xaimri.forked import check_process
from xaimri.training.backbone import build_backbone
from xaimri.training.outputs import check_backend, number_of
from xaimri.training.weights import draw_weights, parts_of

MEANS = (103.939, 116.779, 123.68)
"""Mean blue, green and red of the ImageNet pixels, which the published weights expect subtracted."""

LAST = 10
"""Layers of a pretrained backbone that are unfrozen by default, the last ones."""

SMALLEST = 32
"""Least height and width, pixels: the last block then has one cell."""

Depth: TypeAlias = int | str
"""How much of a backbone learns: its last layers by number, from a block's name on, or ``"all"``."""


def build_resnet50(
    classes: Sequence[str] | int,
    size: Sequence[int] = (224, 224),
    weights: Literal["imagenet", "phantom"] | str | Path | None = "imagenet",
    channels: int = 1,
    trainable: Depth | None = None,
    dense: int = 256,
    dropout: float = 0.5,
    seed: int = 0,
    *,
    width: float = 1.0,
) -> keras.Model:
    """Build a ResNet50 that classifies raw images.

    The network takes pixels of 0 to 255 and prepares them itself: grey is laid out three times, then
    follows what the backbone was trained on. Pretrained backbones get ImageNet's "caffe" preparation
    (blue, green, red, less `MEANS`); a random one and the phantom's get pixels over 255, which leaves the
    black background at zero, the value that convolutions pad with. The parts: nested backbone ``resnet50``,
    global average pooling, a dense layer with ReLU, dropout, dense ``logits`` and a float32 softmax.
    In a random backbone the last batch norm of every residual block starts with a scale of 0, so that
    the block starts as the identity (Goyal et al. 2017, section 5.1); without that, a few hundred images
    did not move it off chance.

    Parameters
    ----------
    classes
        Names, or their number; at least 2. A Keras model holds no names: `xaimri.training.save`
        keeps them beside it.
    size
        ``(height, width)`` of the input in pixels, each at least 32.
    weights
        ``"imagenet"``: as Keras distributes them, over the network on first use. A path: a weight file
        of a ResNet50 backbone without its top (``.h5``, as `keras.applications` reads it), taken to be
        trained on ImageNet's preparation. ``"phantom"``: a file in the package, of a network of a quarter
        of the width that learned on phantoms (of the seeds in `xaimri.data.phantom.TRAINED_SEEDS`); it
        needs ``width=0.25``. None: random.
    channels
        1 (grey) or 3 (red, green, blue).
    trainable
        How much of the backbone learns: ``"all"``, its last so many layers (0 freezes it), or all
        from a block on, such as ``"conv5"`` or ``"conv5_block2"``. None: the last 10 layers of a
        pretrained backbone, all of a random one. Frozen batch norms keep their statistics.
    dense
        Units of the hidden layer; 0 leaves it out.
    dropout
        Share of the hidden units dropped in training.
    seed
        Fixes every random weight and the dropout. No global generator is used or changed.
    width
        Filters of every layer, over those of ResNet50: at 0.25 there are a sixteenth of the weights and of
        the work. ImageNet's weights are of 1.0.

    Returns
    -------
    keras.Model
        Input ``(batch, height, width, channels)`` of 0 to 255, output probabilities ``(batch, classes)``.

    Raises
    ------
    InvalidInput
        If an argument is out of range, a weight file is missing or does not fit, or ImageNet's weights
        cannot be downloaded.

    References
    ----------
    He, Zhang, Ren & Sun (2016), Deep residual learning, doi:10.1109/CVPR.2016.90.
    Goyal et al. (2017), Accurate, large minibatch SGD, arXiv:1706.02677.

    Examples
    --------
    >>> model = build_resnet50(["no atrophy", "atrophy"], size=(32, 48), weights=None)
    >>> model.input_shape, model.output_shape
    ((None, 32, 48, 1), (None, 2))
    """
    check_process()
    number = _checked(classes, size, channels, dense, dropout, width)
    space = (int(size[0]), int(size[1]))
    with keep_python_random():
        backbone = build_backbone(space, weights, width)
        inputs = keras.Input((*space, channels), name="image")
        features = backbone(_prepared(inputs, imagenet=weights not in (None, "phantom")))
        x = keras.layers.GlobalAveragePooling2D(name="pool")(features)
        if dense:
            x = keras.layers.Dense(dense, activation="relu", name="hidden")(x)
        x = keras.layers.Dropout(dropout, seed=seed, name="dropout")(x)
        x = keras.layers.Dense(number, name="logits")(x)
        outputs = keras.layers.Softmax(dtype="float32", name="probabilities")(x)
        model = keras.Model(inputs, outputs, name="resnet50_classifier")
        _initialise(model, seed, but=backbone if weights is not None else None)
    unfreeze(model, trainable if trainable is not None else ("all" if weights is None else LAST))
    return model


def backbone_of(model: keras.Model) -> keras.Model | None:
    """Return the nested network with the most weights, or None where nothing is nested."""
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return max(nested, key=lambda layer: layer.count_params(), default=None)


def unfreeze(model: keras.Model, depth: Depth) -> None:
    """Let part of a model's backbone learn and freeze the rest of it; the head always learns.

    Parameters
    ----------
    model
        A classifier that holds its backbone as a nested model.
    depth
        ``"all"``, a number of layers counted from the backbone's end, or the start of a layer's name:
        everything from the first layer of that name on.

    Raises
    ------
    InvalidInput
        If nothing is nested, or no layer has such a name.

    Examples
    --------
    >>> model = build_resnet50(2, size=(32, 32), weights=None, dense=0)
    >>> unfreeze(model, "conv5_block3")
    >>> [layer.name for layer in backbone_of(model).layers if layer.trainable][:2]
    ['conv5_block3_1_conv', 'conv5_block3_1_bn']
    """
    backbone = backbone_of(model)
    if backbone is None:
        raise InvalidInput(
            f"`{model.name}` holds no nested backbone to freeze: leave `unfreeze` at None and set "
            "`layer.trainable` yourself."
        )
    first = _first(backbone, depth)
    set_trainable(model, True)
    for layer in backbone.layers[:first]:
        set_trainable(layer, False)


def set_trainable(layer: keras.layers.Layer, flag: bool) -> None:
    """Set the flag of a layer and of every part of it; Keras 3.15 does not pass it on to a model's parts."""
    for part in layer._flatten_layers():
        part.trainable = flag


def is_whole(backbone: keras.Model) -> bool:
    """Whether every weight that can learn does."""
    return all(layer.trainable for layer in backbone._flatten_layers(include_self=False) if layer.weights)


def _first(backbone: keras.Model, depth: Depth) -> int:
    """Position of the first layer that learns."""
    layers = backbone.layers
    if depth == "all":
        return 0
    if isinstance(depth, int) and not isinstance(depth, bool) and depth >= 0:
        return max(0, len(layers) - depth)
    for index, layer in enumerate(layers):
        if isinstance(depth, str) and depth and layer.name.startswith(depth):
            return index
    blocks = list(dict.fromkeys(layer.name.split("_")[0] for layer in layers))
    raise InvalidInput(
        f'the part of the backbone that learns must be "all", a number of layers from 0, or a block '
        f"such as `{'`, `'.join(blocks[-5:])}`, got {shown(depth)}."
    )


def _checked(
    classes: Sequence[str] | int,
    size: Sequence[int],
    channels: int,
    dense: int,
    dropout: float,
    width: float,
) -> int:
    """Return the number of classes; refuse what cannot be built."""
    check_backend()
    number = number_of(classes)
    if len(size) != 2 or min(size) < SMALLEST:
        raise InvalidInput(f"`size` must be (height, width), each at least {SMALLEST}, got {tuple(size)}.")
    if channels not in (1, 3):
        raise InvalidInput(f"`channels` must be 1 (grey) or 3 (colour), got {channels}.")
    if dense < 0 or not 0 <= dropout < 1:
        raise InvalidInput(f"`dense` must be 0 or more and `dropout` in [0, 1), got {dense} and {dropout}.")
    if not 1 / 64 <= width <= 4:
        raise InvalidInput(f"`width` must be between 1/64 and 4, got {width}.")
    return number


def _prepared(inputs: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """Turn raw grey or colour pixels into what the backbone takes, ``(batch, height, width, 3)``."""
    together = keras.layers.Concatenate(dtype="float32", name="three_channels")
    if inputs.shape[-1] == 1:
        x = together([inputs, inputs, inputs])
    elif imagenet:
        x = together([inputs[..., 2:], inputs[..., 1:2], inputs[..., :1]])
    else:
        x = inputs
    scale, offset = (1.0, [-mean for mean in MEANS]) if imagenet else (1 / 255, 0.0)
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="prepare")(x)


def _initialise(model: keras.Model, seed: int, but: keras.Model | None) -> None:
    """Draw the weights that are not given; residual blocks of a random backbone begin as the identity."""
    kept = [] if but is None else but.layers
    draw_weights(model, seed, but=kept)
    for layer in parts_of(model):
        if layer not in kept and layer.name.endswith("_3_bn"):
            layer.gamma.assign(np.zeros(layer.gamma.shape))

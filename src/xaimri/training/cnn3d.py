"""A small 3-D network that classifies raw volumes: what is explained is exactly what was trained."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from xaimri.adapters.keras.randomness import keep_python_random
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, shown
from xaimri.forked import check_process
from xaimri.kinds import Several
from xaimri.rules import Number, WholeNumber
from xaimri.training.outputs import check_backend, number_of
from xaimri.training.weights import draw_weights


@check_arguments(
    size=Several(WholeNumber(1, most=4096)),
    filters=Several(WholeNumber(1, most=4096)),
    channels=WholeNumber(1, most=1024),
    dropout=Number(least=0, below=1),
    scale=Number(above=0),
    seed=WholeNumber(0),
)
def build_cnn3d(
    classes: Sequence[str] | int,
    size: Sequence[int] = (40, 56, 48),
    channels: int = 1,
    filters: Sequence[int] = (8, 16, 32),
    dropout: float = 0.2,
    seed: int = 0,
    *,
    scale: float = 255.0,
) -> keras.Model:
    """Build a small 3-D convolutional network that classifies raw volumes.

    One block for each number of ``filters``: convolution of 3 x 3 x 3 voxels, batch norm, ReLU, and from the
    second block on with a stride of 2. Then one more such convolution without a stride, whose output
    ``cells`` is what class activation maps open; global average pooling, dropout, dense ``logits`` and a
    float32 softmax. Intensities are divided by ``scale`` inside the network, which leaves a black background
    at zero, the value that convolutions pad with.

    Parameters
    ----------
    classes
        Names, or their number; at least 2. A Keras model holds no names: `xaimri.training.save`
        keeps them beside it.
    size
        Three sides of the input in voxels, in the order of the volumes' axes; each at least
        ``2 ** len(filters)``.
    channels
        Contrasts of one volume, such as 1 for T1 alone.
    filters
        Channels of each block; at least two blocks. Each halves the grid but the first: three
        leave one cell for 4 x 4 x 4 voxels.
    dropout
        Share of the pooled features dropped in training.
    seed
        Fixes every random weight and the dropout. No global generator is used or changed.
    scale
        Intensity that becomes 1: 255 for volumes of 0 to 255, or for those brought there by a ``window``.

    Returns
    -------
    keras.Model
        Input ``(batch, *size, channels)``, output probabilities ``(batch, classes)``.

    Raises
    ------
    InvalidInput
        If an argument is out of range.

    Examples
    --------
    >>> model = build_cnn3d(["no atrophy", "atrophy"], size=(16, 20, 24), filters=(4, 8))
    >>> model.input_shape, model.get_layer("cells").output.shape, model.output_shape
    ((None, 16, 20, 24, 1), (None, 8, 10, 12, 8), (None, 2))
    """
    check_process()
    check_backend()
    number = number_of(classes)
    _check(size, filters)
    layers = keras.layers
    with keep_python_random():
        inputs = keras.Input((*size, channels), name="volume")
        x = layers.Rescaling(1 / scale, dtype="float32", name="prepare")(inputs)
        for block, features in enumerate(filters, start=1):
            x = _convolved(x, features, 1 if block == 1 else 2, f"block{block}")
        x = _convolved(x, filters[-1], 1, "last", out="cells")
        x = layers.GlobalAveragePooling3D(name="pool")(x)
        x = layers.Dropout(dropout, seed=seed, name="dropout")(x)
        x = layers.Dense(number, name="logits")(x)
        outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
        model = keras.Model(inputs, outputs, name="cnn3d_classifier")
        draw_weights(model, seed)
    return model


def _convolved(
    x: keras.KerasTensor, features: int, stride: int, name: str, out: str | None = None
) -> keras.KerasTensor:
    """Convolve, without a bias since the batch norm has one, normalise, and cut off below 0."""
    layers = keras.layers
    x = layers.Conv3D(
        features, 3, strides=stride, padding="same", use_bias=False,
        kernel_initializer="he_normal", name=f"{name}_conv",
    )(x)  # fmt: skip
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation("relu", name=out or f"{name}_out")(x)


def _check(size: Sequence[int], filters: Sequence[int]) -> None:
    if len(filters) < 2:
        raise InvalidInput(f"`filters` must be those of at least 2 blocks, got {shown(tuple(filters))}.")
    least = 2 ** len(filters)
    if len(size) != 3 or min(size) < least:
        raise InvalidInput(
            f"`size` must be three sides, each at least {least} voxels for {len(filters)} blocks, got "
            f"{shown(tuple(size))}."
        )

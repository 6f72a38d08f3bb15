"""Networks over frames or slices: the map has every frame's own cells, and the answer is known."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use

with on_first_use():
    import keras
    from keras import layers, ops

pytestmark = pytest.mark.tensorflow

T, H, W = 5, 12, 17
WHERE = (3, 4, 11)
GAIN = 90


def film():
    made = np.zeros((T, H, W, 1), np.float32)
    t, y, x = WHERE
    made[t, y - 1 : y + 2, x - 1 : x + 2] = 1
    return made


def convolution(rank=2, name="seen"):
    """A mean over neighbours, which keeps the sum of what lies off the border."""
    kernel = keras.initializers.Constant(1 / 3**rank)
    kind = getattr(layers, f"Conv{rank}D")
    return kind(1, 3, padding="same", use_bias=False, kernel_initializer=kernel, name=name)


def head():
    dense = layers.Dense(2, "softmax", kernel_initializer="zeros")
    dense.build((None, 1))
    dense.set_weights([np.float32([[-GAIN, GAIN]]), np.float32([1, -1])])
    return dense


def encoder(shape=(H, W, 1)):
    return keras.Sequential(
        [keras.Input(shape), convolution(), layers.GlobalAveragePooling2D()], name="encoder"
    )


def adding_up():
    """A recurrent layer that adds up what comes."""
    ones = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    return layers.SimpleRNN(1, activation="linear", use_bias=False, **ones)


def over(*steps, shape=(T, H, W, 1)):
    return keras.Sequential([keras.Input(shape), *steps, head()])


def one_by_one():
    image, shared = keras.Input((T, H, W, 1)), encoder()
    each = [shared(layers.Lambda(lambda x, i=i: x[:, i])(image)) for i in range(T)]
    return keras.Model(image, head()(layers.Average()(each)))


MEAN = 1.0
SUM = float(T)
NETWORKS = {
    "convolved frame by frame": (
        lambda: over(layers.TimeDistributed(convolution()), layers.GlobalAveragePooling3D()),
        MEAN,
    ),
    "encoded frame by frame": (
        lambda: over(layers.TimeDistributed(encoder()), layers.GlobalAveragePooling1D()),
        MEAN,
    ),
    "encoded, then added up by a recurrent layer": (
        lambda: over(layers.TimeDistributed(encoder()), adding_up()),
        SUM,
    ),
    "folded into the batch": (
        lambda: over(
            layers.Lambda(lambda x: ops.reshape(x, (-1, H, W, 1))),
            encoder(),
            layers.Lambda(lambda x: ops.reshape(x, (-1, T, 1))),
            layers.GlobalAveragePooling1D(),
        ),
        MEAN,
    ),
    "folded into the batch and back": (
        lambda: over(
            layers.Lambda(lambda x: ops.reshape(x, (-1, H, W, 1))),
            convolution(),
            layers.Lambda(lambda x: ops.reshape(x, (-1, T, H, W, 1))),
            layers.GlobalAveragePooling3D(),
        ),
        MEAN,
    ),
    "one by one": (one_by_one, MEAN),
    "without channels": (
        lambda: over(
            layers.Reshape((T, H, W, 1)),
            layers.TimeDistributed(encoder()),
            layers.GlobalAveragePooling1D(),
            shape=(T, H, W),
        ),
        MEAN,
    ),
    "frames behind the channels": (
        lambda: over(
            layers.Permute((4, 1, 2, 3)),
            layers.TimeDistributed(encoder()),
            layers.GlobalAveragePooling1D(),
            shape=(H, W, 1, T),
        ),
        MEAN,
    ),
    "volumes behind frames": (
        lambda: over(
            layers.TimeDistributed(convolution(name="first")),
            convolution(3),
            layers.GlobalAveragePooling3D(),
        ),
        MEAN,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_frame_has_its_own_cells(name):
    make, times = NETWORKS[name]
    last = name == "frames behind the channels"
    given = np.moveaxis(film(), 0, 2) if last else film()
    found = xaimri.explain(make(), given, "hirescam", target=1)
    right = 1 / (1 + np.exp(-2 * (GAIN * times * 9 / (T * H * W) - 1)))
    assert found.probabilities[1] == pytest.approx(right, abs=1e-5)
    assert found.values.shape == given.shape[:3]
    assert not found.diagnostics["grid"]["assumed"]
    values = np.moveaxis(found.values, 2, 0) if last else found.values
    centre = [(values * axis).sum() / values.sum() for axis in np.indices(values.shape)]
    assert centre == pytest.approx(WHERE, abs=1e-3)
    assert "assumed_geometry" not in [caveat.name for caveat in found.caveats]


def test_a_layer_that_runs_on_every_frame_can_be_named():
    found = xaimri.explain(NETWORKS["encoded frame by frame"][0](), film(), target=1, layer="seen")
    assert np.unravel_index(found.values.argmax(), found.values.shape)[0] == WHERE[0]
    assert found.diagnostics["cells"] == (T, H, W)


@pytest.mark.parametrize("sequences", [True, False])
def test_a_recurrent_convolution_is_opened_in_a_known_place(sequences):
    keras.utils.set_random_seed(0)
    pool = layers.GlobalAveragePooling3D() if sequences else layers.GlobalAveragePooling2D()
    recurrent = layers.ConvLSTM2D(4, 3, padding="same", return_sequences=sequences)
    model = keras.Sequential([keras.Input((T, H, W, 1)), recurrent, pool, layers.Dense(2, "softmax")])
    found = xaimri.explain(model, film(), "hirescam", target=1)
    grid = found.diagnostics["grid"]
    assert not grid["assumed"]
    assert tuple(grid["cells"]) == ((T, H, W) if sequences else (1, H, W))
    if sequences:  # nothing is seen before the blob appears
        assert np.abs(found.values[: WHERE[0]]).max() < 1e-3 * np.abs(found.values).max()
    else:  # what it keeps in the end is no frame's own
        np.testing.assert_allclose(found.values, found.values[:1].repeat(T, axis=0), atol=1e-6)

"""Networks that are edited between two calls, or that do not take images as we lay them."""

import keras
import numpy as np
import pytest

import xaimri
from xaimri import KerasClassifier
from xaimri.errors import InvalidInput, MissingCapability

pytestmark = pytest.mark.tensorflow

IMAGE = np.random.default_rng(0).uniform(0, 255, (13, 11, 1)).astype(np.float32)


def network(classes=3):
    layers = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((13, 11, 1)), *layers])


def test_an_exchanged_head_is_seen():
    model = network()
    xaimri.explain(model, IMAGE)
    model.pop()
    model.add(keras.layers.Dense(5, activation="softmax"))
    found = xaimri.explain(model, IMAGE)
    assert found.probabilities == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


def test_an_exchanged_activation_is_seen():
    model = network()
    xaimri.explain(model, IMAGE)
    model.layers[-1].activation = keras.activations.linear
    found = xaimri.explain(model, IMAGE, outputs="logits")
    assert found.logits == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


def test_channels_first_is_refused_with_a_way_out():
    layers = [
        keras.layers.Conv2D(4, 3, data_format="channels_first"),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input((3, 13, 11)), *layers])
    with pytest.raises(MissingCapability, match="transposes"):
        KerasClassifier(model, outputs="logits")


@pytest.mark.parametrize("unit", [-1, 3])
def test_a_unit_that_is_not_there_is_named_with_the_range(unit):
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="sigmoid")]
    model = keras.Sequential([keras.Input((13, 11, 1)), *layers])
    with pytest.raises(InvalidInput, match=r"0\.\.2"):
        KerasClassifier(model, unit=unit).logits(IMAGE[None])


def test_a_network_that_refuses_the_image_says_so_in_one_sentence():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, activation="softmax")

        def call(self, x):
            return self.dense(keras.ops.reshape(x, (-1, 143)))

    model = Own()
    model(IMAGE[None])
    with pytest.raises(InvalidInput, match="does not take images of shape") as caught:
        xaimri.explain(model, IMAGE[:5], "lime", classes=("a", "b"), samples=8)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_flat_input_is_no_image():
    model = keras.Sequential([keras.Input((143,)), keras.layers.Dense(2, activation="softmax")])
    with pytest.raises(InvalidInput, match="is no image"):
        xaimri.explain(model, IMAGE, "lime")


def test_a_reordering_by_index_is_no_known_geometry():
    inputs = keras.Input((12, 12, 1))
    turned = keras.ops.take(inputs, np.arange(11, -1, -1), axis=1)
    x = keras.layers.Conv2D(4, 3, activation="relu")(turned)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    found = xaimri.explain(keras.Model(inputs, outputs), IMAGE)
    assert "assumed_geometry" in [caveat.name for caveat in found.caveats]

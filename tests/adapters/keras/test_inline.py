"""Functions that are called inside a network are read and differentiated as if they were written out."""

import warnings

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from networks import noise, small

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier
    from xaimri.adapters.keras.inline import inlined, opened

pytestmark = pytest.mark.tensorflow

IMAGE = noise((20, 28, 3), count=1)[0]


def exported(model, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(folder, verbose=False)
    return str(folder)


def layer_of(folder, endpoint):
    image = keras.Input((20, 28, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return image, layers.TFSMLayer(folder, call_endpoint=endpoint)(image)


@pytest.mark.parametrize("endpoint", ["serve", "serving_default"])
def test_a_saved_network_in_a_layer_has_the_logits_and_gradients_of_the_network(tmp_path, endpoint):
    full = small()
    folder = exported(full, tmp_path / "full")
    image, answer = layer_of(folder, endpoint)
    model = keras.Model(image, answer)
    images = IMAGE[None]
    np.testing.assert_allclose(
        KerasClassifier(model).logits(images), KerasClassifier(full).logits(images), atol=1e-5
    )
    expected, found = (xaimri.explain(m, IMAGE, "saliency", target=1) for m in (full, model))
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5 * np.abs(expected.values).max())
    assert found.diagnostics["outputs"] == "softmax"


def test_the_map_of_a_saved_backbone_is_that_of_the_network(tmp_path):
    full = small()
    backbone = keras.Model(full.inputs[0], full.get_layer("last").output)
    image, features = layer_of(exported(backbone, tmp_path / "backbone"), "serve")
    pooled = layers.GlobalAveragePooling2D()(features)
    head = layers.Dense(4, activation="softmax")
    model = keras.Model(image, head(pooled))
    head.set_weights(full.get_layer("head").get_weights())
    expected, found = (xaimri.explain(m, IMAGE, target=2) for m in (full, model))
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5 * np.abs(expected.values).max())
    assert not found.diagnostics["grid"]["assumed"]


def turns(x, weight):
    """A function with variables, a loop, a condition and functions in functions."""
    inner = tf.function(lambda y: tf.tanh(y * weight))

    def body(i, y):
        return i + 1, inner(y) + tf.cond(tf.reduce_sum(y) > 0, lambda: y / 2, lambda: -y)

    return tf.while_loop(lambda i, _: i < 3, body, (0, x))[1], inner(x), x


def test_a_body_gives_what_the_call_gives_and_its_gradients():
    weight = tf.Variable(0.7)
    traced = tf.function(lambda x: turns(x, weight), input_signature=[tf.TensorSpec((None, 4))])
    traced = traced.get_concrete_function()
    given = tf.constant(noise((4,), count=3))

    @tf.function(autograph=False)
    def both(x):
        called = traced(x)
        written = inlined(traced, x)
        one = [opened(t) for t in called]
        slopes = [tf.gradients(t, [x, weight.handle])[0] for t in (called[1], written[1], one[1])]
        return called, written, one, slopes

    called, written, one, slopes = both(given)
    for outputs in (written, one):
        for found, expected in zip(outputs, called, strict=True):
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(slopes[1], slopes[0])
    np.testing.assert_allclose(slopes[2], slopes[0])
    weight.assign(-0.2)  # the variables are those of the call
    called, written, one, _ = both(given)
    np.testing.assert_array_equal(written[0], called[0])
    np.testing.assert_array_equal(one[1], called[1])


def test_what_is_no_call_is_not_opened():
    @tf.function(autograph=False)
    def trace(x):
        assert opened(x * 2) is None
        return x

    trace(tf.ones(3))

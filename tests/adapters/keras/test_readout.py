"""The features of a Keras network are what its last dense layer takes, however the network was built."""

import numpy as np
import pytest

from frameworks import on_first_use
from networks import noise
from xaimri.classifier import Featured
from xaimri.errors import MissingCapability
from xaimri.testing.readouts import features_leave_the_images_alone, features_make_the_logits

with on_first_use():
    import keras
    from keras import layers, ops

    import zoo
    from xaimri.adapters.keras import KerasClassifier

pytestmark = pytest.mark.tensorflow

FEATURES = {"several inputs": 12, "inputs by name": 8, "one backbone called twice": 14, "sequential": 5}
"""Units before the last layer; of a network with further inputs, those among them."""

QUICK = {
    "flat",
    "sequential, lazily built",
    "single sigmoid",
    "independent sigmoids",
    "subclassed, not built",
}


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in zoo.ZOO]
)
def test_the_last_dense_layer_makes_the_logits_of_the_features(name):
    specimen = zoo.make(name)
    images, classifier = specimen.images(3), KerasClassifier(specimen.model, **specimen.options)
    features, readout = classifier.features(images), classifier.readout(images[:1])
    logits = classifier.logits(images)
    assert isinstance(classifier, Featured)
    assert features.shape == (3, FEATURES.get(name, features.shape[1]))
    assert np.abs(readout.logits(features) - logits).max() <= 1e-5 * np.abs(logits).max()


def pool():
    return [keras.Input((12, 14, 1)), layers.Conv2D(5, 3, activation="relu"), layers.GlobalAveragePooling2D()]


def test_features_and_weights_are_those_of_the_layers():
    model = keras.Sequential([*pool(), layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(1)])
    with_end = keras.Sequential([*model.layers, layers.Activation("sigmoid")])
    images = noise((12, 14, 1), count=3)
    cut = keras.Sequential(model.layers[:-2])
    classifier = KerasClassifier(with_end)
    np.testing.assert_allclose(classifier.features(images), cut(images), atol=1e-6)
    kernel = np.asarray(model.layers[-1].kernel)
    readout = classifier.readout(images)
    np.testing.assert_allclose(readout.weights, np.concatenate([-kernel / 2, kernel / 2], axis=1), atol=1e-6)
    model.layers[-1].bias.assign([0.75])  # read anew, whenever it is asked for
    np.testing.assert_allclose(classifier.readout(images).bias, [-0.375, 0.375], atol=1e-6)
    features_make_the_logits(classifier, images)
    features_leave_the_images_alone(classifier, images)


def test_a_temperature_and_a_norm_behind_the_last_layer_belong_to_it():
    scaled = keras.Sequential([*pool(), layers.Dense(3), layers.Rescaling(1 / 2.5), layers.Softmax()])
    normed = keras.Sequential([*pool(), layers.Dense(3), layers.BatchNormalization(), layers.Softmax()])
    normed.layers[-2].moving_mean.assign([1.0, -1.0, 0.5])
    images = noise((12, 14, 1), count=3)
    for model in (scaled, normed):
        classifier = KerasClassifier(model)
        made = classifier.readout(images).logits(classifier.features(images))
        np.testing.assert_allclose(made, classifier.logits(images), atol=1e-5)
    kernel = np.asarray(scaled.layers[-3].kernel)
    np.testing.assert_allclose(KerasClassifier(scaled).readout(images).weights, kernel / 2.5, atol=1e-6)


def convolved():
    parts = [keras.Input((12, 14, 1)), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()]
    return keras.Sequential([*parts, layers.Softmax()])


def dense_of_cells():
    parts = [keras.Input((12, 14, 1)), layers.Dense(3), layers.GlobalAveragePooling2D(), layers.Softmax()]
    return keras.Sequential(parts)


def averaged():
    image = keras.Input((12, 14, 1))
    ends = [keras.Sequential([*pool(), layers.Dense(3, "softmax")])(image) for _ in range(2)]
    return keras.Model(image, layers.Average()(ends))


def squashed():
    head = [layers.Dense(3), layers.Activation("tanh"), layers.Softmax()]
    return keras.Sequential([*pool(), *head])


def with_a_residual():
    image = keras.Input((12, 14, 1))
    x = keras.Sequential(pool())(image)
    return keras.Model(image, layers.Softmax()(layers.Dense(3)(x) + ops.tanh(layers.Dense(3)(x))))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (convolved, "from a convolution"),
        (dense_of_cells, "from a layer of every cell"),
        (averaged, "several networks"),
        (squashed, "operation Tanh"),
        (with_a_residual, "operation Tanh"),
    ],
)
def test_a_network_without_a_last_dense_layer_says_so(make, sentence):
    classifier, images = KerasClassifier(make()), noise((12, 14, 1))
    with pytest.raises(MissingCapability, match=f"{sentence}.*end it in a dense layer"):
        classifier.features(images)
    features_make_the_logits(classifier, images)  # a promise that is not made is not broken

"""What a traced graph proves: nothing drawn, and images kept apart; what it can't prove is asked."""

import numpy as np
import pytest

import xaimri
import zoo
from frameworks import on_first_use
from xaimri.caveats import Reason
from xaimri.doubts.alone import variation

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers, ops

    from xaimri import KerasClassifier

pytestmark = pytest.mark.tensorflow

SHAPE = (16, 18, 1)
BOTH = {Reason.NOT_DETERMINISTIC, Reason.DEPENDS_ON_BATCH}
SCANS = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)


def lasting(kind, *given, **options):
    """A layer of the kind that acts as in training whatever it is told."""

    class Lasting(kind):
        def call(self, x, training=None, **more):
            return super().call(x, training=True)

    return Lasting(*given, **options)


def always(inner):
    class Always(layers.Wrapper):
        def call(self, x):
            return self.layer(x, training=True)

    return Always(inner)


def own_flag():
    class Own(keras.Model):
        """A flag of its own, that trains unless it is told otherwise."""

        def __init__(self):
            super().__init__()
            self.first, self.last = layers.Conv2D(4, 3, activation="relu"), layers.Dense(2, "softmax")
            self.drop = layers.Dropout(0.5)

        def call(self, x, is_training=True):
            return self.last(ops.mean(self.drop(self.first(x), training=is_training), (1, 2)))

    return Own()


def chain(*middle, first=()):
    keras.utils.set_random_seed(0)
    wide = keras.initializers.RandomNormal(0, 3, seed=0)
    head = [layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax", kernel_initializer=wide)]
    return keras.Sequential(
        [keras.Input(SHAPE), *first, layers.Conv2D(4, 3, activation="relu"), *middle, *head]
    )


def own():
    keras.utils.set_random_seed(0)
    model = own_flag()
    model(np.zeros((1, *SHAPE), np.float32))
    return model


def folded(x):
    """All images of a batch in one row, normalised together, and cut apart again."""
    row = ops.reshape(x, (1, -1, 4))
    return ops.reshape((row - ops.mean(row, 1, keepdims=True)) / ops.std(row, 1, keepdims=True), ops.shape(x))


RANDOM = {
    "Monte Carlo dropout": lambda: chain(lasting(layers.SpatialDropout2D, 0.5)),
    "dropout in a wrapper": lambda: chain(always(layers.Dropout(0.5))),
    "noise kept on": lambda: chain(lasting(layers.GaussianNoise, 0.5)),
    "augmentation kept on": lambda: chain(first=[lasting(layers.RandomBrightness, 0.5, value_range=(0, 1))]),
    "a Lambda that draws": lambda: chain(layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x)))),
    "one draw for the whole batch": lambda: chain(layers.Lambda(lambda x: x * tf.random.uniform(()))),
    "a flag of its own": own,
}
TOGETHER = {
    "batch norm by the batch": lambda: chain(lasting(layers.BatchNormalization)),
    "the mean over the batch": lambda: chain(
        layers.Lambda(lambda x: x - tf.reduce_mean(x, 0, keepdims=True))
    ),
    "the mean of everything": lambda: chain(layers.Lambda(lambda x: x / tf.reduce_mean(x))),
    "in another order": lambda: chain(layers.Lambda(lambda x: tf.reverse(x, [0]))),
    "in another order, by a slice": lambda: chain(layers.Lambda(lambda x: x[::-1])),
    "the first one added": lambda: chain(layers.Lambda(lambda x: x + x[:1])),
    "laid in one row": lambda: chain(layers.Lambda(folded)),
}


@pytest.mark.parametrize("name", RANDOM | TOGETHER)
def test_what_is_no_function_of_one_image_is_told_on_every_map(name):
    model = xaimri.open_model((RANDOM | TOGETHER)[name]())
    right = {Reason.NOT_DETERMINISTIC if name in RANDOM else Reason.DEPENDS_ON_BATCH}
    for method in ("gradcam", "saliency"):
        assert {c.reason for c in model.explain(SCANS[0], method, target=1).caveats} & BOTH == right
    for found in model.explain_all(list(SCANS), "hirescam", target=1):
        assert {c.reason for c in found.caveats} & BOTH == right
    assert not model.classifier.pure


def small(make):
    """Every image is asked about alone, and with the two others."""
    classifier = KerasClassifier(make())
    one = np.concatenate([classifier.logits(image[None]) for image in SCANS])
    alone_ = classifier.pure
    np.testing.assert_allclose(classifier.logits(SCANS), one, atol=1e-5)
    return alone_, classifier.pure


APART = {
    "plain": lambda: chain(),
    "switched off": lambda: chain(
        layers.Dropout(0.5), layers.GaussianNoise(0.5), layers.BatchNormalization()
    ),
    "normalised by itself": lambda: chain(layers.LayerNormalization()),
    "squeezed": lambda: chain(layers.Lambda(lambda x: x * ops.mean(x, (1, 2), keepdims=True))),
    "cut and joined": lambda: chain(
        layers.Lambda(lambda x: tf.concat(tf.split(x, 2, axis=-1)[::-1], axis=-1)),
        layers.Cropping2D(1),
        layers.ZeroPadding2D(2),
    ),
    "the channels first": lambda: chain(layers.Permute((3, 1, 2)), layers.Permute((2, 3, 1))),
}


@pytest.mark.parametrize("name", APART)
def test_ordinary_networks_are_proved_at_any_size_of_the_batch(name):
    assert small(APART[name]) == (True, True)


def test_a_reshaping_is_no_proof_where_numbers_are_gathered_behind_it():
    """Group normalisation reshapes first: of one image it could be any; of several it is seen."""
    assert small(lambda: chain(layers.GroupNormalization(2))) == (False, True)


ORDINARY = {
    "flat",
    "nested",
    "sequential",
    "subclassed",
    "branches",
    "volumes",
    "flatten head",
    "mixed float16",
} | {
    "squeeze and excitation",
    "single sigmoid",
    "several inputs",
    "preprocessing inside",
}
"""Those of which the graph itself has to be enough: they are not to cost a pass more."""


@pytest.mark.parametrize("name", zoo.ZOO)
def test_what_is_proved_is_so_and_what_is_not_is_asked(name):
    specimen = zoo.make(name)
    model = xaimri.open_model(specimen.model, **specimen.options).classifier
    (image,) = specimen.images(1)
    alone_ = model.logits(image[None])
    assert model.pure or name not in ORDINARY
    assert variation(model, image) is None
    pair = np.stack([image, image[::-1]])
    np.testing.assert_allclose(model.logits(pair)[0], alone_[0], atol=max(specimen.tolerance, 1e-5))


def switched():
    class Switched(layers.Layer):
        """Adds noise, or group normalisation, which a graph can't prove to keep images apart."""

        on = False

        def build(self, shape):
            self.norm = layers.GroupNormalization(2)
            self.norm.build(shape)

        def call(self, x):
            return x + tf.random.normal(tf.shape(x)) if self.on else self.norm(x)

    return Switched()


def test_it_is_asked_once_a_network_and_again_when_a_layer_was_changed(monkeypatch):
    asked = []
    run = KerasClassifier.logits

    def counting(self, images):
        asked.append(len(images))
        return run(self, images)

    monkeypatch.setattr(KerasClassifier, "logits", counting)
    layer = switched()
    network = chain(layer)
    for _ in range(2):
        found = xaimri.explain(network, SCANS[0], "gradcam", target=1)
        assert asked == [2] * 3
    layer.on = True
    found = xaimri.explain(network, SCANS[0], "gradcam", target=1)
    assert asked == [2] * 8
    assert Reason.NOT_DETERMINISTIC in {caveat.reason for caveat in found.caveats}


def test_preprocessing_outside_tensorflow_is_asked():
    draws = np.random.default_rng(0)
    noisy = lambda images: np.asarray(images) + draws.normal(size=(1, 1, 1, 1))  # noqa: E731
    found = xaimri.explain(chain(), SCANS[0], target=1, preprocess=noisy)
    assert Reason.NOT_DETERMINISTIC in {caveat.reason for caveat in found.caveats}
    steady = xaimri.explain(chain(), SCANS[0], target=1, preprocess=lambda images: np.asarray(images) / 2)
    assert not BOTH & {caveat.reason for caveat in steady.caveats}


@pytest.mark.slow
def test_a_network_that_openvino_runs_is_no_other():
    pytest.importorskip("openvino")
    for engine in ("openvino", "tensorflow"):
        found = xaimri.explain(chain(), SCANS[0], "lime", samples=40, regions=6, engine=engine)
        assert not BOTH & {caveat.reason for caveat in found.caveats}

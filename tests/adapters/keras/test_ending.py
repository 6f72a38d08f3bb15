"""What a network says is read from its end: a default call gives its own probabilities, or asks."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from networks import noise
from xaimri.objective import softmax

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers, ops

    from xaimri import KerasClassifier

pytestmark = pytest.mark.tensorflow

SHAPE = (8, 9, 2)
IMAGES = noise(SHAPE, count=3, scale=2.0)


def of(end, body=None):
    """A network of random weights: pooled features, and an end."""
    keras.utils.set_random_seed(1)
    image = keras.Input(SHAPE)
    x = layers.Conv2D(5, 3, activation="relu", kernel_initializer="random_normal")(image)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x) if body is None else body(x)
    return keras.Model(image, end(x))


def dense(units, activation=None):
    wide = keras.initializers.RandomNormal(0, 3.0)
    return layers.Dense(units, activation=activation, kernel_initializer=wide, bias_initializer=wide)


def conv(units, activation=None):
    wide = keras.initializers.RandomNormal(0, 3.0)
    return layers.Conv2D(units, 1, activation=activation, kernel_initializer=wide)


def flat(x):
    return layers.Flatten()(x)


def function(inside):
    """A layer whose operations stand in a function of their own."""
    return layers.Lambda(lambda x: tf.function(inside, autograph=False)(x))


def smoothed(p):
    return 0.9 * p + 0.1 / 3


def mean_of(activation, units):
    return lambda x: layers.Average()([dense(units, activation)(flat(x)) for _ in range(2)])


def merged_classes(x):
    """Probabilities of four classes, two of them added up."""
    merging = np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    return ops.matmul(dense(4, "softmax")(flat(x)), merging)


def experts(x):
    shares = dense(2, "softmax")(flat(x))
    answers = ops.stack([dense(3, "softmax")(flat(x)) for _ in range(2)], axis=1)
    return ops.einsum("be,bec->bc", shares, answers)


def forest(x):
    """Ways through a tree, times distributions at its leaves."""
    leaves = tf.Variable(noise((3,), count=2))
    way = dense(1, "sigmoid")(flat(x))
    ways = layers.Concatenate()([way, 1 - way])
    return layers.Lambda(lambda both: tf.matmul(both, tf.nn.softmax(leaves)))(ways)


def opposite(x):
    p = dense(1, "sigmoid")(flat(x))
    return layers.Concatenate()([1 - p, p])


def shares(x):
    powers = ops.exp(dense(3)(flat(x)))
    return powers / ops.sum(powers, axis=-1, keepdims=True)


P = "probabilities"
DECIDED = {
    "softmax": (lambda x: dense(3, "softmax")(flat(x)), "softmax"),
    "softmax, then numbers of another precision": (
        lambda x: ops.cast(dense(3, "softmax")(flat(x)), "float64"), "softmax"
    ),
    "softmax of a convolution": (lambda x: conv(3, "softmax")(x), "softmax"),
    "softmax of a convolution, flattened": (lambda x: flat(conv(3, "softmax")(x)), "softmax"),
    "softmax of a convolution, pooled": (
        lambda x: layers.GlobalMaxPooling2D()(conv(3, "softmax")(x)), "softmax"
    ),
    "softmax of a convolution, a cell taken": (lambda x: conv(3, "softmax")(x)[:, 0, 0], "softmax"),
    "softmax over the first axis": (
        lambda x: layers.Softmax(axis=1)(layers.Permute((3, 1, 2))(conv(3)(x))), "softmax"
    ),
    "softmax in a sequence of one": (
        lambda x: layers.Reshape((1, 3))(dense(3, "softmax")(flat(x))), "softmax"
    ),
    "softmax of a temperature": (lambda x: ops.softmax(dense(3)(flat(x)) / 2.5), "softmax"),
    "softmax in a function": (lambda x: function(tf.nn.softmax)(dense(3)(flat(x))), "softmax"),
    "softmax in a function of a function": (
        lambda x: function(lambda y: tf.function(tf.nn.softmax)(y * 2))(dense(3)(flat(x))), "softmax"
    ),
    "logarithm of a softmax": (lambda x: ops.log_softmax(dense(3)(flat(x))), "log_softmax"),
    "sigmoid": (lambda x: dense(1, "sigmoid")(flat(x)), "sigmoid"),
    "sigmoid without an axis": (lambda x: layers.Reshape(())(dense(1, "sigmoid")(flat(x))), "sigmoid"),
    "sigmoid of a convolution": (lambda x: conv(1, "sigmoid")(x), "sigmoid"),
    "sigmoid in a function": (lambda x: function(tf.sigmoid)(dense(1)(flat(x))), "sigmoid"),
    "linear, two units": (lambda x: dense(2)(flat(x)), "logits"),
    "linear, three units": (lambda x: dense(3)(flat(x)), "logits"),
    "linear convolution": (lambda x: conv(3)(x), "logits"),
    "linear convolution of many cells, pooled": (
        lambda x: layers.GlobalAveragePooling2D()(conv(3)(layers.UpSampling2D(2)(x))), "logits"
    ),
    "linear, with a temperature": (lambda x: dense(3)(flat(x)) / 1.7, "logits"),
    "linear, normalised": (lambda x: layers.BatchNormalization()(dense(3)(flat(x))), "logits"),
    "linear by Einstein's sum": (
        lambda x: layers.EinsumDense("ba,ac->bc", (3,), bias_axes="c")(flat(x)), "logits"
    ),
    "linear, the mean of two": (mean_of(None, 3), "logits"),
    "linear behind sigmoids": (lambda x: dense(3)(dense(4, "sigmoid")(flat(x))), "logits"),
    "linear in a function": (
        lambda x: function(lambda y: tf.matmul(y, tf.constant(noise((5, 3))[0])))(flat(x)), "logits"
    ),
    "smoothed": (lambda x: smoothed(dense(3, "softmax")(flat(x))), P),
    "clipped": (lambda x: ops.clip(dense(3, "softmax")(flat(x)), 1e-6, 1 - 1e-6), P),
    "mean of softmaxes": (mean_of("softmax", 3), P),
    "classes added up": (merged_classes, P),
    "experts": (experts, P),
    "a forest": (forest, P),
    "shares": (shares, P),
    "a probability and its opposite": (opposite, P),
    "mean of sigmoids": (mean_of("sigmoid", 1), P),
    "opposite of a sigmoid": (lambda x: 1 - dense(1, "sigmoid")(flat(x)), P),
    "clipped sigmoid": (lambda x: ops.clip(dense(1, "sigmoid")(flat(x)), 1e-6, 1 - 1e-6), P),
}  # fmt: skip


def said(model, outputs):
    """The network's own probabilities of the images."""
    rows = np.asarray(model(IMAGES, training=False), np.float64).reshape(len(IMAGES), -1)
    if outputs == "logits":
        return softmax(rows)
    rows = np.exp(rows) if outputs == "log_softmax" else rows
    return np.concatenate([1 - rows, rows], axis=1) if rows.shape[1] == 1 else rows


@pytest.mark.parametrize("name", DECIDED)
def test_a_default_call_gives_the_networks_own_probabilities(name):
    end, outputs = DECIDED[name]
    model = of(end)
    classifier = KerasClassifier(model)
    np.testing.assert_allclose(softmax(classifier.logits(IMAGES)), said(model, outputs), atol=2e-6)
    assert classifier.findings == {"outputs": outputs}
    assert len(classifier.classes) == said(model, outputs).shape[1]


def half_open(x):
    return 2 * dense(1, "sigmoid")(flat(x)) - 1


ASKED = {
    "one plain unit": (lambda x: dense(1)(flat(x)), r'a plain unit, which may be.*pass outputs="logits"'),
    "one plain unit in a function": (
        lambda x: function(lambda y: tf.matmul(y, tf.ones((5, 1))))(flat(x)), "a plain unit"
    ),
    "one plain convolution": (lambda x: conv(1)(x), "a plain unit"),
    "one plain unit, scaled": (lambda x: 40 + 12 * dense(1)(flat(x)), "a plain unit"),
    "tanh": (lambda x: dense(1, "tanh")(flat(x)), r"one number per image.*end it in a sigmoid"),
    "relu": (lambda x: dense(1, "relu")(flat(x)), "one number per image"),
    "a sigmoid spread over -1..1": (half_open, "one number per image"),
    "several relus": (lambda x: dense(3, "relu")(flat(x)), r'not probabilities.*pass outputs="logits"'),
    "several tanhs": (lambda x: dense(3, "tanh")(flat(x)), "not probabilities"),
    "features": (flat, "not probabilities"),
    "sigmoids": (lambda x: dense(3, "sigmoid")(flat(x)), "3 independent sigmoids"),
    "sigmoids side by side": (
        lambda x: layers.Concatenate()([dense(1, "sigmoid")(flat(x)) for _ in range(3)]),
        "3 independent sigmoids",
    ),
    "means of sigmoids": (mean_of("sigmoid", 3), "pick one that is independent of the others by `unit=`"),
    "a softmax of one": (lambda x: dense(1, "softmax")(flat(x)), "over one unit, which is 1 whatever"),
    "a softmax of ones": (
        lambda x: flat(layers.Softmax()(layers.Permute((3, 1, 2))(conv(3)(x)))), "over one unit"
    ),
    "some of a softmax": (lambda x: dense(5, "softmax")(flat(x))[:, :3], "not probabilities"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_decided_is_asked(name):
    end, sentence = ASKED[name]
    with pytest.raises(xaimri.InvalidInput, match=sentence) as refusal:
        KerasClassifier(of(end)).logits(IMAGES)
    assert "\n" not in str(refusal.value)


def test_the_ways_out_of_what_is_asked_work():
    one = of(ASKED["one plain unit"][0])
    z = np.asarray(one(IMAGES))[:, 0]
    told = KerasClassifier(one, outputs="logits")
    np.testing.assert_allclose(softmax(told.logits(IMAGES))[:, 1], 1 / (1 + np.exp(-z)), rtol=1e-5)
    several = of(ASKED["sigmoids side by side"][0])
    told = KerasClassifier(several, unit=1)
    np.testing.assert_allclose(
        softmax(told.logits(IMAGES))[:, 1], np.asarray(several(IMAGES))[:, 1], rtol=1e-5
    )
    assert told.findings == {"outputs": "sigmoid"}
    means = of(ASKED["means of sigmoids"][0])
    told = KerasClassifier(means, unit=2)
    np.testing.assert_allclose(softmax(told.logits(IMAGES))[:, 1], np.asarray(means(IMAGES))[:, 2], rtol=1e-4)
    relus = of(ASKED["several relus"][0])
    told = KerasClassifier(relus, outputs="logits")
    np.testing.assert_allclose(softmax(told.logits(IMAGES)), softmax(np.asarray(relus(IMAGES))), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "outputs", "sentence"),
    [
        ("softmax of a convolution, flattened", "logits", 'leave `outputs="logits"` out'),
        ("mean of sigmoids", "logits", "a mixture of sigmoids, so its outputs are probabilities"),
        ("smoothed", "logits", "lie in 0..1 and add up to 1, as probabilities do"),
        ("shares", "logits", "lie in 0..1 and add up to 1"),
        ("logarithm of a softmax", "probabilities", "so its outputs are no probabilities"),
        ("linear, three units", "probabilities", "are not probabilities"),
    ],
)
def test_what_the_caller_says_is_held_to_the_network(name, outputs, sentence):
    with pytest.raises(xaimri.InvalidInput, match=sentence):
        KerasClassifier(of(DECIDED[name][0]), outputs=outputs).logits(IMAGES)


def test_one_plain_unit_is_never_believed_to_be_a_probability():
    for options in ({}, {"outputs": "probabilities"}):
        with pytest.raises(xaimri.InvalidInput, match="plain unit"):
            KerasClassifier(of(ASKED["one plain unit"][0]), **options).logits(IMAGES)


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_every_batch_is_checked(engine):
    if engine == "openvino":
        pytest.importorskip("openvino")
    image = keras.Input(SHAPE)
    mean = layers.GlobalAveragePooling2D()(layers.ReLU()(image))[:, :1]
    two, one = keras.Model(image, ops.concatenate([1 - mean, mean], axis=-1)), keras.Model(image, mean)
    dim, bright = np.full((2, *SHAPE), 0.25, np.float32), np.full((2, *SHAPE), 6.54, np.float32)
    for model, options in ((two, {}), (one, {"outputs": "probabilities"})):
        classifier = KerasClassifier(model, engine=engine, **options).accelerated(2, SHAPE)
        for _ in range(2):
            np.testing.assert_allclose(softmax(classifier.logits(dim)), [[0.75, 0.25]] * 2, atol=1e-6)
        with pytest.raises(xaimri.InvalidInput, match=r"not probabilities \(one of them is -5\.54|is 6\.54"):
            classifier.logits(bright)
        assert classifier.engine == engine


def test_an_image_whose_outputs_are_no_numbers_is_left_alone():
    model = of(DECIDED["softmax"][0])
    classifier, images = KerasClassifier(model), IMAGES.copy()
    classifier.logits(images)
    images[1] = 3e38
    logits = classifier.logits(images)
    assert np.isfinite(logits).all(axis=1).tolist() == [True, False, True]
    with pytest.raises(xaimri.InvalidInput, match="NaN or infinite"):
        KerasClassifier(model).logits(images)


@pytest.mark.parametrize("gain", [1.0, 3000.0])
def test_a_softmax_in_a_function_has_the_gradient_of_its_logits(gain):
    """Also where the softmax is saturated, and nothing of it can be seen in its output."""
    plain = of(DECIDED["softmax"][0])
    inner = of(lambda x: function(tf.nn.softmax)(dense(3)(flat(x))))
    inner.set_weights(plain.get_weights())
    for model in (plain, inner):
        kernel = next(w for w in model.weights if w.shape == (5, 3))
        kernel.assign(kernel * gain)
    for method in ("saliency", "gradcam"):
        expected, found = (xaimri.explain(m, IMAGES[0], method, target=1) for m in (plain, inner))
        peak = np.abs(expected.values).max()
        assert peak > 0
        assert np.abs(found.values - expected.values).max() <= 1e-6 * peak
        assert [c.name for c in found.caveats] == [c.name for c in expected.caveats]
        assert found.diagnostics["outputs"] == "softmax"

"""Models whose own `predict` says something else than their call."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import keras
    from keras import layers

SHAPE = (12, 10, 3)
BYTES = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.float32)
BRIGHT = 0.5 * BYTES + 100
NAME = "predict_differs"


def told(explanation):
    return {caveat.name: caveat.text for caveat in explanation.caveats}


class Callable:
    """Counts brightness; `predict` does what it is given."""

    asked = 0

    def __init__(self, predict):
        self._predict = predict

    def __call__(self, images):
        second = np.clip(images.mean(axis=(1, 2, 3)) / 255, 0, 1)
        return np.stack([1 - second, second], axis=1)

    def predict(self, images):
        self.asked += 1
        return self._predict(self, images)


SAME = {
    "rows": lambda own, images: own(images),
    "one column": lambda own, images: own(images)[:, 1:],
    "a number": lambda own, images: own(images)[:, 1],
    "logits": lambda own, images: np.log(own(images)) + 3,
    "labels": lambda own, images: own(images).argmax(axis=1),
    "by name": lambda own, images: {"scores": own(images)},
    "words": lambda own, images: ["second"] * len(images),
    "a path": lambda own, images: images.upper(),
    "several": lambda own, images: (own(images), own(images)),
    "a sum of all": lambda own, images: own(images).sum(),
}
OTHER = {
    "scaled before": lambda own, images: own(images / 255),
    "a column, scaled": lambda own, images: own(images / 255)[:, 1:],
    "the other way round": lambda own, images: own(images)[:, ::-1],
    "the other label": lambda own, images: own(images).argmin(axis=1),
    "logits of other images": lambda own, images: np.log(own(images / 2)),
}


@pytest.mark.parametrize("how", SAME)
def test_a_predict_that_says_the_same_or_nothing_comparable_is_no_doubt(how):
    assert NAME not in told(xaimri.explain(Callable(SAME[how]), BYTES, "occlusion"))


@pytest.mark.parametrize("how", OTHER)
def test_a_predict_that_differs_is_said_with_the_size_of_the_difference(how):
    model = Callable(OTHER[how])
    opened = xaimri.open_model(model)
    image = BRIGHT
    text = told(opened.explain(image, "occlusion"))[NAME]
    assert "The model's `predict` says something else" in text
    if "scaled" in how:
        second = image.mean() / 255
        assert f"differ by {second - second / 255:.2g}" in text
    assert NAME in told(opened.explain(image / 2, "lime", samples=50))
    assert model.asked == 1, "it is asked once"


def test_what_is_done_before_it_may_be_given():
    """The remedy: with the scaling of `predict` as `preprocess`, both say the same."""
    model = Callable(OTHER["scaled before"])
    found = xaimri.explain(model, BYTES, "occlusion", preprocess=lambda images: images / 255)
    assert NAME not in told(found)
    again = Callable(OTHER["scaled before"])
    assert NAME not in told(xaimri.explain(lambda images: again.predict(images), BYTES, "occlusion"))


def test_a_probability_of_classes_goes_before_labels():
    class Estimator(Callable):
        def predict_proba(self, images):
            return self(images / 255)

    text = told(xaimri.explain(Estimator(SAME["labels"]), BYTES, "occlusion"))[NAME]
    assert "`predict_proba`" in text


def test_what_predicts_and_cannot_be_called_is_told_how_to_be_given():
    from sklearn.naive_bayes import GaussianNB

    rows = np.random.default_rng(1).normal(100, 60, (6, BYTES.size))
    model = GaussianNB(var_smoothing=1e3).fit(rows, [0, 1, 1, 0, 0, 1])
    with pytest.raises(InvalidInput, match=r"a GaussianNB can't be called.*model\.predict_proba"):
        xaimri.explain(model, BYTES, "occlusion")
    function = lambda images: model.predict_proba(images.reshape(len(images), -1))  # noqa: E731 - as the sentence says
    found = xaimri.explain(function, BYTES, "occlusion")
    np.testing.assert_allclose(found.probabilities, model.predict_proba(BYTES.reshape(1, -1))[0], atol=1e-6)

    class Labels:
        def predict(self, images):
            return ["no"]

    with pytest.raises(InvalidInput, match=r"model\.predict\("):
        xaimri.open_model(Labels())


def network(**methods):
    """A network that is made for 0 to 1, with methods of its own."""
    keras.utils.set_random_seed(0)
    kind = type("Own", (keras.Model,), methods)
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, activation="tanh")(image)
    x = layers.GlobalAveragePooling2D()(x)
    return kind(image, layers.Dense(3, "softmax", kernel_initializer="glorot_normal")(x))


def by_predict(self, images, **options):
    return keras.Model.predict(self, keras.ops.convert_to_numpy(images) / 255, **options)


def by_step(self, data):
    return self(keras.utils.unpack_x_y_sample_weight(data)[0] / 255, training=False)


@pytest.mark.tensorflow
def test_a_networks_own_predict_or_step_is_asked_and_nothing_left_on_it():
    for methods in ({"predict": by_predict}, {"predict_step": by_step}):
        model = network(**methods)
        model.predict(BYTES[None], verbose=0)
        held = dict(vars(model))
        found = xaimri.explain(model, BYTES)
        gap = np.abs(found.probabilities - model.predict(BYTES[None], verbose=0)[0]).max()
        assert f"differ by {gap:.2g}" in told(found)[NAME]
        assert {n for n in held if vars(model).get(n) is not held[n]} <= {"predict_function"}
        right = xaimri.explain(model, BYTES, preprocess=by_255)
        assert NAME in told(right), "asked once a network"
        afresh = network(**methods)
        right = xaimri.explain(afresh, BYTES, preprocess=by_255)
        assert NAME not in told(right)
        assert not {"predict_function", "stop_predicting"} & (set(vars(afresh)) - set(vars(network())))
        np.testing.assert_allclose(right.probabilities, afresh.predict(BYTES[None], verbose=0)[0], atol=1e-6)


def by_255(images):
    return images / 255


@pytest.mark.tensorflow
def test_ordinary_networks_are_not_asked(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("asked")

    model = network(train_step=lambda self, data: {}, call_twice=lambda self: None)
    monkeypatch.setattr(keras.Model, "predict", refuse)
    found = xaimri.explain(model, BYTES / 255)
    assert NAME not in told(found)

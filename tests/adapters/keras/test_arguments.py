"""Networks whose ``call`` takes the image and more, each as an argument of its own."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import keras
    from keras import layers, ops

pytestmark = pytest.mark.tensorflow
IMAGE = np.random.default_rng(0).random((20, 18, 1)).astype(np.float32)
TABLE = np.array([0.3, 2.0, 7.0], np.float32)


def make(kind):
    """A network of a class of its own that joins the image's features and a table of three numbers."""

    class Joined(keras.Model):
        def __init__(self):
            super().__init__()
            self.maps = layers.Conv2D(4, 3, activation="relu")
            self.head = layers.Dense(2, activation="softmax")

        def join(self, image, table, factor=1.0):
            features = ops.mean(self.maps(image), (1, 2))
            return self.head(ops.concatenate([features, factor * table], -1))

    class Two(Joined):
        def call(self, image, table, training=False):
            return self.join(image, table)

    class Optional(Joined):
        def call(self, image, table=None):
            return self.join(image, ops.zeros((ops.shape(image)[0], 3)) if table is None else table)

    class TableFirst(Joined):
        def call(self, table, image):
            return self.join(image, table)

    class Three(Joined):
        def call(self, image, table, factor):
            return self.join(image, table, factor)

    return {"two": Two, "optional": Optional, "table first": TableFirst, "three": Three}[kind]()


def probabilities(model, **options):
    (grad_cam, lime) = (
        xaimri.explain(model, IMAGE, method, **options)
        for method in ("gradcam", xaimri.LIME(samples=8, regions=4))
    )
    np.testing.assert_allclose(grad_cam.probabilities, lime.probabilities, atol=1e-6)
    return grad_cam.probabilities


@pytest.mark.parametrize("kind", ["two", "optional"])
def test_the_others_are_reached_by_name_and_by_position(kind):
    model = make(kind)
    own = np.asarray(model(IMAGE[None], TABLE[None]))[0]
    for inputs in ([..., TABLE], (..., TABLE), {"image": ..., "table": TABLE}, {"table": TABLE}):
        np.testing.assert_allclose(probabilities(model, inputs=inputs), own, atol=1e-6)


def test_the_image_need_not_be_the_first():
    model = make("table first")
    own = np.asarray(model(TABLE[None], IMAGE[None]))[0]
    for inputs in ([TABLE, ...], {"table": TABLE}, {"image": ..., "table": TABLE}):
        np.testing.assert_allclose(probabilities(model, inputs=inputs), own, atol=1e-6)


def test_every_image_can_have_others_of_its_own():
    model = make("three")
    tables = [{"table": TABLE * n, "factor": np.float32(n)} for n in (1, 2)]
    found = xaimri.explain_all(model, [IMAGE, IMAGE], "gradcam", inputs=tables)
    for explanation, given in zip(found, tables, strict=True):
        own = model(IMAGE[None], given["table"][None], given["factor"][None, None])
        np.testing.assert_allclose(explanation.probabilities, np.asarray(own)[0], atol=1e-6)


def test_an_optional_one_may_be_left_out():
    model = make("optional")
    own = np.asarray(model(IMAGE[None]))[0]
    np.testing.assert_allclose(probabilities(model), own, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "inputs", "sentence"),
    [
        (
            "two",
            None,
            r"`call` takes 'image', 'table': give all but the image by `inputs=`, such as inputs=\{'table'",
        ),
        ("three", {"table": TABLE}, "such as inputs={'factor'"),
        ("two", {"age": 71.0}, "has no input 'age': the network's `call` takes 'image', 'table'"),
        ("two", [TABLE, 1.0], "must have ... in exactly one place"),
    ],
)
def test_what_is_left_out_or_unknown_is_named(kind, inputs, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        xaimri.explain(make(kind), IMAGE, inputs=inputs)

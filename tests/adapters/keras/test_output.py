"""Which of several outputs is explained, and what is no classifier's output."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from networks import noise
from xaimri.objective import softmax

with on_first_use():
    import keras
    from keras import layers, ops

    from xaimri import KerasClassifier

pytestmark = pytest.mark.tensorflow

SHAPE = (8, 9, 2)
IMAGES = noise(SHAPE, count=3)


def heads(*kinds, named=False):
    """A network of several outputs by kind."""
    keras.utils.set_random_seed(0)
    image = keras.Input(SHAPE)
    maps = layers.Conv2D(5, 3, activation="relu", padding="same")(image)
    x = layers.GlobalAveragePooling2D()(maps)
    score = layers.Dense(3)(x)
    made = {
        "attributes": lambda: layers.Dense(4, "sigmoid")(x),
        "features": lambda: layers.ReLU()(x),
        "logits": lambda: score,
        "mean": lambda: (ops.softmax(score) + ops.softmax(layers.Dense(3)(x))) / 2,
        "picture": lambda: layers.Conv2D(1, 3, padding="same", activation="sigmoid")(maps),
        "regions": lambda: layers.Conv2D(3, 1, activation="softmax")(maps),
        "age": lambda: layers.Dense(1)(x),
        "sex": lambda: layers.Dense(1, "sigmoid")(x),
        "softmax": lambda: layers.Softmax()(score),
        "stage": lambda: layers.Dense(2, "softmax")(x),
    }
    chosen = {kind: made[kind]() for kind in kinds}
    return keras.Model(image, chosen if named else list(chosen.values()))


@pytest.mark.parametrize(
    ("kinds", "index"),
    [
        (("features", "softmax"), 1),
        (("softmax", "logits"), 0),
        (("attributes", "age", "softmax"), 2),
        (("picture", "stage", "regions"), 1),
        (("features", "sex", "age"), 1),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_of_several_outputs_the_only_distribution_is_explained(kinds, index, named):
    model = heads(*kinds, named=named)
    classifier = KerasClassifier(model)
    own = np.asarray(model(IMAGES)[kinds[index]] if named else model(IMAGES)[index])
    own = np.concatenate([1 - own, own], axis=1) if own.shape[1] == 1 else own
    np.testing.assert_allclose(softmax(classifier.logits(IMAGES)), own, atol=1e-6)
    said = kinds[index] if named else classifier.findings["output"]
    assert classifier.findings["output"] == said
    again = KerasClassifier(model, output=said)
    np.testing.assert_array_equal(again.logits(IMAGES), classifier.logits(IMAGES))
    assert "output" not in again.findings


@pytest.mark.parametrize(
    "kinds",
    [
        ("softmax", "stage"),
        ("sex", "stage"),
        ("logits", "features"),
        ("softmax", "mean"),
        ("attributes", "age"),
    ],
)
def test_where_no_output_stands_out_all_are_named(kinds):
    with pytest.raises(xaimri.InvalidInput, match=f"outputs are '{kinds[0]}', '{kinds[1]}': pick the one"):
        KerasClassifier(heads(*kinds, named=True)).logits(IMAGES)


def test_the_explanation_says_which_output_it_is_of():
    found = xaimri.explain(heads("attributes", "stage", named=True), IMAGES[0], classes=["mild", "moderate"])
    assert found.diagnostics["output"] == "stage"
    assert found.diagnostics["outputs"] == "softmax"
    assert found.classes == ("mild", "moderate")


def of(end):
    image = keras.Input(SHAPE)
    return keras.Model(image, end(image))


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (lambda x: layers.Softmax()(layers.Conv2D(2, 3)(x)), r"\(4, 6, 7, 2\) for 4 images, not \(batch, cl"),
        (lambda x: layers.Dense(3, "softmax")(layers.Reshape((8, 18))(x)), "only classifiers of whole im"),
        (lambda x: layers.Dense(3, "softmax")(ops.reshape(x, (-1, 18))), r"\(32, 3\) for 4 images"),
        (lambda x: ops.softmax(ops.mean(x, axis=(0, 1, 2))), r"the shape \(2,\) for 4 images"),
    ],
    ids=["regions", "sequence", "folded", "whole batch"],
)  # fmt: skip
def test_what_is_no_row_per_image_is_refused(end, sentence):
    with pytest.raises(xaimri.InvalidInput, match=sentence):
        KerasClassifier(of(end)).logits(IMAGES)

"""SavedModels: what they say is read from their graph, and images reach them as they take them."""

import warnings

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from networks import small
from xaimri import InvalidInput, MissingCapability
from xaimri.objective import softmax

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri import KerasClassifier
    from xaimri.adapters.keras import SavedModel

pytestmark = pytest.mark.tensorflow

SHAPE = (12, 14, 1)
SCANS = np.random.default_rng(0).uniform(0, 1, (3, *SHAPE)).astype(np.float32)


def single(classes=3, activation="softmax", end=None):
    model = small(SHAPE[:2], 1, classes, activation)
    return model if end is None else keras.Model(model.inputs[0], end(model.outputs[0]))


def exported(model, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(folder, verbose=False)
    return folder


def signed(folder, function, *spec):
    """Write a SavedModel whose signature is a function of one tensor."""
    module = tf.Module()
    module.held = function
    signature = tf.function(function, input_signature=[tf.TensorSpec(*spec, name="given")])
    tf.saved_model.save(module, folder, signatures={"serving_default": signature})
    return folder


def test_a_saved_model_is_explained_by_perturbation_and_says_why_not_otherwise(tmp_path):
    model, folder = single(), exported(single(), tmp_path / "saved")
    for of in ("probability", "logit"):
        direct = xaimri.explain(model, SCANS[0], "lime", samples=40, regions=4, of=of)
        found = xaimri.explain(folder, SCANS[0], "lime", samples=40, regions=4, of=of)
        np.testing.assert_allclose(found.probabilities, direct.probabilities, atol=1e-6)
        np.testing.assert_allclose(found.values, direct.values, atol=1e-4)
        assert found.diagnostics["outputs"] == direct.diagnostics["outputs"] == "softmax"
    for method in ("gradcam", "saliency"):
        with pytest.raises(MissingCapability, match=r"SavedModel is not one: give the Keras network.*LIME"):
            xaimri.explain(str(folder), SCANS[0], method)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: single(), {}),
        (lambda: single(activation=None), {}),
        (lambda: single(1, "sigmoid"), {}),
        (lambda: single(1, "sigmoid", lambda x: layers.Reshape(())(x)), {}),
        (lambda: single(3, "softmax", lambda x: layers.Reshape((1, 1, 3))(x)), {}),
        (lambda: single(3, "softmax", lambda x: 0.9 * x + 0.1 / 3), {}),
        (lambda: single(4, "sigmoid"), {"unit": 2}),
        (lambda: single(1, None), {"outputs": "logits"}),
    ],
    ids=["softmax", "logits", "sigmoid", "flat", "cells", "smoothed", "sigmoids", "logit"],
)
def test_what_it_says_is_what_the_network_says(tmp_path, make, options):
    model = make()
    saved, own = SavedModel(exported(model, tmp_path / "s"), **options), KerasClassifier(model, **options)
    np.testing.assert_allclose(saved.logits(SCANS), own.logits(SCANS), atol=1e-5)
    assert saved.findings == own.findings
    assert saved.classes == own.classes
    assert saved.input_shape == SHAPE


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: single(1, None), "a plain unit, which may be"),
        (lambda: single(1, "tanh"), "one number per image"),
        (lambda: single(4, "sigmoid"), "4 independent sigmoids"),
    ],
)
def test_what_it_leaves_open_is_asked(tmp_path, make, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        SavedModel(exported(make(), tmp_path / "s"))


def test_a_saved_model_of_several_outputs_or_inputs(tmp_path):
    image = keras.Input(SHAPE)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    heads = {"one": layers.Dense(2, "softmax")(x), "two": layers.Dense(3, "softmax")(x)}
    folder = exported(keras.Model(image, heads), tmp_path / "two")
    assert len(xaimri.explain(folder, SCANS[0], "lime", output="two", samples=10, regions=3).classes) == 3
    with pytest.raises(InvalidInput, match="are 'one', 'two': pick the one to explain by `output=`"):
        xaimri.explain(folder, SCANS[0], "lime")
    with pytest.raises(InvalidInput, match="are 'one', 'two': pick the one"):
        SavedModel(folder, output="three")
    with pytest.raises(InvalidInput, match="`inputs` can't stand beside a SavedModel"):
        xaimri.explain(folder, SCANS[0], "lime", inputs={"age": 1})
    features = exported(keras.Model(image, {"features": x, "stage": heads["two"]}), tmp_path / "features")
    assert SavedModel(features).findings == {"outputs": "softmax", "output": "stage"}
    age = keras.Input((1,), name="age")
    both = keras.Model([image, age], layers.Dense(2, "softmax")(layers.Concatenate()([x, age])))
    with pytest.raises(InvalidInput, match="takes 2 inputs"):
        SavedModel(exported(both, tmp_path / "age"))


def test_a_damaged_saved_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(InvalidInput, match=r"can't be read .*: export the network again") as refusal:
        xaimri.explain(tmp_path, SCANS[0], "lime")
    assert "\n" not in str(refusal.value)


def test_encoded_files_are_no_pixels(tmp_path):
    def scores(given):
        return {"p": tf.strings.to_number(given)[:, None] * tf.constant([[0.25, 0.75]])}

    folder = signed(tmp_path / "s", scores, [None], tf.string)
    with pytest.raises(
        InvalidInput, match=r"takes 'given' as string, .*export it with a signature of pixels"
    ):
        xaimri.explain(folder, SCANS[0], "lime")


def brightness(scale):
    def scores(given):
        mean = tf.reduce_mean(tf.cast(given, tf.float32), axis=(1, 2)) / scale
        return {"p": tf.concat([1 - mean, mean], axis=-1)}

    return scores


@pytest.mark.parametrize(
    ("kind", "scale", "top"), [("uint8", 255, 255), ("uint16", 4095, 4095), ("int32", 255, 255)]
)
def test_whole_numbers_are_given_as_they_are_stored(tmp_path, kind, scale, top):
    saved = SavedModel(signed(tmp_path / "s", brightness(scale), [None, *SHAPE], tf.as_dtype(kind)))
    stored = np.floor(SCANS * top)
    expected = stored.mean(axis=(1, 2, 3)) / scale
    np.testing.assert_allclose(softmax(saved.logits(stored))[:, 1], expected, rtol=1e-4)
    near = saved.logits(stored + 0.4)  # resized images lie between the stored values: they are rounded
    np.testing.assert_allclose(near, saved.logits(stored))
    for wrong in (SCANS, SCANS * 3, stored + 1e10, stored - 1e10 if kind == "int32" else -stored):
        with pytest.raises(InvalidInput, match=r"takes whole numbers in .*give them as they are stored"):
            saved.logits(wrong)
    dark = np.zeros_like(stored)
    assert softmax(saved.logits(dark))[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("fixed", [1, 2, 4])
def test_a_batch_of_fixed_size_is_filled_up(tmp_path, fixed):
    """Whether the signature says so, or an operation inside it."""
    spec, inside = ([fixed, *SHAPE], [-1, 168]), ([None, *SHAPE], [fixed, 168])
    expected = SCANS.mean(axis=(1, 2, 3))
    for name, (shape, flat) in (("spec", spec), ("inside", inside)):

        def scores(given, flat=flat):
            mean = tf.reduce_mean(tf.reshape(given, flat), axis=-1)[:, None]
            return {"p": tf.concat([1 - mean, mean], axis=-1)}

        saved = SavedModel(signed(tmp_path / name, scores, shape, tf.float32))
        for count in (3, 1, 2):
            p = softmax(saved.logits(SCANS[:count]))
            np.testing.assert_allclose(p[:, 1], expected[:count], rtol=1e-5)


def test_what_fails_inside_is_told_in_one_sentence(tmp_path):
    def scores(given):
        flat = tf.reshape(given, [tf.shape(given)[0], 25])
        return {"p": tf.nn.softmax(flat @ tf.ones((25, 2)))}

    saved = SavedModel(signed(tmp_path / "s", scores, [None, None, None, 1], tf.float32))
    with pytest.raises(
        InvalidInput, match=r"the SavedModel fails on 3 images of shape \(12, 14, 1\) \(Input to reshape"
    ) as refusal:
        saved.logits(SCANS)
    assert "\n" not in str(refusal.value)


def test_every_batch_is_checked(tmp_path):
    saved = SavedModel(signed(tmp_path / "s", brightness(1.0), [None, *SHAPE], tf.float32))
    saved.logits(SCANS)
    with pytest.raises(InvalidInput, match="are not probabilities"):
        saved.logits(SCANS * 20)

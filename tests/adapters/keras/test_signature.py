"""Several inputs, several outputs, saved models, other backends: what goes in and what comes out."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri import InvalidInput, MissingCapability

with on_first_use():
    import keras
    from keras import layers

    from xaimri import KerasClassifier
    from xaimri.adapters.keras import signature
    from xaimri.adapters.keras.signature import signature_of

pytestmark = pytest.mark.tensorflow

SHAPE = (12, 14, 1)
SCANS = np.random.default_rng(0).uniform(0, 1, (3, *SHAPE)).astype(np.float32)


def with_age(outputs=1):
    keras.utils.set_random_seed(0)
    image, age = keras.Input(SHAPE, name="image"), keras.Input((1,), name="age")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(image))
    x = layers.Concatenate()([x, age])
    heads = [layers.Dense(2 + i, "softmax", name=f"head_{i}")(x) for i in range(outputs)]
    return keras.Model([image, age], heads if outputs > 1 else heads[0])


def own(model, scans, ages):
    return np.asarray(model([scans, np.float32(ages).reshape(-1, 1)]))


def test_the_other_inputs_are_those_that_were_given():
    model = with_age()
    for age in (0.0, 2.0):
        found = xaimri.explain(model, SCANS[0], inputs={"age": age})
        np.testing.assert_allclose(found.probabilities, own(model, SCANS[:1], [age])[0], atol=1e-6)


def test_one_age_for_all_and_one_age_each():
    model = with_age()
    same = xaimri.explain_all(model, list(SCANS), "saliency", inputs={"age": 1.5})
    expected = own(model, SCANS, [1.5] * 3)
    np.testing.assert_allclose([e.probabilities for e in same], expected, atol=1e-6)
    ages = [0.5, 1.0, 3.0]
    each = xaimri.explain_all(
        model, list(SCANS), "lime", inputs=[{"age": a} for a in ages], samples=20, regions=4
    )
    np.testing.assert_allclose([e.probabilities for e in each], own(model, SCANS, ages), atol=1e-6)


def test_new_values_trace_nothing(monkeypatch):
    from xaimri.adapters.keras import programs

    model, seen, traced = with_age(), [], programs._trace
    monkeypatch.setattr(programs, "_trace", lambda *given: seen.append(given) or traced(*given))
    for age in (0.1, 0.2, 0.3):
        xaimri.explain(model, SCANS[0], inputs={"age": age})
    assert len(seen) == 1


def test_a_saved_network_is_opened_once_for_many_inputs(tmp_path, monkeypatch):
    from xaimri.adapters.keras import saved

    with_age().save(tmp_path / "age.keras")
    opened, load = [], saved.load_model
    monkeypatch.setattr(saved, "load_model", lambda path: opened.append(path) or load(path))
    ages = [{"age": a} for a in (0.5, 1.0, 3.0)]
    found = xaimri.explain_all(tmp_path / "age.keras", list(SCANS), inputs=ages)
    assert len(opened) == 1
    np.testing.assert_allclose(
        [e.probabilities for e in found], own(with_age(), SCANS, [0.5, 1, 3]), atol=1e-6
    )
    with pytest.raises(InvalidInput, match="list of images is empty"):
        xaimri.explain_all(tmp_path / "age.keras", [], inputs={"age": 1.0})


@pytest.mark.parametrize("value", [0.7, [0.7], np.array([[0.7]]), np.float64(0.7)])
def test_a_value_comes_with_or_without_its_axes(value):
    model = with_age()
    found = xaimri.explain(model, SCANS[0], inputs={"age": value})
    np.testing.assert_allclose(found.probabilities, own(model, SCANS[:1], [0.7])[0], atol=1e-6)


def test_whole_numbers_stay_whole_where_the_network_embeds_them():
    image, site = keras.Input(SHAPE, name="image"), keras.Input((1,), dtype="int32", name="site")
    place = layers.Flatten()(layers.Embedding(5, 3)(site))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    model = keras.Model([image, site], layers.Dense(2, "softmax")(layers.Concatenate()([x, place])))
    found = xaimri.explain(model, SCANS[0], inputs={"site": 4})
    expected = np.asarray(model([SCANS[:1], np.array([[4]], "int32")]))[0]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    with pytest.raises(InvalidInput, match=r"'site' takes whole numbers, got 1\.9"):
        xaimri.explain(model, SCANS[0], inputs={"site": 1.9})


def test_an_input_without_axes():
    image, sex = keras.Input(SHAPE, name="image"), keras.Input((), dtype="int32", name="sex")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    model = keras.Model([image, sex], layers.Dense(2, "softmax")(x + layers.Embedding(3, 4)(sex)))
    found = xaimri.explain(model, SCANS[0], inputs={"sex": 1})
    expected = np.asarray(model([SCANS[:1], np.array([1], "int32")]))[0]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_a_network_that_takes_its_only_input_by_name():
    image = keras.Input(SHAPE, name="scan")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    model = keras.Model({"scan": image}, layers.Dense(2, "softmax")(x))
    found = xaimri.explain(model, SCANS[0])
    expected = np.asarray(model({"scan": SCANS[:1]}))[0]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def two_inputs():
    class TwoInputs(keras.Model):
        def __init__(self):
            super().__init__()
            self.features, self.head = (
                layers.Conv2D(4, 3, activation="relu"),
                layers.Dense(2, activation="softmax"),
            )

        def call(self, given):
            pooled = keras.ops.mean(self.features(given["scan"]), axis=(1, 2))
            return self.head(keras.ops.concatenate([pooled, given["age"]], axis=-1))

    return TwoInputs()


def test_a_subclassed_network_is_given_its_inputs_as_it_takes_them():
    keras.utils.set_random_seed(0)
    model = two_inputs()
    found = xaimri.explain(model, SCANS[0], inputs={"scan": ..., "age": 0.5}, classes=("a", "b"))
    expected = np.asarray(model({"scan": SCANS[:1], "age": np.float32([[0.5]])}))[0]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_a_list_with_the_images_place():
    model = with_age()
    found = xaimri.explain(model, SCANS[0], inputs=[..., 0.5])
    np.testing.assert_allclose(found.probabilities, own(model, SCANS[:1], [0.5])[0], atol=1e-6)
    assert signature_of(model, [..., 0.5]).structure == [signature.IMAGE, 0]


def test_several_outputs_by_name_and_by_index():
    model = with_age(outputs=3)
    for output, index in (("head_1", 1), (2, 2), (0, 0)):
        found = xaimri.explain(model, SCANS[0], inputs={"age": 0.5}, output=output)
        expected = np.asarray(model([SCANS[:1], np.float32([[0.5]])])[index])[0]
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, r"2 inputs \('image', 'age'\): give all but the image by `inputs=`"),
        ({"inputs": {}}, "must leave exactly one input for the image, and 2 are left"),
        ({"inputs": {"age": 1, "image": SCANS[0]}}, "and 0 are left"),
        ({"inputs": {"sex": 1}}, "no input 'sex': the network's are 'image', 'age'"),
        ({"inputs": {"age": [1, 2]}}, r"'age' must have the shape \(1,\) for one image, got \(2,\)"),
        ({"inputs": {"age": "old"}}, "'age' must be a finite number or an array of them"),
        ({"inputs": {"age": np.nan}}, "'age' must be a finite number"),
        ({"inputs": {"age": [[1, 2], [3]]}}, "'age' must be a finite number"),
        ({"inputs": [1.0]}, "needs ... where the image goes"),
        ({"inputs": [..., ...]}, "in exactly one place"),
        ({"inputs": 3}, "must be the other inputs by name"),
        ({"inputs": {"image": ..., "age": 1, "agge": 3}}, "takes 2 inputs .* has 3, 'agge' among them"),
        ({"inputs": {"age": 1}}, "outputs are 'head_0', 'head_1': pick the one to explain by `output=`"),
        ({"inputs": {"age": 1}, "output": "stage"}, "'head_0', 'head_1'.*not 'stage'"),
        ({"inputs": {"age": 1}, "output": 2}, "'head_0', 'head_1'.*not 2"),
    ],
)
def test_what_is_left_open_is_asked_in_one_sentence(options, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        xaimri.explain(with_age(outputs=2), SCANS[0], **options)
    assert "\n" not in str(refusal.value)


def test_inputs_for_another_number_of_images():
    with pytest.raises(InvalidInput, match="2 `inputs` were given for 3 images"):
        xaimri.explain_all(with_age(), list(SCANS), inputs=[{"age": 1}, {"age": 2}])


def test_a_network_that_does_not_name_its_inputs():
    with pytest.raises(InvalidInput, match="doesn't name its inputs"):
        KerasClassifier(two_inputs(), inputs={"age": 1.0})


def test_what_belongs_to_a_network_cannot_stand_beside_a_function():
    with pytest.raises(InvalidInput, match="`unit` and `output` can't stand beside a function"):
        xaimri.explain(lambda x: x, SCANS[0], "lime", unit=1, output=0)


def single():
    keras.utils.set_random_seed(0)
    image = keras.Input(SHAPE)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(image))
    return keras.Model(image, layers.Dense(3, "softmax")(x))


def test_keras_on_another_backend_is_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for method in ("gradcam", "lime"):
        with pytest.raises(MissingCapability, match="Keras runs on jax here: set KERAS_BACKEND=tensorflow"):
            xaimri.explain(single(), SCANS[0], method)


OTHER_BACKEND = """
import keras, numpy as np, xaimri
image = keras.Input((8, 9, 1))
x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(image))
model = keras.Model(image, keras.layers.Dense(2, "softmax")(x))
scan = np.random.default_rng(0).random((8, 9))
try:
    xaimri.explain(model, scan)
except xaimri.MissingCapability as refusal:
    print(refusal)
lime = xaimri.LIME(samples=20, regions=3)
print(xaimri.explain(lambda x: keras.ops.convert_to_numpy(model(x)), scan, lime).values.shape)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_network_on_another_backend_is_explained_as_a_function(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed, on which Keras would run")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-W", "ignore", "-c", OTHER_BACKEND]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().splitlines()
    assert f"Keras runs on {backend} here" in first
    assert "plain function" in first
    assert second == "(8, 9)"

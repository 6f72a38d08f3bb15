"""Files of networks: read whole, also those of Keras 2, or refused with the true reason and what works."""

import re
import warnings
from functools import cache

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput, MissingExtra

with on_first_use():
    import keras

    from xaimri.adapters.keras import load_model

pytestmark = pytest.mark.tensorflow
IMAGE = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)


@cache
def doubled():
    class Doubled(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    return Doubled


def tripled(x):
    return 3 * x


def network(kind, made_by=None):
    """A network with one layer of a kind between its convolution and its head."""
    made_by = made_by or keras
    image = made_by.Input((16, 16, 3))
    x = made_by.layers.Conv2D(4, 3, activation="relu")(image)
    between = {
        "plain": lambda: x,
        "lambda": lambda: made_by.layers.Lambda(lambda z: 2 * z)(x),
        "class": lambda: doubled()()(x),
        "function": lambda: made_by.layers.Activation(tripled)(x),
        "depthwise": lambda: made_by.layers.DepthwiseConv2D(3, activation="relu")(x),
        "transposed": lambda: made_by.layers.Conv2DTranspose(4, 3)(x),
        "operation": lambda: x * 2.0 - 0.1,
        "nested": lambda: made_by.Sequential([made_by.layers.Conv2D(4, 3, input_shape=(14, 14, 4))])(x),
    }[kind]()
    pooled = made_by.layers.GlobalAveragePooling2D()(between)
    return made_by.Model(image, made_by.layers.Dense(3, activation="softmax")(pooled))


def saved(folder, kind, suffix, made_by=None):
    model, path = network(kind, made_by), folder / f"{kind}{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both packages call .h5 a format of the past
        model.save(path)
    return model, path


def refusal(path):
    with pytest.raises(InvalidInput) as refused:
        load_model(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_that_is_not_whole_says_so(tmp_path, suffix):
    _, path = saved(tmp_path, "plain", suffix)
    whole = path.read_bytes()
    other = {".keras": ".h5", ".h5": ".keras"}[suffix]
    for name, content, sentence in (
        (f"cut{suffix}", whole[: len(whole) // 2], "is damaged or cut off"),
        (f"empty{suffix}", b"", "is empty: save the network again"),
        (f"text{suffix}", b"a page of html", "is no network of Keras, whatever its name says"),
        (f"renamed{other}", whole, f"is a {suffix} file by its content: rename it to end in {suffix}"),
        ("network.pt", whole, "is not a saved network: give a file that ends in .keras or .h5"),
    ):
        (tmp_path / name).write_bytes(content)
        assert sentence in refusal(tmp_path / name)
    assert "no saved network at" in refusal(tmp_path / f"gone{suffix}")
    assert "is not a saved network" in refusal(tmp_path)
    (tmp_path / f"renamed{other}").rename(tmp_path / f"again{suffix}")  # as the sentence says
    assert load_model(tmp_path / f"again{suffix}").output_shape == (None, 3)


def test_weights_alone_are_no_network(tmp_path):
    model = network("plain")
    model.save_weights(tmp_path / "a.weights.h5")
    assert "holds weights only: build the network, call its `load_weights`" in refusal(
        tmp_path / "a.weights.h5"
    )
    twin = network("plain")
    twin.load_weights(tmp_path / "a.weights.h5")  # as the sentence says
    np.testing.assert_array_equal(twin(IMAGE[None]), model(IMAGE[None]))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_what_needs_code_is_named_and_the_way_out_works(tmp_path, suffix):
    for kind, name in (("class", "Doubled"), ("function", "tripled")):
        model, path = saved(tmp_path, kind, suffix)
        assert f"needs '{name}', which is not Keras' own" in refusal(path)
        known = {name: {"Doubled": doubled(), "tripled": tripled}[name]}
        loaded = keras.models.load_model(path, compile=False, custom_objects=known)
        np.testing.assert_array_equal(loaded(IMAGE[None]), model(IMAGE[None]))
    model, path = saved(tmp_path, "lambda", suffix)
    assert "holds a Lambda layer, which is Python code" in refusal(path)
    assert "keras.models.load_model(path, compile=False, safe_mode=False)" in refusal(path)
    loaded = keras.models.load_model(path, compile=False, safe_mode=False)
    np.testing.assert_array_equal(loaded(IMAGE[None]), model(IMAGE[None]))


@pytest.fixture(scope="module")
def keras_2():
    return pytest.importorskip("tf_keras", reason="tf_keras, on which Keras 2 lives on, is not installed")


@pytest.mark.parametrize("kind", ["plain", "depthwise", "transposed", "operation", "nested"])
def test_what_keras_2_wrote_is_read_and_explained(tmp_path, keras_2, kind):
    for suffix in (".h5", ".keras"):
        model, path = saved(tmp_path, kind, suffix, keras_2)
        found = xaimri.explain(path, IMAGE, "hirescam", target=0)
        np.testing.assert_allclose(found.probabilities, np.asarray(model(IMAGE[None]))[0], atol=1e-6)
        own = xaimri.explain(model, IMAGE, "hirescam", target=0)
        np.testing.assert_allclose(found.values, own.values, atol=1e-6)
    h5 = load_model(tmp_path / f"{kind}.h5")
    assert isinstance(h5, keras.Model) is (kind in ("plain", "depthwise", "transposed"))


def test_code_in_a_file_of_keras_2_is_not_run(tmp_path, keras_2):
    for suffix in (".h5", ".keras"):
        model, path = saved(tmp_path, "lambda", suffix, keras_2)
        assert "tf_keras.models.load_model(path, compile=False, safe_mode=False)" in refusal(path)
        loaded = keras_2.models.load_model(path, compile=False, safe_mode=False)  # as the sentence says
        found = xaimri.explain(loaded, IMAGE)
        np.testing.assert_allclose(found.probabilities, np.asarray(model(IMAGE[None]))[0], atol=1e-6)


def test_without_the_package_of_keras_2_the_pip_command_is_told(tmp_path, keras_2, monkeypatch):
    _, path = saved(tmp_path, "nested", ".h5", keras_2)
    monkeypatch.setitem(__import__("sys").modules, "tf_keras", None)
    with pytest.raises(MissingExtra, match=r"was written by Keras 2\..*pip install \"xaimri\[legacy\]\""):
        load_model(path)


def test_a_network_of_keras_2_has_the_maps_of_its_twin(keras_2):
    old, new = network("depthwise", keras_2), network("depthwise")
    new.set_weights(old.get_weights())
    for method in ("gradcam", "saliency", "input_x_gradient"):
        maps = [xaimri.explain(model, IMAGE, method, target=1).values for model in (old, new)]
        np.testing.assert_allclose(*maps, rtol=1e-4, atol=1e-7)
    classifier = xaimri.KerasClassifier(old)
    with pytest.raises(xaimri.MissingCapability, match="of Keras 2 can't be shown shuffled"):
        classifier.randomised(classifier.layers[:1], 0)
    assert re.fullmatch(r"conv2d\w*|dense\w*|depthwise_conv2d\w*", classifier.layers[0])

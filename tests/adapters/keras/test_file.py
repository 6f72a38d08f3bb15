"""Files of networks: read whole, also those of Keras 2, or refused with the true reason and what works."""

import io
import json
import os
import re
import time
import warnings
import zipfile
from collections import Counter
from functools import cache

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput, MissingExtra, XaimriError

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


EXAMPLES = int(os.environ.get("XAIMRI_EXAMPLES", "300")) // 10
"""Broken files; reading one takes a hundred times as long as an image."""

ODD: list[object] = [
    None,
    [],
    {},
    "",
    "x",
    -1,
    0,
    10**9,
    10**30,
    1e300,
    True,
    [None],
    [[]],
    {"class_name": "Lambda"},
    "\0",
]


def broken(content, rng):
    """Change some bytes, cut, leave out or put in some."""
    at, end = sorted(rng.integers(len(content), size=2).tolist())
    kind = rng.integers(5)
    if kind < 2:
        changed = bytearray(content)
        for place in rng.integers(len(content), size=1 if kind else 20):
            changed[place] = rng.integers(256)
        return bytes(changed)
    return [
        content[:at],
        content[:at] + content[min(end, at + 200) :],
        content[:at] + b"\0new" + content[at:],
    ][kind - 2]


def with_odd_value(content, rng):
    """Put another value anywhere into JSON."""
    record = json.loads(content)
    place = record
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = keys[rng.integers(len(keys))]
        below = place[key]
        if not (isinstance(below, dict | list) and below and rng.random() < 0.8):
            place[key] = ODD[rng.integers(len(ODD))]
            return json.dumps(record).encode()
        place = below


def repacked(content, rng):
    """Change one entry of an archive, and pack it anew: no checksum tells of it."""
    entry = ("config.json", "metadata.json", "model.weights.h5")[rng.integers(3)]
    change = broken if entry.endswith("h5") or rng.random() < 0.3 else with_odd_value
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name), rng) if name == entry else old.read(name))
    return packed.getvalue()


@pytest.mark.fuzz
def test_whatever_a_file_of_a_network_holds_is_used_or_one_sentence_within_seconds(tmp_path):
    """A `.keras` file with other bytes is told by its checksums, or says the same."""
    model, _ = saved(tmp_path, "plain", ".keras")
    model.save(tmp_path / "plain.h5")
    whole = {suffix: (tmp_path / f"plain{suffix}").read_bytes() for suffix in (".keras", ".h5")}
    expected = np.asarray(model(IMAGE[None]))
    counts: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        rng = np.random.default_rng(seed)
        suffix, change = [(".keras", broken), (".h5", broken), (".keras", repacked)][seed % 3]
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(change(whole[suffix], rng))
        begun = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = xaimri.explain(path, IMAGE, "saliency")
            if (suffix, change) == (".keras", broken):
                np.testing.assert_allclose(found.probabilities, expected[0], atol=1e-6)
            counts["used"] += 1
        except XaimriError as told:
            counts["told"] += 1
            assert "\n" not in str(told)  # noqa: PT017
            assert len(str(told)) < 700  # noqa: PT017
        assert time.process_time() - begun < 30, seed  # other processes don't count
    print(f"\n{EXAMPLES} broken files: {dict(counts)}")

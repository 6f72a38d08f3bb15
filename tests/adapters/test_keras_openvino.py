"""OpenVINO gives the network's own logits, or stands back with a sentence."""

import warnings

import keras
import numpy as np
import pytest
from jaxtyping import TypeCheckError

import xaimri
from xaimri import LIME, KerasClassifier
from xaimri.adapters.keras import accelerated, clear_cache
from xaimri.classifier import Accelerated
from xaimri.errors import InvalidInput, MissingExtra

pytestmark = pytest.mark.tensorflow
pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
layers = keras.layers


@pytest.fixture(autouse=True)
def _fresh():
    clear_cache()
    yield
    clear_cache()


def flat(last="softmax", units=3, shape=(12, 15, 1)):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Rescaling(1 / 128, -1),
            layers.Conv2D(6, 3, 2, activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(units, last),
        ]
    )


def nested():
    inner = flat("relu", 8)
    return keras.Sequential([keras.Input((12, 15, 1)), inner, layers.Dense(3, "softmax")])


def volume():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 7, 8, 1)),
            layers.Conv3D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def images(shape, count=21, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (flat, {}),
        (lambda: flat("sigmoid", 1), {}),
        (lambda: flat("sigmoid", 3), {"unit": 1}),
        (lambda: flat(None), {"outputs": "logits"}),
        (nested, {}),
        (volume, {}),
        (flat, {"preprocess": lambda x: x / 2}),
        (flat, {"preprocess": lambda x: np.asarray(x)[..., ::-1] * 0.5}),
    ],
    ids=["flat", "sigmoid", "unit", "logits", "nested", "3d", "inside", "outside"],
)
def test_logits_are_the_networks_own(make, options):
    model = make()
    original = KerasClassifier(model, engine="openvino", **options)
    given = images(model.input_shape[1:])
    kept = given.copy()
    fast = original.accelerated(100, given.shape[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fast.logits(given)
    assert fast.engine == "openvino"
    assert original.engine == "tensorflow"
    np.testing.assert_allclose(found, original.logits(given), atol=1e-4, rtol=1e-4)
    assert np.array_equal(given, kept)
    assert fast.classes == original.classes
    assert fast.input_shape == original.input_shape


def test_an_explanation_is_the_same_and_says_what_ran():
    model, image = flat(), images((12, 15, 1), 1)[0]
    found = {
        engine: xaimri.explain(model, image, "lime", engine=engine, samples=90, regions=6, of="log_odds")
        for engine in ("tensorflow", "openvino")
    }
    for engine, explanation in found.items():
        assert explanation.diagnostics["engine"] == engine
    np.testing.assert_allclose(
        found["openvino"].regions.values, found["tensorflow"].regions.values, atol=1e-4
    )


def test_a_changed_weight_is_seen():
    model, given = flat(), images((12, 15, 1))
    classifier = KerasClassifier(model, engine="openvino")
    before = classifier.accelerated(100, given.shape[1:]).logits(given)
    model.layers[-1].bias.assign([0.0, 3.0, 0.0])
    after = classifier.accelerated(100, given.shape[1:]).logits(given)
    np.testing.assert_allclose(after - before, [[0.0, 3.0, 0.0]] * len(given), atol=1e-4)
    np.testing.assert_allclose(after, classifier.logits(given), atol=1e-4)


def test_one_conversion_serves_until_the_cache_is_cleared(monkeypatch):
    import openvino

    calls = []
    real = openvino.convert_model
    monkeypatch.setattr(openvino, "convert_model", lambda *a: calls.append(1) or real(*a))
    classifier = KerasClassifier(flat(), engine="openvino")
    for _ in range(3):
        classifier.accelerated(100, (12, 15, 1))
    assert len(calls) == 1
    clear_cache()
    classifier.accelerated(100, (12, 15, 1))
    assert len(calls) == 2
    for samples in range(4, 4 * (accelerated.CAPACITY + 4), 4):
        classifier.accelerated(samples, (12, 15, 1))
    assert len(accelerated._converted) <= accelerated.CAPACITY


def broken(*_):
    raise RuntimeError("no such operation")


def test_a_network_that_cannot_be_converted_runs_as_it_is(monkeypatch):
    monkeypatch.setattr("openvino.convert_model", broken)
    given = images((12, 15, 1))
    classifier = KerasClassifier(flat(), engine="openvino")
    with pytest.warns(UserWarning, match=r"can't convert this network .*the network itself is used"):
        same = classifier.accelerated(100, given.shape[1:])
    assert same is classifier
    monkeypatch.setattr(accelerated, "pays_off", lambda *_: True)
    quiet = KerasClassifier(flat())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quiet.accelerated(100, given.shape[1:]) is quiet


@pytest.mark.parametrize("fault", ["wrong", "fails"])
def test_wrong_numbers_are_never_used(fault):
    given = images((12, 15, 1))
    classifier = KerasClassifier(flat(), engine="openvino")
    fast = classifier.accelerated(100, given.shape[1:])
    real = fast._converted.run
    fast._converted.run = (lambda x: [real(x)[0] * 1.05]) if fault == "wrong" else broken
    with pytest.warns(UserWarning, match="the network itself is used"):
        found = fast.logits(given)
    np.testing.assert_array_equal(found, classifier.logits(given))
    assert fast.engine == "tensorflow"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast.logits(given)


def test_without_the_package_only_the_one_who_asks_for_it_hears_of_it(monkeypatch):
    monkeypatch.setattr(accelerated, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"xaimri\[openvino\]"):
        KerasClassifier(flat(), engine="openvino").accelerated(100, (12, 15, 1))
    classifier = KerasClassifier(flat())
    assert classifier.accelerated(10**6, (12, 15, 1)) is classifier


def test_auto_converts_only_what_pays_off():
    classifier = KerasClassifier(flat())
    assert classifier.accelerated(100, (12, 15, 1)) is classifier
    assert classifier.accelerated(10**9, (12, 15, 1)).engine == "openvino"
    assert classifier.accelerated(100, (12, 15, 1)) is classifier  # though a conversion is at hand


def test_work_is_counted_from_the_graph():
    traced, _ = KerasClassifier(flat()).traced(8, (12, 15, 1))
    convolution = 2 * 8 * 5 * 7 * 6 * 9
    depthwise = 2 * 8 * 5 * 7 * 6 * 9
    dense = 2 * 8 * 6 * 3
    assert accelerated.operations(traced.run.graph) == convolution + depthwise + dense


def test_the_users_network_stays_untouched():
    model, given = flat(), images((12, 15, 1))
    weights, config = [w.copy() for w in model.get_weights()], model.get_config()
    before = model.predict(given, verbose=0)
    (_,) = LIME(samples=60, regions=6).explain(KerasClassifier(model, engine="openvino"), given[:1])
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert model.get_config() == config
    assert np.array_equal(model.predict(given, verbose=0), before)


def test_an_unknown_engine_is_refused():
    with pytest.raises((InvalidInput, TypeCheckError), match="engine"):
        xaimri.explain(flat(), np.zeros((12, 15)), "lime", engine="turbo")


def test_a_function_has_its_own_engine():
    with pytest.raises(InvalidInput, match="`engine` can't stand beside a function"):
        xaimri.explain(lambda x: x, np.zeros((12, 15)), "lime", engine="openvino")


def test_keras_classifiers_offer_it():
    assert isinstance(KerasClassifier(flat()), Accelerated)

"""OpenVINO gives the network's own logits, or stands back with a sentence."""

import gc
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import xaimri
import zoo
from frameworks import on_first_use
from xaimri import LIME
from xaimri.classifier import Accelerated
from xaimri.errors import InvalidInput, MissingExtra

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri import KerasClassifier
    from xaimri.adapters.keras import clear_cache
    from xaimri.adapters.keras.openvino import classifier as accelerated
    from xaimri.adapters.keras.openvino import conversion
    from xaimri.adapters.keras.openvino import worth as work

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(find_spec("openvino") is None, reason="the extra `openvino` is not installed"),
]


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


@pytest.fixture
def conversions(monkeypatch):
    """Every traced function that was converted."""
    seen, real = [], conversion._compile
    monkeypatch.setattr(conversion, "_compile", lambda run: seen.append(run) or real(run))
    return seen


def test_one_conversion_serves_until_the_cache_is_cleared(conversions):
    model, given = flat(), images((12, 15, 1))
    for _ in range(3):
        KerasClassifier(model, engine="openvino").accelerated(100, (12, 15, 1)).logits(given)
    assert len(conversions) == 1
    clear_cache()
    assert not conversion._converted
    KerasClassifier(model, engine="openvino").accelerated(100, (12, 15, 1))
    assert len(conversions) == 2
    for samples in range(4, 4 * (conversion.CAPACITY + 4), 4):
        KerasClassifier(model, engine="openvino").accelerated(samples, (12, 15, 1))
    assert len(conversion._converted) == conversion.CAPACITY


def test_a_change_that_is_no_weight_is_seen():
    model, given = flat(), images((12, 15, 1))
    before = KerasClassifier(model, engine="openvino").accelerated(100, (12, 15, 1)).logits(given)
    model.layers[-1].activation = keras.activations.linear
    model.layers[1].activation = keras.activations.tanh
    classifier = KerasClassifier(model, outputs="logits", engine="openvino")
    after = classifier.accelerated(100, (12, 15, 1)).logits(given)
    np.testing.assert_allclose(after, classifier.logits(given), atol=1e-4)
    assert np.abs(after - before).max() > 1e-2


def gaining():
    class Gain(layers.Layer):
        """Holds a variable of TensorFlow's own, which Keras doesn't list among the weights."""

        def __init__(self):
            super().__init__()
            self.gain = tf.Variable(1.0)

        def call(self, x):
            return x * self.gain

    return Gain()


def test_a_changed_variable_that_keras_does_not_know_is_seen():
    gain = gaining()
    model = keras.Sequential([keras.Input((5, 6, 2)), layers.Flatten(), layers.Dense(3), gain])
    assert not any(v is gain.gain for v in model.variables)
    given = images((5, 6, 2), 4)
    classifier = KerasClassifier(model, outputs="logits", engine="openvino")
    before = classifier.accelerated(4, (5, 6, 2)).logits(given)
    gain.gain.assign(2.0)
    np.testing.assert_allclose(classifier.accelerated(4, (5, 6, 2)).logits(given), 2 * before, rtol=1e-5)


def test_functions_that_take_each_others_place_in_memory_are_told_apart():
    model, given = flat(), images((12, 15, 1))
    for factor in np.linspace(0.1, 1, 8, dtype=np.float32):
        classifier = KerasClassifier(model, preprocess=lambda x, f=factor: x * f, engine="openvino")
        found = classifier.accelerated(21, (12, 15, 1)).logits(given)
        np.testing.assert_allclose(found, KerasClassifier(model).logits(given * factor), atol=1e-3)
        del classifier
        gc.collect()


def test_caveats_do_not_depend_on_what_is_converted_already():
    model, dark = flat(), images((12, 15, 1), 1)[0] / 255
    told = [
        [c.name for c in xaimri.explain(model, dark, "lime", engine=engine, samples=60, regions=6).caveats]
        for engine in ("tensorflow", "openvino", "openvino")
    ]
    assert "input_range" in told[0]
    assert told[0] == told[1] == told[2]


def test_the_same_call_gives_the_same_bytes():
    model, given = flat(), images((12, 15, 1), 50)
    first = KerasClassifier(model, engine="openvino").accelerated(100, (12, 15, 1)).logits(given)
    clear_cache()
    again = KerasClassifier(model, engine="openvino").accelerated(100, (12, 15, 1)).logits(given)
    assert np.array_equal(first, again)


def test_eight_threads_give_the_serial_result(conversions):
    model, given = flat(), images((12, 15, 1), 64).reshape(8, 8, 12, 15, 1)

    def run(part):
        return KerasClassifier(model, engine="openvino").accelerated(8, (12, 15, 1)).logits(part)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, given))
    assert len(conversions) == 1
    for part, logits in zip(given, found, strict=True):
        assert np.array_equal(logits, run(part))


HALF = {"mixed float16", "mixed bfloat16"}
BUILT = [name for name in zoo.ZOO if name not in HALF]


@pytest.mark.parametrize("name", BUILT)
def test_every_kind_of_network_gives_its_own_logits(name):
    specimen = zoo.make(name)
    given = specimen.images(5)
    original = KerasClassifier(specimen.model, engine="openvino", **specimen.options)
    fast = original.accelerated(5, given.shape[1:])
    np.testing.assert_allclose(fast.logits(given), original.logits(given), atol=2e-4, rtol=1e-4)
    assert fast.engine == "openvino"


@pytest.mark.parametrize("name", sorted(HALF))
def test_half_precision_is_never_converted_by_itself(name, monkeypatch):
    specimen = zoo.make(name)
    given = specimen.images(5)
    monkeypatch.setattr(accelerated, "pays_off", lambda *_: True)
    classifier = KerasClassifier(specimen.model)
    assert classifier.accelerated(10**12, given.shape[1:]) is classifier
    asked = KerasClassifier(specimen.model, engine="openvino")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may round too differently, and says so
        found = asked.accelerated(5, given.shape[1:]).logits(given)
    np.testing.assert_allclose(found, asked.logits(given), atol=specimen.tolerance)


@pytest.fixture
def ran(monkeypatch):
    """How many images were run by OpenVINO, call by call."""
    seen, real = [], conversion.Converted.outputs

    def outputs(self, given, *rest):
        seen.append(len(given))
        return real(self, given, *rest)

    monkeypatch.setattr(conversion.Converted, "outputs", outputs)
    return seen


def test_batches_of_any_size_run_unpadded(ran, conversions):
    classifier = KerasClassifier(flat(), engine="openvino")
    fast, given = classifier.accelerated(1000, (12, 15, 1)), images((12, 15, 1), 75)
    fast.logits(given[:1])
    ran.clear()
    whole = fast.logits(given)
    assert ran == [32, 32, 11]
    for count in (1, 8, 28):
        assert np.array_equal(fast.logits(given[:count]), whole[:count])
    assert ran[3:] == [1, 8, 28]
    assert len(conversions) == 1


@pytest.mark.parametrize("samples", [1000, xaimri.Auto(by="error", tolerance=1e-9, floor=300, ceiling=1000)])
def test_rise_predicts_hardly_more_images_than_its_masks(samples, ran):
    # its single image, its looks and its last batch are of other sizes than were foreseen
    explainer = xaimri.RISE(samples=samples, cells=3)
    explainer.explain(KerasClassifier(flat(), engine="openvino"), images((12, 15, 1), 1))
    assert 1000 <= sum(ran) <= 1000 * 1.01 + 2


@pytest.mark.parametrize("name", ["squeeze and excitation", "several inputs"])
def test_a_network_whose_size_of_batch_is_written_into_it_is_padded_little_or_left(name, ran):
    specimen = zoo.make(name)
    given, options = specimen.images(75), specimen.options
    original = KerasClassifier(specimen.model, engine="openvino", **options)
    fast = original.accelerated(1000, given.shape[1:])  # 28 at a time
    for count in (28, 56, 75, 27, 1, 8, 32):
        ran.clear()
        found = fast.logits(given[:count])
        np.testing.assert_allclose(found, original.logits(given[:count]), atol=2e-4, rtol=1e-4)
        if count != 28:  # which is the first, and checked
            assert ran == {56: [28] * 2, 75: [28] * 3, 27: [28]}.get(count, [])
    few = original.accelerated(5, given.shape[1:])  # 8 at a time, as TensorFlow takes them too
    few.logits(given[:5])
    ran.clear()
    few.logits(given[:5])
    assert ran == [8]


def test_a_network_that_cannot_be_freed_keeps_its_size():
    class Bound:
        inputs = 2 * [type("Port", (), {"partial_shape": [8, 5, 6]})]

        def clone(self):
            return self

        def reshape(self, shapes):
            assert shapes == {0: [-1, 5, 6], 1: [-1, 5, 6]}
            raise RuntimeError("sizes don't match")

    assert conversion._of_any_batch(Bound()) is None


def test_another_value_of_another_input_needs_no_other_conversion(conversions):
    specimen = zoo.make("several inputs")
    given, site = specimen.images(5), specimen.options["inputs"]["site"]
    for age in (0.2, 30.0):
        classifier = KerasClassifier(specimen.model, inputs={"age": age, "site": site}, engine="openvino")
        found = classifier.accelerated(5, given.shape[1:]).logits(given)
        np.testing.assert_allclose(found, classifier.logits(given), atol=1e-3)
    assert len(conversions) == 1


def broken(*_):
    raise RuntimeError("no such operation")


def test_a_network_that_cannot_be_converted_runs_as_it_is(monkeypatch):
    tried = []
    monkeypatch.setattr(conversion, "_compile", lambda run: tried.append(run) or broken())
    given, model = images((12, 15, 1)), flat()
    for _ in range(2):
        classifier = KerasClassifier(model, engine="openvino")
        with pytest.warns(
            UserWarning, match=r"can't convert this network \(no such operation\): the network"
        ):
            same = classifier.accelerated(100, given.shape[1:])
        assert same is classifier
    assert len(tried) == 1  # what failed once is not tried for every image anew
    monkeypatch.setattr(accelerated, "pays_off", lambda *_: True)
    monkeypatch.setattr(accelerated, "may_pay_off", lambda *_: True)
    quiet = KerasClassifier(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quiet.accelerated(100, given.shape[1:]) is quiet


def test_an_operation_that_openvino_does_not_know_is_left_to_the_network():
    @tf.function
    def digamma(x):
        return tf.math.digamma(1 + tf.abs(x))

    own = layers.Lambda(digamma, output_shape=(5, 6, 2))
    model = keras.Sequential([keras.Input((5, 6, 2)), own, layers.Flatten(), layers.Dense(3, "softmax")])
    classifier = KerasClassifier(model, engine="openvino")
    given = images((5, 6, 2), 4)
    with pytest.warns(UserWarning, match="OpenVINO can't .* the network itself is used"):
        found = classifier.accelerated(4, (5, 6, 2)).logits(given)
    np.testing.assert_array_equal(found, classifier.logits(given))


def test_channels_that_cannot_be_foreseen_are_left_to_the_network():
    twice = keras.Sequential([layers.Conv2D(3, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    classifier = KerasClassifier(
        twice, preprocess=lambda x: np.repeat(np.asarray(x), 2, -1), outputs="logits", engine="openvino"
    )
    given = images((7, 8, 1), 4)
    with pytest.warns(UserWarning, match="may change the channels"):
        assert classifier.accelerated(4, (7, 8, 1)) is classifier
    assert classifier.logits(given).shape == (4, 2)


@pytest.mark.parametrize("fault", ["wrong", "swapped", "not finite", "fails"])
def test_wrong_numbers_are_never_used(fault):
    given = images((12, 15, 1))
    classifier = KerasClassifier(flat(), engine="openvino")
    fast = classifier.accelerated(100, given.shape[1:])
    real = fast._converted.run
    faults = {
        "wrong": lambda x: [real(x)[0] * 1.05],
        "swapped": lambda x: [real(x)[0][:, ::-1]],
        "not finite": lambda x: [real(x)[0] * np.nan],
        "fails": broken,
    }
    fast._converted.run = faults[fault]
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
    assert classifier.accelerated(10**9, (12, 15, 1)) is classifier


def test_nothing_is_reported_to_the_makers_of_openvino(monkeypatch):
    telemetry = pytest.importorskip("openvino_telemetry", reason="OpenVINO came without its reports")

    def forbidden(*_, **__):
        raise AssertionError("usage was reported")

    monkeypatch.setattr(telemetry.Telemetry, "__init__", forbidden)
    monkeypatch.setattr(telemetry.Telemetry, "send_event", forbidden)
    assert KerasClassifier(flat(), engine="openvino").accelerated(21, (12, 15, 1)).engine == "openvino"


def test_auto_converts_only_what_pays_off():
    classifier = KerasClassifier(flat())
    assert classifier.accelerated(100, (12, 15, 1)) is classifier
    assert classifier.accelerated(10**9, (12, 15, 1)).engine == "openvino"
    assert KerasClassifier(flat()).accelerated(100, (12, 15, 1)).engine == "tensorflow"  # another network


def test_auto_takes_what_is_converted_already_and_not_where_the_weights_have_changed():
    model = flat()
    classifier = KerasClassifier(model)
    few = 21  # in other batches than many
    assert classifier.accelerated(few, (12, 15, 1)) is classifier
    assert classifier.accelerated(10**9, (12, 15, 1)).engine == "openvino"
    assert classifier.accelerated(few, (12, 15, 1)).engine == "openvino"
    model.set_weights([2 * weights for weights in model.get_weights()])
    assert classifier.accelerated(few, (12, 15, 1)) is classifier


def test_auto_counts_what_the_whole_call_asks(monkeypatch):
    """A folder of images by LIME, or several methods, are worth an engine that one image would not be."""
    asked, decide = [], accelerated.may_pay_off

    def seen(model, count, shape):
        asked.append(count)
        return decide(model, count, shape)

    monkeypatch.setattr(accelerated, "may_pay_off", seen)
    model, scans = flat(), list(images((12, 15, 1), 4))
    settings = {"samples": 200, "regions": 9}
    for scan in scans:
        xaimri.explain(model, scan, "lime", **settings)
    alone = list(asked)
    assert len(alone) == len(scans)
    asked.clear()
    xaimri.explain_all(model, scans, "lime", **settings)
    assert asked == [4 * count for count in alone]
    asked.clear()
    xaimri.compare(model, scans[0], ["lime", "rise"], **settings)
    assert asked[0] == 2 * alone[0]
    asked.clear()
    xaimri.explain(model, scans[0], "lime", **settings)
    assert asked == alone[:1]


def test_auto_counts_the_work_where_the_weights_alone_leave_it_open(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    model, shape = flat(), (12, 15, 1)
    graph = KerasClassifier(model).trace(28, shape).run.graph
    counts = [int(n) for n in 10 ** np.arange(3.0, 12, 0.1)]
    least = next(n for n in counts if work.may_pay_off(model, n, shape))
    enough = next(n for n in counts if work.pays_off(graph, n, 28))
    assert enough > least
    classifier = KerasClassifier(model)
    assert classifier.accelerated(least, shape) is classifier
    assert classifier.accelerated(enough, shape).engine == "openvino"


def test_a_run_of_few_batches_does_not_pay_for_its_check(monkeypatch):
    monkeypatch.setattr(work, "SAVED", 1e9)
    graph = KerasClassifier(flat()).trace(28, (12, 15, 1)).run.graph
    assert not work.pays_off(graph, work.CHECK * 28, 28)
    assert work.pays_off(graph, work.CHECK * 28 + 1, 28)


def test_the_more_cores_share_the_work_the_less_is_saved(monkeypatch):
    saved = []
    for cores in (1, 2, 4, 64, None):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        saved.append(work.saved(1e12))
    assert saved[0] == saved[1] == saved[4] == 2 * saved[2] == 32 * saved[3]


def test_auto_leaves_a_graphics_card_to_tensorflow(monkeypatch):
    classifier = KerasClassifier(flat())
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"] if kind == "GPU" else [])
    assert classifier.accelerated(10**9, (12, 15, 1)) is classifier


@pytest.mark.parametrize("name", ["flat", "nested", "volumes", "flatten head", "branches"])
def test_what_may_pay_off_is_no_less_than_what_does(name):
    specimen = zoo.make(name)
    shape = specimen.shape
    graph = KerasClassifier(specimen.model).trace(4, shape).run.graph
    for images in 10 ** np.arange(3, 13):
        if work.pays_off(graph, int(images), 4):
            assert work.may_pay_off(specimen.model, int(images), shape)


def test_what_is_normalised_is_counted_in_the_graph():
    graph = KerasClassifier(flat()).trace(8, (12, 15, 1)).run.graph
    assert work.normalised(graph, 8) == 12 * 15 + 5 * 7 * 6  # rescaled pixels, and the first maps
    specimen = zoo.make("volumes")
    graph = KerasClassifier(specimen.model).trace(4, specimen.shape).run.graph
    assert work.normalised(graph, 4) == 4 * 6 * 5 * 6


def test_a_network_that_gains_nothing_stays_where_it_is():
    keras.utils.set_random_seed(0)
    parts = [layers.Conv2D(6, 3, activation="relu"), layers.Flatten(), layers.Dense(3, "softmax")]
    classifier = KerasClassifier(keras.Sequential([keras.Input((12, 15, 1)), *parts]))
    assert classifier.accelerated(10**12, (12, 15, 1)) is classifier


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


def test_the_command_line_passes_it_on(tmp_path, monkeypatch, capsys):
    from PIL import Image

    from xaimri import cli

    flat().save(tmp_path / "net.keras")
    Image.fromarray(images((12, 15), 1)[0].astype(np.uint8)).save(tmp_path / "scan.png")
    made = []
    monkeypatch.setattr(cli.app, "pretty_exceptions_enable", False, raising=False)
    save = xaimri.Explanation.save
    monkeypatch.setattr(
        xaimri.Explanation, "save", lambda self, *a, **k: made.append(self) or save(self, *a, **k)
    )
    words = ["explain", tmp_path / "net.keras", tmp_path / "scan.png", "-m", "lime", "--samples", "60"]
    monkeypatch.setattr("sys.argv", ["xaimri", *map(str, words), "--engine", "openvino", "-o", str(tmp_path)])
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code, capsys.readouterr().err  # noqa: PT017
    assert made[0].diagnostics["engine"] == "openvino"


def test_keras_classifiers_offer_it():
    assert isinstance(KerasClassifier(flat()), Accelerated)


def test_a_tempered_network_is_converted_with_its_temperature():
    net, images = (
        zoo.make("sequential").model,
        np.random.default_rng(0).random((4, *zoo.SHAPE), dtype=np.float32),
    )
    plain = KerasClassifier(net, engine="openvino")
    fast = plain.tempered(2.0).accelerated(4, zoo.SHAPE)
    assert fast.engine == "openvino"
    np.testing.assert_allclose(fast.logits(images) * 2, plain.logits(images), atol=1e-4)
    assert fast.engine == "openvino", "both agree"

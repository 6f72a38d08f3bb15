"""Compiled functions: the network stays untouched, nothing is traced twice, threads and errors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import networks
import xaimri
from frameworks import on_first_use
from networks import noise, small
from xaimri import GradCAM, InvalidInput, MissingCapability
from xaimri.objective import Objective, softmax

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier, clear_cache, programs
    from xaimri.adapters.keras.trace import layers_by_path, recording

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def traces(monkeypatch):
    """Every request that was traced, in order."""
    clear_cache()
    seen, traced = [], programs._trace

    def counted(model, ports, preprocess, request, shadows):
        seen.append(request)
        return traced(model, ports, preprocess, request, shadows)

    monkeypatch.setattr(programs, "_trace", counted)
    yield seen
    clear_cache()


def wrapped(model):
    return [path for path, layer in layers_by_path(model).items() if "call" in vars(layer)]


def test_explaining_leaves_the_network_as_it_was():
    model = networks.twins(networks.backbone())["nested"]
    before, config = [w.copy() for w in model.get_weights()], model.to_json()
    held = {path: set(vars(layer)) for path, layer in layers_by_path(model).items()}
    xaimri.explain(model, noise((20, 28, 3))[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.to_json() == config
    assert {path: set(vars(layer)) for path, layer in layers_by_path(model).items()} == held
    assert wrapped(model) == []


def breakable(name):
    class Failing(layers.Layer):
        broken = False

        def call(self, x):
            if self.broken:
                raise RuntimeError("the layer failed")
            return x

    return Failing(name=name)


def test_a_trace_that_fails_leaves_nothing_behind():
    failing = breakable("failing")
    model = keras.Sequential(
        [
            keras.Input((12, 14, 1)),
            layers.Conv2D(2, 3),
            failing,
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    failing.broken = True
    with pytest.raises(Exception, match="the layer failed"):
        xaimri.explain(model, noise((12, 14))[0])
    assert wrapped(model) == []
    assert not programs.TRACING._is_owned()
    failing.broken = False
    assert xaimri.explain(model, noise((12, 14))[0]).values.shape == (12, 14)


def test_a_call_set_by_the_user_is_kept():
    model = small()
    own = model.get_layer("first").call
    object.__setattr__(model.get_layer("first"), "call", own)
    with recording(model):
        pass
    assert vars(model.get_layer("first"))["call"] is own


def test_a_second_explanation_traces_nothing(traces):
    model, images = small(), noise((20, 28, 3), count=3)
    first = xaimri.explain_all(model, list(images))
    count = len(traces)
    assert count == 1
    again = xaimri.explain_all(model, list(images))
    xaimri.explain_all(model, [*images, images[0]], target=2)  # padded to the same batch of four
    assert len(traces) == count
    assert np.array_equal(first[0].values, again[0].values)
    xaimri.explain(model, images[0])  # a batch of one is a function of its own
    assert len(traces) == count + 1
    clear_cache()
    assert not programs._programs
    xaimri.explain(model, images[0])
    assert len(traces) == count + 2


def test_new_weights_count_without_a_new_trace(traces):
    model, image = small(), noise((20, 28, 3))[0]
    before = xaimri.explain(model, image, target=0, relu=False)
    model.set_weights([w * 1.5 for w in model.get_weights()])
    after = xaimri.explain(model, image, target=0, relu=False)
    assert len(traces) == 1
    assert not np.allclose(before.values, after.values)
    np.testing.assert_allclose(after.logits, KerasClassifier(model).logits(image[None])[0], rtol=1e-5)


def test_the_cache_is_bounded(traces, monkeypatch):
    monkeypatch.setattr(programs, "CAPACITY", 2)
    model = small()
    for count in (1, 2, 4):
        KerasClassifier(model).logits(noise((20, 28, 3), count=count))
    assert len(programs._programs) == 2
    KerasClassifier(model).logits(noise((20, 28, 3), count=4))
    assert len(traces) == 3
    KerasClassifier(model).logits(noise((20, 28, 3), count=1))  # the oldest was forgotten
    assert len(traces) == 4


METHODS = (GradCAM(relu=False), xaimri.Saliency(), xaimri.LIME(samples=16, regions=4))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_eight_threads_on_one_network_give_the_serial_result(traces, method):
    model, images = small(), noise((20, 28, 3), count=16)
    classifier = KerasClassifier(model)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda x: method.explain(classifier, x[None], 1)[0], images))
    assert len(traces) == len({traced.shape for traced in traces}) <= 2  # equal masks are asked once
    assert wrapped(model) == []
    for one, image in zip(found, images, strict=True):
        (serial,) = method.explain(classifier, image[None], 1)
        np.testing.assert_array_equal(one.values, serial.values)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_eight_threads_on_networks_that_share_a_backbone(method):
    models = list(networks.twins(networks.backbone()).values())[:2]
    images = noise((20, 28, 3), count=8)
    clear_cache()
    work = [(model, image) for image in images for model in models]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda w: xaimri.explain(w[0], w[1], method, target=1).values, work))
    assert all(wrapped(m) == [] for m in models)
    for (model, image), values in zip(work, found, strict=True):
        np.testing.assert_array_equal(values, xaimri.explain(model, image, method, target=1).values)


def test_two_networks_in_turn_evict_nothing(traces):
    models, image = [small(seed=0), small(seed=1)], noise((20, 28, 3))[0]
    for _ in range(5):
        for model in models:
            for method in METHODS:
                xaimri.explain(model, image, method)
    assert len(traces) == 6  # two networks, three purposes


def two_inputs():
    a, b = keras.Input((12, 14, 1)), keras.Input((12, 14, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(layers.Add()([a, b])))
    return keras.Model([a, b], layers.Dense(2, "softmax")(x))


def two_outputs():
    a = keras.Input((12, 14, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(a))
    return keras.Model(
        a, [layers.Dense(2, "softmax", name="one")(x), layers.Dense(3, "softmax", name="two")(x)]
    )


def no_map():
    a = keras.Input((12, 14, 1))
    return keras.Model(a, layers.Dense(2, "softmax")(layers.Flatten()(a)))


def segmentation():
    a = keras.Input((12, 14, 1))
    return keras.Model(a, layers.Conv2D(2, 3, activation="softmax")(a))


def plain(**options):
    return small((12, 14), channels=1, **options)


@pytest.mark.parametrize(
    ("make", "options", "error", "sentence"),
    [
        (two_inputs, {}, InvalidInput, "2 inputs"),
        (two_outputs, {"classes": ("a", "b")}, InvalidInput, "outputs are 'one', 'two': pick the one"),
        (no_map, {}, MissingCapability, "no spatial map"),
        (segmentation, {}, InvalidInput, r"not \(batch, classes\)"),
        (plain, {"layer": "nope"}, InvalidInput, "`layer` 'nope' is not a layer with a spatial map.*'last'"),
        (plain, {"layer": "head"}, InvalidInput, "`layer` 'head'"),
        (lambda: plain(activation="relu"), {}, InvalidInput, 'pass outputs="logits"'),
        (lambda: plain(classes=1, activation=None), {}, InvalidInput, 'pass outputs="logits"'),
        (lambda: plain(activation="sigmoid"), {}, InvalidInput, "4 independent sigmoids.*`unit=`, in 0..3"),
        (plain, {"outputs": "logits"}, InvalidInput, "ends in a softmax"),
        (plain, {"classes": ("a", "b")}, InvalidInput, "4 different names"),
        (plain, {"classes": ("a", "b", "b", "c")}, InvalidInput, "at least two different names"),
        (plain, {"target": "x"}, InvalidInput, "'class_0', 'class_1', 'class_2', 'class_3'"),
    ],
)
def test_errors_are_one_sentence_with_a_remedy(make, options, error, sentence):
    with pytest.raises(error, match=sentence) as refusal:
        xaimri.explain(make(), noise((12, 14))[0], **options)
    told = str(refusal.value)
    assert "\n" not in told
    assert told.endswith(".")


def test_a_layer_named_twice_is_asked_for_by_its_path():
    base, other = networks.backbone(), networks.backbone()
    image = keras.Input((20, 28, 3))
    both = layers.Add(name="both")([base(image), keras.Model(other.input, other.output, name="other")(image)])
    model = keras.Model(image, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(both)))
    with pytest.raises(InvalidInput, match=r"stands for several layers.*'backbone/cells'"):
        xaimri.explain(model, noise((20, 28, 3))[0], layer="cells")
    assert (
        xaimri.explain(model, noise((20, 28, 3))[0], layer="other/cells").diagnostics["layer"]
        == "other/cells"
    )
    assert xaimri.explain(model, noise((20, 28, 3))[0]).diagnostics["layer"] == "both"


def test_a_layer_beside_the_way_is_refused():
    image = keras.Input((20, 28, 3))
    x = layers.Conv2D(4, 3, name="used")(image)
    aside = layers.Conv2D(4, 3, name="aside")(image)
    model = keras.Model(image, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(x + 0 * 1.0)))
    assert aside is not None
    with pytest.raises(InvalidInput, match="`layer` 'aside'"):
        xaimri.explain(model, noise((20, 28, 3))[0], layer="aside")


def test_saved_networks_that_cannot_be_read(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"not a network")
    for name, sentence in (
        ("gone.keras", "no saved network|no file"),
        ("broken.keras", "is no network of Keras"),
    ):
        with pytest.raises(InvalidInput, match=sentence) as refusal:
            xaimri.explain(str(tmp_path / name), noise((12, 14))[0])
        assert "\n" not in str(refusal.value)


def test_code_in_a_saved_network_is_not_run(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((12, 14, 1)),
            layers.Lambda(lambda x: x * 2),
            layers.Flatten(),
            layers.Dense(2, "softmax"),
        ]
    )
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(InvalidInput, match="code from files is not run unasked"):
        xaimri.explain(tmp_path / "lambda.keras", noise((12, 14))[0])


def test_images_of_another_shape_are_refused_by_the_classifier():
    with pytest.raises(InvalidInput, match=r"takes images of shape \(20, 28, 3\)"):
        KerasClassifier(small()).logits(noise((20, 27, 3)))


def test_many_images_run_in_batches(traces):
    model, images = plain(), noise((12, 14, 1), count=70)
    whole = KerasClassifier(model).gradient(images, Objective())
    assert len(traces) == 1
    assert traces[0].shape[0] == 8  # gradients hold every layer, so that few run together
    single = KerasClassifier(model).gradient(images[69:], Objective())
    np.testing.assert_allclose(whole.values[69], single.values[0], rtol=1e-4, atol=1e-6)


def test_logits_are_made_in_tensorflow_as_in_numpy():
    import tensorflow as tf

    from xaimri.adapters.answers import Answers

    z = noise((3,), count=5)
    p = softmax(z)
    for answers, columns, activation in (
        (Answers("network"), z, "softmax"),
        (Answers("network"), z[:, :1], "sigmoid"),
        (Answers("network"), p, "plain"),
        (Answers("network", "probabilities", 1), p, "plain"),
        (Answers("network"), z, "linear"),
        (Answers("network", "logits", 2), z, "plain"),
    ):
        found = answers.logits(tf.constant(columns), activation, programs.TENSORFLOW).numpy()
        np.testing.assert_allclose(found, answers.logits(columns, activation), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("preprocess", "said"),
    [
        (lambda images: None, "must return as many images as it is given, .*, got None"),
        (lambda images: "a", "must return the images as an array, got 'a'"),
        (lambda images: {"a": images}, "must return the images as an array, got a dict of 1"),
        (lambda images: [images, images], "must return as many images as it is given"),
        (lambda images: images[0], "must return as many images as it is given"),
        (lambda images: 1 / 0, r"`preprocess` raised ZeroDivisionError \(division by zero\)"),
    ],
)
def test_preparations_that_give_no_images_are_told(preprocess, said):
    with pytest.raises(InvalidInput, match=said):
        xaimri.explain(small(), noise((20, 28, 3))[0], preprocess=preprocess)

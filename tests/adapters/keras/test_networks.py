"""The Keras adapter on networks built in every way: one network, one map."""

import contextlib
import pickle
import warnings

import numpy as np
import pytest

import networks
import xaimri
from frameworks import on_first_use
from networks import noise, small
from xaimri import GradCAM
from xaimri.explainers import build
from xaimri.objective import Objective, softmax
from xaimri.testing import check_classifier, check_explainer

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier, clear_cache, load_model

pytestmark = pytest.mark.tensorflow


SIGNED = GradCAM(relu=False)


@pytest.fixture(autouse=True, scope="module")
def forget():
    yield
    clear_cache()


def saved(model, folder, suffix):
    path = folder / f"network{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Keras calls .h5 a format of the past
        model.save(path)
    return path


def agree(models, images, tolerance=1e-5):
    maps = {}
    for name, model in models.items():
        found = SIGNED.explain(KerasClassifier(model), images, 1)
        maps[name] = np.stack([e.values for e in found])
        assert not found[0].diagnostics["grid"]["assumed"], name
    first, *others = maps
    peak = np.abs(maps[first]).max()
    assert peak > 0
    for name in others:
        assert np.abs(maps[name] - maps[first]).max() <= tolerance * peak, name
    return maps[first]


def test_twins_of_a_small_network_have_one_map(tmp_path):
    models = networks.twins(networks.backbone())
    for suffix in (".keras", ".h5"):
        path = saved(models["nested"], tmp_path, suffix)
        models[suffix] = load_model(path)
    agree(models, noise((20, 28, 3)))
    by_path = xaimri.explain(str(tmp_path / "network.keras"), noise((20, 28, 3))[0], relu=False, target=1)
    direct = xaimri.explain(models["flat"], noise((20, 28, 3))[0], relu=False, target=1)
    np.testing.assert_allclose(by_path.values, direct.values, atol=1e-5 * np.abs(direct.values).max())


def test_twins_of_resnet50_have_one_map(tmp_path):
    keras.utils.set_random_seed(1)
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    models = networks.twins(base)
    models["loaded"] = load_model(saved(models["nested"], tmp_path, ".keras"))
    images = noise((64, 64, 3), scale=50)
    agree(models, images)
    for name, layer in (("flat", "conv5_block3_out"), ("sequential", "resnet50/conv5_block3_out")):
        (found,) = GradCAM().explain(KerasClassifier(models[name]), images[:1])
        assert found.diagnostics["layer"] == layer


def test_the_map_is_the_published_formula_on_a_submodel():
    """Independent of the engine: a sub-model, a tape, and the logit written out."""
    import tensorflow as tf

    model, images = small(), noise((20, 28, 3))
    opened = keras.Model(model.inputs[0], model.get_layer("last").output)
    with tf.GradientTape() as tape:
        cells = opened(images)
        tape.watch(cells)
        pooled = tf.reduce_mean(cells, axis=(1, 2))
        logit = (pooled @ model.get_layer("head").kernel + model.get_layer("head").bias)[:, 2]
    weights = tf.reduce_mean(tape.gradient(logit, cells), axis=(1, 2), keepdims=True)
    cam = tf.reduce_sum(cells * weights, axis=-1).numpy()
    maps = KerasClassifier(model).feature_maps(images, Objective((2, 2)))
    np.testing.assert_allclose(maps.values, cells.numpy(), atol=1e-6)
    (one, _) = SIGNED.explain(KerasClassifier(model), images, 2)
    expected = maps.grid.resample(cam)[0]
    np.testing.assert_allclose(one.values, expected, atol=1e-6 * np.abs(expected).max())
    assert maps.layer == "last"
    assert maps.grid.start == (1.0, 1.0)
    assert maps.grid.step == (2.0, 2.0)


@pytest.mark.parametrize("space", [(14, 18), (6, 8, 9)], ids=["2d", "3d"])
def test_a_small_network_keeps_every_promise(space):
    model = small(space, channels=2)
    images = noise((*space, 2), count=3)
    classifier = KerasClassifier(model)
    check_classifier(classifier, images, model.predict(images, verbose=0))
    for name in ("gradcam", "scorecam", "saliency", "integrated_gradients", "smoothgrad"):
        options = {"smoothgrad": {"copies": 3}, "integrated_gradients": {"most": 30}}.get(name, {})
        check_explainer(build(name, options), classifier, images)


def with_head(*head):
    return keras.Sequential([*small(activation=None, classes=3).layers, *head])


HEADS = {
    "activation": (lambda: small(), {}),
    "softmax layer": (lambda: with_head(layers.Softmax()), {}),
    "activation layer": (lambda: with_head(layers.Activation("softmax")), {}),
    "sigmoid unit": (lambda: small(classes=1, activation="sigmoid"), {}),
    "logits": (lambda: small(activation=None), {"outputs": "logits"}),
    "one logit": (lambda: small(classes=1, activation=None), {"outputs": "logits"}),
    "one of several sigmoids": (lambda: small(activation="sigmoid"), {"unit": 2}),
    "no nonlinearity that is known": (lambda: with_head(layers.Lambda(_shares)), {}),
}


def _shares(x):
    powers = keras.ops.exp(x)
    return powers / keras.ops.sum(powers, axis=-1, keepdims=True)


def slope(classifier, images, step=0.01):
    """Check the gradient of the log-odds along itself."""
    objective = Objective((1, 1), "log_odds")
    gradient = classifier.gradient(images, objective).values
    size = np.sqrt((gradient**2).sum(axis=(1, 2, 3), keepdims=True))
    ends = [classifier.logits(images + s * step * gradient / size) for s in (-1, 1)]
    low, high = (objective.scores(logits.astype(float)) for logits in ends)
    np.testing.assert_allclose((high - low) / (2 * step), size.ravel(), rtol=0.03)


@pytest.mark.parametrize("name", HEADS)
def test_every_head_gives_its_own_probabilities(name):
    make, options = HEADS[name]
    model = make()
    images = noise((20, 28, 3))
    said = model(images, training=False).numpy()
    if name == "logits":
        said = softmax(said)
    elif name == "one logit":
        said = 1 / (1 + np.exp(-said))
    elif name == "one of several sigmoids":
        said = said[:, 2]
    classifier = KerasClassifier(model, **options)
    if said.ndim == 1 or said.shape[1] == 1:
        said = np.stack([1 - said.ravel(), said.ravel()], axis=1)
    for of in ("logit", "log_odds", "probability"):
        own = Objective((1, 1), of).scores(classifier.logits(images).astype(float))
        expected = {"probability": said[:, 1], "log_odds": np.log(said[:, 1] / (1 - said[:, 1]))}
        np.testing.assert_allclose(own, expected.get(of, own), rtol=1e-4)
    np.testing.assert_allclose(softmax(classifier.logits(images)), said, atol=1e-6)
    slope(classifier, images)
    assert len(classifier.classes) == said.shape[1]


def test_a_sigmoid_gives_half_its_unit_to_either_class():
    model = small(classes=1, activation="sigmoid")
    images = noise((20, 28, 3))
    body = keras.Model(model.inputs[0], model.get_layer("pool").output)
    z = (body(images) @ model.get_layer("head").kernel + model.get_layer("head").bias).numpy()
    np.testing.assert_allclose(
        KerasClassifier(model).logits(images), np.concatenate([-z / 2, z / 2], axis=1), rtol=1e-5
    )


def test_the_logit_of_a_saturated_network_still_has_a_map():
    model = small()
    model.get_layer("head").kernel.assign(model.get_layer("head").kernel * 3000)
    image = noise((20, 28, 3), count=1)
    assert model(image).numpy().max() == 1.0
    (logit,) = SIGNED.explain(KerasClassifier(model), image)
    assert np.abs(logit.values).max() > 0
    assert "degenerate_gradient" not in [c.name for c in logit.caveats]
    (probability,) = SIGNED.explain(KerasClassifier(model), image, of="probability")
    assert {"degenerate_gradient", "saturated"} <= {c.name for c in probability.caveats}


@contextlib.contextmanager
def policy(name):
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(kept)


def test_mixed_precision():
    with policy("mixed_float16"):
        half = small()
    full = small()
    full.set_weights(half.get_weights())
    images = noise((20, 28, 3))
    (a, _), (b, _) = (SIGNED.explain(KerasClassifier(m), images, 1) for m in (half, full))
    assert a.values.dtype == np.float32
    assert np.abs(a.values - b.values).max() < 0.02 * np.abs(b.values).max()
    assert keras.config.dtype_policy().name == "float32"


def grey_with_preprocessing():
    base = networks.backbone()
    image = keras.Input((20, 28, 1))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.Concatenate()([x, x, x])
    x = layers.RandomFlip("horizontal")(x)
    x = layers.GlobalAveragePooling2D()(base(x))
    return keras.Model(image, layers.Dense(3, "softmax")(layers.Dropout(0.5)(x)))


def test_grey_images_with_the_preprocessing_inside():
    model = grey_with_preprocessing()
    images = 100 + noise((20, 28, 1), scale=30)
    classifier = KerasClassifier(model)
    check_classifier(classifier, images, model.predict(images, verbose=0))
    maps = classifier.feature_maps(images, Objective())
    assert maps.layer == "backbone/cells"
    assert not maps.grid.assumed
    assert xaimri.explain(model, images[0, ..., 0]).values.shape == (20, 28)


def subclassed():
    @keras.saving.register_keras_serializable("xaimri_tests")
    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.first = layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="first")
            self.last = layers.Conv2D(6, 3, padding="same", activation="relu", name="last")
            self.head = layers.Dense(3, activation="softmax", name="head")

        def call(self, x):
            return self.head(keras.ops.mean(self.last(self.first(x)), axis=(1, 2)))

    return Subclassed()


@pytest.mark.parametrize("built", [True, False])
def test_a_subclassed_network(built):
    keras.utils.set_random_seed(0)
    model, images = subclassed(), noise((20, 28, 3))
    if built:
        model(images)
    named = KerasClassifier(model, classes=("a", "b", "c"))
    maps = named.feature_maps(images, Objective())
    assert maps.layer == "last"
    assert not maps.grid.assumed
    assert xaimri.explain(model, images[0], classes=("a", "b", "c")).values.shape == (20, 28)
    check_classifier(named, images, model(images).numpy())
    assert "call" not in vars(model.first)


def test_a_network_without_names_gets_class_0_and_so_on():
    assert KerasClassifier(small()).classes == ("class_0", "class_1", "class_2", "class_3")
    model = subclassed()
    assert xaimri.explain(model, noise((20, 28, 3))[0]).classes == ("class_0", "class_1", "class_2")
    with pytest.raises(xaimri.InvalidInput, match="3 classes apart, and `classes` has 2 names"):
        KerasClassifier(subclassed(), classes=("a", "b")).logits(noise((20, 28, 3)))


def test_a_lazily_built_sequential_network():
    keras.utils.set_random_seed(0)
    lazy = keras.Sequential(
        [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    )
    assert xaimri.explain(lazy, noise((20, 28, 3))[0], classes=("a", "b", "c")).values.shape == (20, 28)


def test_a_network_without_a_fixed_size_takes_any():
    image = keras.Input((None, None, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, strides=2)(image))
    model = keras.Model(image, layers.Dense(3, "softmax")(x))
    for shape in ((20, 28), (31, 17)):
        assert xaimri.explain(model, noise(shape, count=1)[0]).values.shape == shape


def test_preprocessing_as_an_argument_is_part_of_the_classifier():
    model, images = small(), 100 + noise((20, 28, 3), scale=30)
    given = KerasClassifier(model, preprocess=lambda x: x / 50.0 - 2.0)
    check_classifier(given, images, model.predict(images / 50 - 2, verbose=0))
    outside = KerasClassifier(model, preprocess=lambda x: np.asarray(x) / 50.0 - 2.0)
    np.testing.assert_allclose(outside.logits(images), given.logits(images), rtol=1e-5)
    with pytest.raises(xaimri.MissingCapability, match="`preprocess`"):
        outside.gradient(images, Objective())
    resizing = KerasClassifier(model, preprocess=lambda x: np.repeat(np.asarray(x), 2, axis=1))
    with pytest.raises(xaimri.InvalidInput, match="`preprocess` turns images"):
        resizing.logits(images)
    a, b = (SIGNED.explain(m, images, 1)[0].values for m in (outside, given))
    np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(b).max())


def test_an_open_network_pickles_before_and_after_it_was_asked():
    model, image = xaimri.open_model(small(), fit="pad"), noise((20, 28, 3))[0]
    for _ in range(2):
        again = pickle.loads(pickle.dumps(model))
        assert repr(again) == repr(model)
        np.testing.assert_allclose(again.explain(image).values, model.explain(image).values, atol=1e-6)


def test_where_the_cells_are_few_the_last_layer_with_six_or_more_is_named():
    image = keras.Input((48, 40, 1))
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="fine")(image)
    x = layers.Conv2D(3, 3, strides=3, padding="same", activation="relu", name="enough")(x)
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="coarse")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(2, "softmax")(x))
    scan = np.random.default_rng(0).uniform(0, 1, (48, 40)).astype(np.float32)
    found = xaimri.explain(model, scan, "hirescam")
    (caveat,) = (c for c in found.caveats if c.name == "coarse_cells")
    assert "`coarse` has 4 x 4 cells" in caveat.text
    assert 'layer="enough"' in caveat.text  # 8 x 7 cells
    finer = xaimri.explain(model, scan, "hirescam", layer="enough")
    assert not [c for c in finer.caveats if c.name == "coarse_cells"]


def test_a_tempered_network_keeps_the_contract_and_its_maps_of_a_logit_are_divided():
    net, images = small(), noise((20, 28, 3), 3)
    plain = KerasClassifier(net)
    cold = plain.tempered(2.5)
    check_classifier(cold, images, softmax(np.log(np.asarray(net(images))) / 2.5))
    np.testing.assert_allclose(cold.logits(images) * 2.5, plain.logits(images), rtol=1e-5)
    asked = Objective((1, 1, 1))
    for old, new in (
        (plain.gradient(images, asked).values, cold.gradient(images, asked).values),
        (plain.feature_maps(images, asked).gradients, cold.feature_maps(images, asked).gradients),
    ):
        np.testing.assert_allclose(new * 2.5, old, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(plain.logits(images), KerasClassifier(net).logits(images))
    again = pickle.loads(pickle.dumps(cold))
    np.testing.assert_allclose(again.logits(images), cold.logits(images), rtol=1e-5)


def test_a_tempered_sigmoid_and_tempered_probabilities_are_divided_too():
    images = noise((20, 28, 3), 3)
    for net in (small(classes=1, activation="sigmoid"), averaged(small(), small(seed=1))):
        plain = KerasClassifier(net)
        np.testing.assert_allclose(
            plain.tempered(3.0).logits(images) * 3, plain.logits(images), rtol=1e-4, atol=1e-6
        )


def averaged(*nets):
    image = keras.Input((20, 28, 3))
    return keras.Model(image, layers.Average()([net(image) for net in nets]))

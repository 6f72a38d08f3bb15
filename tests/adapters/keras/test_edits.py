"""Networks that are edited between two calls, or that do not take images as we lay them."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.objective import Objective

with on_first_use():
    import keras

    from xaimri import KerasClassifier

pytestmark = pytest.mark.tensorflow

IMAGE = np.random.default_rng(0).uniform(0, 255, (13, 11, 1)).astype(np.float32)


def network(classes=3):
    layers = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((13, 11, 1)), *layers])


def test_an_exchanged_head_is_seen():
    model = network()
    xaimri.explain(model, IMAGE)
    model.pop()
    model.add(keras.layers.Dense(5, activation="softmax"))
    found = xaimri.explain(model, IMAGE)
    assert found.probabilities == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


def test_an_exchanged_activation_is_seen():
    model = network()
    xaimri.explain(model, IMAGE)
    model.layers[-1].activation = keras.activations.linear
    found = xaimri.explain(model, IMAGE, outputs="logits")
    assert found.logits == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


def test_a_normalisation_that_is_adapted_again_is_seen():
    normalisation = keras.layers.Normalization()
    normalisation.adapt(np.random.default_rng(0).normal(100, 30, (20, 13, 11, 1)))
    model = keras.Sequential([keras.Input((13, 11, 1)), normalisation, *network().layers[1:]])
    xaimri.explain(model, IMAGE)
    normalisation.adapt(np.random.default_rng(0).normal(10, 3, (20, 13, 11, 1)))
    found = xaimri.explain(model, IMAGE)
    assert found.probabilities == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


def test_weights_that_are_adapted_by_low_rank_are_seen():
    model = network()
    xaimri.explain(model, IMAGE)
    head = model.layers[-1]
    head.enable_lora(2)
    head.lora_kernel_b.assign(np.ones(head.lora_kernel_b.shape))
    head.lora_kernel_a.assign(np.full(head.lora_kernel_a.shape, 3.0) * np.arange(1, 5)[:, None])
    found = xaimri.explain(model, IMAGE)
    assert found.probabilities == pytest.approx(model(IMAGE[None]).numpy()[0], abs=1e-5)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")
def test_weights_that_are_quantised_are_seen():
    keras.utils.set_random_seed(0)
    wide = keras.initializers.RandomNormal(0, 1)
    layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten()]
    head = keras.layers.Dense(3, activation="softmax", kernel_initializer=wide)
    model = keras.Sequential([keras.Input((13, 11, 1)), *layers, head])
    before = xaimri.explain(model, IMAGE / 255).probabilities
    model.quantize("int8")
    found = xaimri.explain(model, IMAGE / 255)
    assert found.probabilities == pytest.approx(model(IMAGE[None] / 255).numpy()[0], abs=1e-5)
    assert np.abs(found.probabilities - before).max() > 1e-4


def test_a_network_that_is_built_by_the_first_explanation_is_traced_once(monkeypatch):
    from xaimri.adapters.keras import programs

    seen, traced = [], programs._trace

    def counted(model, ports, preprocess, request, shadows):
        seen.append(request.purpose)
        return traced(model, ports, preprocess, request, shadows)

    monkeypatch.setattr(programs, "_trace", counted)
    keras.utils.set_random_seed(0)  # of an empty map, other images are asked as well
    layers = [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    for _ in range(3):
        xaimri.explain(model, IMAGE)
    assert seen == ["logits", "maps"]  # its classes are counted first


def test_two_outputs_of_one_name_are_told_apart_by_number():
    image = keras.Input((13, 11, 1))
    head = keras.layers.Dense(2, activation="softmax", name="head")
    first, second = (keras.layers.Conv2D(4, 3, activation=a)(image) for a in ("relu", "tanh"))
    pool = keras.layers.GlobalAveragePooling2D()
    model = keras.Model(image, [head(pool(first)), head(pool(second))])
    with pytest.raises(InvalidInput, match="outputs are '0', '1'"):
        xaimri.explain(model, IMAGE)
    for output in (0, 1):
        found = xaimri.explain(model, IMAGE / 255, output=output)
        expected = model(IMAGE[None] / 255)[output].numpy()[0]
        assert found.probabilities == pytest.approx(expected, abs=1e-5)


def test_an_operation_without_a_gradient_is_named_and_not_taken_for_no_evidence():
    import tensorflow as tf

    for method in ("saliency", "integrated_gradients"):
        with pytest.raises(MissingCapability, match=r"has no gradient.*use a perturbation method"):
            xaimri.explain(network(), IMAGE, method, preprocess=tf.round)
    assert xaimri.explain(network(), IMAGE, preprocess=tf.round).values.shape == (13, 11)
    assert xaimri.explain(network(), IMAGE, "lime", preprocess=tf.round, samples=10, regions=3)


def own_head():
    class OwnHead(keras.Model):
        def __init__(self):
            super().__init__()
            self.features = keras.layers.Conv2D(4, 3, activation="relu")
            self.head = keras.layers.Dense(2, activation="softmax")

        def call(self, x):
            return self.head(keras.ops.mean(self.features(x), axis=(1, 2)))

    return OwnHead()


@pytest.mark.parametrize("built", [True, False])
def test_preprocessing_of_a_network_without_a_known_shape_is_part_of_the_gradient(built):
    model = own_head()
    if built:
        model(IMAGE[None])
    found = xaimri.explain(model, IMAGE, "saliency", preprocess=lambda x: x / 127.5 - 1.0)
    assert found.values.any()
    assert found.probabilities == pytest.approx(model(IMAGE[None] / 127.5 - 1).numpy()[0], abs=1e-5)


def test_preprocessing_with_tensors_may_resize():
    import tensorflow as tf

    def smaller(x):
        return tf.image.resize(x, (9, 7))

    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(image)
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(x)))
    found = xaimri.explain(model, IMAGE, "saliency", preprocess=smaller)
    assert found.values.shape == (13, 11)
    assert found.values.any()


def head_of(units, activation):
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(units, activation=activation)]
    return keras.Sequential([keras.Input((13, 11, 1)), keras.layers.Rescaling(1 / 255), *layers])


@pytest.mark.parametrize(("units", "unit"), [(3, 1), (2, 0)])
def test_a_unit_of_a_softmax_is_refused_with_the_reason(units, unit):
    with pytest.raises(InvalidInput, match="one distribution over the classes: leave `unit` out"):
        xaimri.explain(head_of(units, "softmax"), IMAGE, "saliency", unit=unit)


def test_a_unit_of_plain_outputs_is_two_classes():
    raw = head_of(4, None)
    found = xaimri.explain(raw, IMAGE, "saliency", unit=2, outputs="logits")
    said = 1 / (1 + np.exp(-raw(IMAGE[None]).numpy()[0, 2]))
    assert found.probabilities == pytest.approx([1 - said, said], abs=1e-5)
    image = keras.Input((13, 11, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
    several = [keras.layers.Dense(1, "sigmoid")(x) for _ in range(3)]
    model = keras.Model(image, keras.layers.Concatenate()(several))
    found = xaimri.explain(model, IMAGE, "saliency", unit=1)
    said = model(IMAGE[None]).numpy()[0, 1]
    assert found.probabilities == pytest.approx([1 - said, said], abs=1e-5)


def test_an_image_that_overflows_in_half_precision_changes_no_other():
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        keras.utils.set_random_seed(0)
        image = keras.Input((13, 11, 1))
        x = keras.layers.Conv2D(4, 3, activation="relu")(image)
        x = keras.layers.Dense(8)(keras.layers.Flatten()(x))
        model = keras.Model(image, keras.layers.Dense(2, "softmax", dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy(kept)
    classifier = KerasClassifier(model)
    asked = []
    run = classifier._run

    def recorded(purpose, images, objective, layer=None, scale=1.0):
        asked.append((len(images), scale))
        found, traced = run(purpose, images, objective, layer, scale)
        if scale != 1:
            found[-1][1] = np.inf  # as if the second image had overflowed
        return found, traced

    classifier._run = recorded
    images = np.random.default_rng(0).uniform(0, 1, (3, 13, 11, 1)).astype(np.float32)
    together = classifier.gradient(images, Objective((0, 1, 0))).values
    assert asked == [(3, 1024.0), (1, 1.0)]
    assert np.isfinite(together).all()
    classifier._run = run
    alone = classifier.gradient(images[1:2], Objective((1,))).values
    assert together[1:2] == pytest.approx(alone, rel=2e-2, abs=1e-5)


def test_a_convolution_before_tokens_is_no_patch_projection():
    """Only patches side by side make a vision transformer of it."""
    layers = keras.layers
    image = keras.Input((13, 11, 1))
    x = layers.Conv2D(5, 3, padding="same")(image)
    tokens = layers.Conv1D(4, 3, activation="relu")(layers.Reshape((-1, 5))(x))
    model = keras.Model(image, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(tokens)))
    assert xaimri.explain(model, IMAGE).values.shape == (13, 11)
    scores = layers.Softmax(axis=1)(layers.Dense(1)(layers.Reshape((-1, 5))(x)))
    pooled = layers.Flatten()(layers.Dot(axes=1)([scores, layers.Reshape((-1, 5))(x)]))
    model = keras.Model(image, layers.Dense(2, "softmax")(pooled))
    assert xaimri.explain(model, IMAGE).diagnostics["layer"].startswith("conv2d")


def tempered():
    class Tempered(keras.Model):
        def __init__(self):
            super().__init__()
            self.features = keras.layers.Conv2D(4, 3, activation="relu")
            self.head = keras.layers.Dense(3)
            self.temperature = 1.0

        def call(self, x):
            return keras.ops.softmax(self.head(keras.ops.mean(self.features(x), (1, 2))) * self.temperature)

    return Tempered()


def test_a_number_that_a_layer_holds_is_seen_when_it_changes():
    keras.utils.set_random_seed(0)
    own, scaled = tempered(), network()
    for model, layer, name, value in (
        (own, own, "temperature", 30.0),
        (scaled, scaled.layers[0], "scale", 5.0),
    ):
        image = IMAGE / 255
        xaimri.explain(model, image)
        setattr(layer, name, value)
        found = xaimri.explain(model, image)
        assert found.probabilities == pytest.approx(np.asarray(model(image[None]))[0], abs=1e-5)


def averaged(scale):
    """The same probabilities twice, averaged: no softmax is left at the end."""
    keras.utils.set_random_seed(4)
    image = keras.Input((13, 11, 1))
    x = keras.layers.Conv2D(6, 3, activation="relu", bias_initializer="ones")(image)
    z = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)) * scale
    p = keras.layers.Softmax()(z)
    return keras.Model(image, keras.layers.Average()([p, p]))


@pytest.mark.parametrize("of", ["logit", "log_odds"])
def test_probabilities_that_round_to_one_behind_no_softmax_are_said_to_be_saturated(of):
    names = [
        {caveat.name for caveat in xaimri.explain(averaged(scale), IMAGE / 255, of=of).caveats}
        for scale in (100.0, 1.0)
    ]
    assert "saturated" in names[0]
    assert "saturated" not in names[1]


def test_a_crop_leaves_nothing_on_pixels_that_the_network_cannot_see():
    image = keras.Input((32, 32, 1))
    x = keras.layers.CenterCrop(8, 8)(image)
    x = keras.layers.Conv2D(5, 3, padding="same", activation="relu", bias_initializer="ones")(x)
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(x)))
    found = np.abs(xaimri.explain(model, np.random.default_rng(0).random((32, 32)), "hirescam").values)
    assert found[11:21, 11:21].sum() == pytest.approx(found.sum())


def test_a_layer_that_runs_twice_one_after_the_other_is_no_single_map():
    image = keras.Input((13, 11, 1))
    shared = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", name="cells")(image), name="base")
    pooled = keras.layers.GlobalAveragePooling2D()(shared(shared(image) * 0.1))
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(pooled))
    assert xaimri.explain(model, IMAGE).diagnostics["layer"] == "base/cells"
    with pytest.raises(InvalidInput, match="runs 2 times on the way, one after the other"):
        xaimri.explain(model, IMAGE, layer="base/cells")


def loud():
    class Loud(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            with tf.control_dependencies([tf.debugging.assert_less(tf.reduce_max(x), 1.0)]):
                return tf.identity(x)

    return Loud()


def of_one(*layers, head=None):
    return keras.Sequential([keras.Input((13, 11, 1)), *layers, keras.layers.Flatten(), head])


def scores(*settings):
    return keras.layers.Dense(*settings)


@pytest.mark.parametrize(
    ("make", "options", "sentence"),
    [
        (
            lambda: of_one(loud(), head=scores(2, "softmax")),
            {"method": "saliency"},
            "fails on these images",
        ),
        (lambda: of_one(head=scores(3, "sigmoid")), {"method": "lime", "unit": True}, "`unit` must be"),
    ],
)
def test_what_can_not_be_is_said_in_one_sentence(make, options, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        xaimri.explain(make(), IMAGE, **options)
    assert "\n" not in str(refusal.value)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
def test_a_softmax_over_one_unit_is_named():
    with pytest.raises(InvalidInput, match="a softmax over one unit, which is 1 whatever the image"):
        xaimri.explain(of_one(head=scores(1, "softmax")), IMAGE, "saliency")


@pytest.mark.parametrize("names", [{"a", "b", "c"}, {0: "a", 1: "b"}, "ab", ["a", "a"]])
def test_names_without_an_order_are_refused(names):
    from xaimri.classifier import class_names

    with pytest.raises(InvalidInput, match="`classes` must be a list of at least two different names"):
        class_names(names)


def test_weights_that_are_not_numbers_are_named_as_the_reason():
    model = network()
    model.layers[-1].bias.assign([np.nan, 0, 0])
    with pytest.raises(InvalidInput, match="outputs are NaN or infinite: check its weights"):
        xaimri.explain(model, IMAGE)


def test_an_operation_whose_gradient_is_not_known_is_named():
    image = keras.Input((13, 11, 1))
    x = keras.ops.slice_update(image, (0, 0, 0, 0), keras.ops.zeros((1, 2, 2, 1)))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    model = keras.Model(image, keras.layers.Dense(2, "softmax")(x))
    with pytest.raises(MissingCapability, match="has no gradient"):
        xaimri.explain(model, IMAGE, "saliency")


def test_outputs_in_outputs_are_named():
    image = keras.Input((13, 11, 1))
    x = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(
        image, {"a": {"b": keras.layers.Dense(2, "softmax")(x)}, "c": scores(2, "softmax")(x)}
    )
    with pytest.raises(InvalidInput, match="is a dict, not one tensor"):
        xaimri.explain(model, IMAGE, "saliency", output="a")


@pytest.mark.parametrize("unit", [-1, 3])
def test_a_unit_that_is_not_there_is_named_with_the_range(unit):
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="sigmoid")]
    model = keras.Sequential([keras.Input((13, 11, 1)), *layers])
    with pytest.raises(InvalidInput, match=r"0\.\.2"):
        KerasClassifier(model, unit=unit).logits(IMAGE[None])


def test_a_network_that_refuses_the_image_says_so_in_one_sentence():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, activation="softmax")

        def call(self, x):
            return self.dense(keras.ops.reshape(x, (-1, 143)))

    model = Own()
    model(IMAGE[None])
    with pytest.raises(InvalidInput, match="does not take images of shape") as caught:
        xaimri.explain(model, IMAGE[:5], "lime", classes=("a", "b"), samples=8)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_network_that_fails_by_itself_is_not_said_to_want_another_size():
    class Broken(keras.Model):
        def call(self, x):
            return self.missing(x)

    with pytest.raises(InvalidInput, match=r"fails when it is called.*missing.*model\(batch") as caught:
        xaimri.explain(Broken(), IMAGE, "lime", classes=("a", "b"), samples=8)
    assert "size" not in str(caught.value)


def test_a_flat_input_is_no_image():
    model = keras.Sequential([keras.Input((143,)), keras.layers.Dense(2, activation="softmax")])
    with pytest.raises(InvalidInput, match="is no image"):
        xaimri.explain(model, IMAGE, "lime")


def test_a_reordering_by_index_is_no_known_geometry():
    inputs = keras.Input((12, 12, 1))
    turned = keras.ops.take(inputs, np.arange(11, -1, -1), axis=1)
    x = keras.layers.Conv2D(4, 3, activation="relu")(turned)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    found = xaimri.explain(keras.Model(inputs, outputs), IMAGE)
    assert "assumed_geometry" in [caveat.name for caveat in found.caveats]

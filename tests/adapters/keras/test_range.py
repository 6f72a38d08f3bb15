"""Images in another range than the network was trained on, and preprocessing that is done twice."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.caveats import Reason

with on_first_use():
    import keras
    from keras import layers

    from xaimri import KerasClassifier

pytestmark = pytest.mark.tensorflow

BYTES = np.random.default_rng(0).integers(0, 256, (18, 21, 3)).astype(np.float32)


def network(*first, shape=(18, 21, 3)):
    keras.utils.set_random_seed(0)
    rest = [
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, "softmax"),
    ]
    return keras.Sequential([keras.Input(shape), *first, *rest])


def names(explanation):
    return {caveat.name for caveat in explanation.caveats}


def normalised():
    return layers.Normalization(mean=[120.0, 115.0, 100.0], variance=[3600.0, 3500.0, 3700.0])


SCALING = {
    "by 1/255": lambda: [layers.Rescaling(1 / 255)],
    "to -1..1": lambda: [layers.Rescaling(1 / 127.5, offset=-1)],
    "normalised": lambda: [normalised()],
    "cropped and resized first": lambda: [
        layers.Resizing(20, 24),
        layers.ZeroPadding2D(1),
        layers.Rescaling(1 / 255),
    ],
    "flipped in training": lambda: [layers.RandomFlip(), layers.Rescaling(1 / 255)],
    "divided": lambda: [layers.Lambda(lambda x: x / 255.0)],
}


@pytest.mark.parametrize("scaling", SCALING)
def test_an_image_of_0_to_1_for_a_network_that_scales_bytes_is_noticed(scaling):
    model = network(*SCALING[scaling]())
    assert "input_range" in names(xaimri.explain(model, BYTES / 255))
    assert "input_range" in names(xaimri.explain(model, BYTES / 255, "lime", samples=10, regions=3))
    assert "input_range" not in names(xaimri.explain(model, BYTES))


def test_an_image_of_16_bits_for_such_a_network_is_noticed_unless_it_has_a_window():
    model = network(layers.Rescaling(1 / 255))
    deep = (BYTES * 257).astype(np.uint16)
    assert "input_range" in names(xaimri.explain(model, deep))
    seen = xaimri.explain(model, deep, window=(0, 65535))
    assert "input_range" not in names(seen)
    assert seen.diagnostics["window"] == xaimri.Window(0, 65535).record()
    np.testing.assert_allclose(seen.probabilities, xaimri.explain(model, BYTES).probabilities, atol=1e-6)
    np.testing.assert_array_equal(seen.image, deep)


def test_a_network_that_does_not_scale_takes_what_it_is_given():
    model = network()
    for image in (BYTES / 255, BYTES, BYTES * 257):
        assert not {"input_range", "preprocessed_twice"} & names(xaimri.explain(model, image))
    small = network(layers.Rescaling(0.5, offset=1.0))
    assert "input_range" not in names(xaimri.explain(small, BYTES / 255))


OTHER = {
    "12 bits": lambda: ([layers.Rescaling(1 / 4095)], 4080.0),
    "Hounsfield": lambda: ([layers.Rescaling(1 / 1000)], 3000.0),
    "scaled up": lambda: ([layers.Rescaling(2.0)], 1.0),
    "left as it is": lambda: ([layers.Normalization(mean=[0.0], variance=[1.0])], 5000.0),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_network_made_for_another_range_takes_that_range(name):
    first, top = OTHER[name]()
    image = BYTES[..., :1] / 255 * top
    found = names(xaimri.explain(network(*first, shape=(18, 21, 1)), image))
    assert not {"input_range", "preprocessed_twice"} & found


def test_intensities_of_0_to_1_are_noticed_where_12_bits_are_expected():
    model = network(layers.Rescaling(1 / 4095))
    explanation = xaimri.explain(model, BYTES / 255)
    (told,) = [caveat.text for caveat in explanation.caveats if caveat.name == "input_range"]
    assert "up to about 4095" in told


def test_clipping_before_a_network_that_scales_is_not_scaling_twice():
    model = network(layers.Rescaling(1 / 1000))
    hounsfield = BYTES * 10 - 1000
    found = xaimri.explain(model, hounsfield, preprocess=lambda x: np.clip(np.asarray(x), -200, 300))
    assert not {"input_range", "preprocessed_twice"} & names(found)


def test_a_scaling_behind_another_constant_is_found():
    still = layers.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)
    assert "input_range" in names(xaimri.explain(network(still, layers.Rescaling(1 / 255)), BYTES / 255))
    dark = layers.Normalization(mean=[15.0] * 3, variance=[3600.0] * 3)
    assert "input_range" in names(xaimri.explain(network(dark), BYTES / 255))


@pytest.mark.parametrize("up", [lambda x: x * 255.0, lambda x: np.asarray(x) * 255.0])
def test_preprocessing_that_scales_up_to_what_the_network_scales_down_is_right(up):
    found = xaimri.explain(network(layers.Rescaling(1 / 255)), BYTES / 255, preprocess=up)
    assert not {"input_range", "preprocessed_twice"} & names(found)


def tensors(x):
    return x / 127.5 - 1.0


def arrays(x):
    x = np.asarray(x)
    x /= 127.5
    x -= 1.0
    return x


def means(x):
    return x - np.float32([103.9, 116.8, 123.7])


def published(x):
    return keras.applications.resnet50.preprocess_input(x)


@pytest.mark.parametrize("preprocess", [tensors, arrays, means, published])
def test_preprocessing_twice_is_noticed(preprocess):
    image = BYTES.copy()
    twice = xaimri.explain(network(layers.Rescaling(1 / 255)), image, preprocess=preprocess)
    assert "preprocessed_twice" in names(twice)
    once = xaimri.explain(network(), image, preprocess=preprocess)
    assert "preprocessed_twice" not in names(once)
    np.testing.assert_array_equal(image, BYTES)


def test_preprocessing_that_keeps_the_range_is_not_taken_for_scaling():
    found = xaimri.explain(network(layers.Rescaling(1 / 255)), BYTES, preprocess=lambda x: 255.0 - x)
    assert not {"input_range", "preprocessed_twice"} & names(found)


def test_a_range_is_held_against_what_the_preprocessing_expects():
    assert "input_range" in names(xaimri.explain(network(), BYTES / 255, preprocess=tensors))
    assert "input_range" not in names(xaimri.explain(network(), BYTES, preprocess=tensors))


def test_a_constant_image_is_noticed_and_nothing_else_is_said_of_its_range():
    model = network(layers.Rescaling(1 / 255))
    found = names(xaimri.explain(model, np.zeros((18, 21, 3))))
    assert "constant_image" in found
    assert "input_range" not in found
    assert "constant_image" not in names(xaimri.explain(model, BYTES))


def test_nothing_is_said_before_the_network_was_asked():
    classifier = KerasClassifier(network(layers.Rescaling(1 / 255)))
    even = np.full((1, 3), 1 / 3, np.float32)
    assert classifier.doubts(BYTES[None] / 255, even) == ((),)
    classifier.logits(BYTES[None])
    assert classifier.doubts(BYTES[None] / 255, even)[0][0].reason is Reason.INPUT_RANGE

from __future__ import annotations

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training import build_resnet50, resnet, unfreeze

pytestmark = pytest.mark.tensorflow

CLASSES = ("none", "mild", "severe")


@pytest.fixture(scope="module")
def grey():
    return build_resnet50(CLASSES, size=(32, 48), weights=None, seed=3)


@pytest.fixture(scope="module")
def backbone():
    return keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 48, 3))


@pytest.fixture(scope="module")
def weight_file(backbone, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "notop.weights.h5"
    backbone.save_weights(path)
    return path


@pytest.fixture(scope="module")
def pretrained(weight_file):
    return build_resnet50(CLASSES, size=(32, 48), weights=weight_file, channels=3)


def prepared(model, images):
    """What the backbone is given."""
    inner = keras.Model(model.input, model.get_layer("prepare").output)
    return np.asarray(inner(images))


def pixels(channels, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (2, 32, 48, channels)).astype(np.float32)


def test_colour_is_prepared_as_keras_prepares_it(pretrained):
    images = pixels(3)
    expected = keras.applications.resnet50.preprocess_input(images.copy())
    np.testing.assert_array_equal(prepared(pretrained, images), expected)


def test_grey_is_prepared_as_equal_colours(weight_file):
    images = pixels(1)
    model = build_resnet50(CLASSES, size=(32, 48), weights=weight_file)
    expected = keras.applications.resnet50.preprocess_input(np.repeat(images, 3, axis=-1))
    np.testing.assert_array_equal(prepared(model, images), expected)


def test_a_random_network_keeps_black_at_zero(grey):
    images = pixels(1)
    images[0, :5] = 0
    got = prepared(grey, images)
    np.testing.assert_allclose(got, np.repeat(images, 3, axis=-1) / 255, atol=1e-6)
    assert (got[0, :5] == 0).all()


def test_a_weight_file_fills_the_backbone_alone(backbone, pretrained, weight_file):
    inner = resnet.backbone_of(pretrained)
    assert inner.name == "resnet50"
    for got, expected in zip(inner.get_weights(), backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_output_is_a_float32_softmax_behind_a_layer_of_logits(grey):
    probabilities = np.asarray(grey(pixels(1)))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert isinstance(grey.layers[-1], keras.layers.Softmax)
    assert grey.layers[-2].name == "logits"
    assert grey.layers[-2].activation is keras.activations.linear


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build_resnet50(2, size=(32, 32), weights=None, dense=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("logits").compute_dtype == "float16"
    assert model.get_layer("prepare").compute_dtype == "float32"
    assert model.output.dtype == "float32"


def test_the_seed_fixes_every_weight(grey):
    again = build_resnet50(CLASSES, size=(32, 48), weights=None, seed=3)
    other = build_resnet50(CLASSES, size=(32, 48), weights=None, seed=4)
    for one, two in zip(grey.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kernels = [(a, b) for a, b in zip(grey.weights, other.weights, strict=True) if a.path.endswith("kernel")]
    assert len(kernels) == 55
    for one, two in kernels:
        assert not np.array_equal(one, two), one.path


def test_kernels_keep_their_layers_kind_of_initialiser(grey):
    kernel = np.asarray(grey.get_layer("resnet50").get_layer("conv3_block1_2_conv").kernel)
    limit = np.sqrt(6 / (kernel[..., 0].size + kernel[..., 0, :].size))
    assert 0.999 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.std() - limit / np.sqrt(3)) < 0.01 * limit


@pytest.mark.parametrize(
    ("depth", "first", "count"),
    [
        (9, "conv5_block3_1_bn", 5),
        ("conv5", "conv5_block1_1_conv", 20),
        ("conv5_block3", "conv5_block3_1_conv", 6),
        ("all", "conv1_conv", 106),
        (0, None, 0),
        (1000, "conv1_conv", 106),
    ],
)
def test_depth_of_the_part_that_learns(grey, depth, first, count):
    unfreeze(grey, depth)
    names = [layer.name for layer in resnet.backbone_of(grey).layers if layer.trainable and layer.weights]
    assert len(names) == count
    assert first is None or names[0] == first
    assert all(grey.get_layer(name).trainable for name in ("hidden", "logits"))


def test_default_depth(pretrained):
    names = [layer.name for layer in resnet.backbone_of(pretrained).layers if layer.trainable]
    assert names == [layer.name for layer in resnet.backbone_of(pretrained).layers[-10:]]
    fresh = build_resnet50(2, size=(32, 32), weights=None)
    assert resnet.is_whole(resnet.backbone_of(fresh))
    assert not resnet.is_whole(resnet.backbone_of(pretrained))


def test_without_a_network_imagenet_names_the_ways_out(monkeypatch):
    def refuse(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org/weights: None -- offline")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", refuse)
    with pytest.raises(
        InvalidInput, match=r"weights=None .* weights=PATH .* with a network .*offline"
    ) as caught:
        build_resnet50(4)
    assert "\n" not in str(caught.value)


def test_a_missing_weight_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"nowhere\.h5` is no file"):
        build_resnet50(2, size=(32, 32), weights=tmp_path / "nowhere.h5")


def test_a_weight_file_that_does_not_fit_is_refused(tmp_path):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(InvalidInput, match="does not hold the weights of a ResNet50 backbone"):
        build_resnet50(2, size=(32, 32), weights=tmp_path / "other.weights.h5")
    (tmp_path / "broken.weights.h5").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="does not hold the weights of a ResNet50 backbone"):
        build_resnet50(2, size=(32, 32), weights=tmp_path / "broken.weights.h5")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"classes": 1}, "at least 2 distinct names"),
        ({"classes": ("a", "a")}, "at least 2 distinct names"),
        ({"classes": "ab"}, "got the one string 'ab'"),
        ({"size": (31, 64)}, "each at least 32"),
        ({"channels": 2}, "1 .grey. or 3 .colour."),
        ({"dropout": 1.0}, r"in \[0, 1\)"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        build_resnet50(**{"classes": 2, "size": (32, 32), "weights": None, **arguments})


@pytest.mark.parametrize("depth", ["conv9", "", -1, True])
def test_an_unknown_depth_names_the_blocks(grey, depth):
    with pytest.raises(InvalidInput, match="`conv5`"):
        unfreeze(grey, depth)


def test_blocks_of_a_random_network_start_as_the_identity(grey, pretrained):
    norms = [layer for layer in resnet.backbone_of(grey).layers if layer.name.endswith("_3_bn")]
    assert len(norms) == 16
    assert all((np.asarray(layer.gamma) == 0).all() for layer in norms)
    assert (np.asarray(resnet.backbone_of(pretrained).get_layer("conv2_block1_3_bn").gamma) == 1).all()

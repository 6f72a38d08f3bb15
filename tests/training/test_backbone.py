"""A ResNet50 of any width is the published one, narrowed; the weights in the package fit a quarter of it."""

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training import backbone, build_resnet50, resnet

pytestmark = pytest.mark.tensorflow


def test_at_full_width_it_is_the_published_network():
    theirs = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    ours = backbone.residual_network((32, 32), 1.0)
    assert [type(a) for a in ours.layers] == [type(b) for b in theirs.layers]
    assert [layer.name for layer in ours.layers][1:] == [layer.name for layer in theirs.layers][1:]
    ours.set_weights(theirs.get_weights())
    images = np.random.default_rng(0).uniform(0, 1, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(ours(images), theirs(images))


@pytest.fixture(scope="module")
def quarter():
    return build_resnet50(3, (64, 64), "phantom", dense=0, width=0.25)


def test_a_quarter_of_the_width_has_a_sixteenth_of_the_weights(quarter):
    assert resnet.backbone_of(quarter).count_params() == 1_500_896
    assert resnet.backbone_of(quarter).count_params() / 23_587_712 == pytest.approx(1 / 16, rel=0.03)


def test_the_weights_of_the_package_fill_the_backbone_and_do_something(quarter):
    kept = backbone.shipped_weights()
    inner = resnet.backbone_of(quarter)
    assert len(kept) == len(inner.weights)
    kernel = inner.get_layer("conv4_block6_2_conv").kernel
    np.testing.assert_array_equal(kernel, kept["conv4_block6_2_conv/kernel"].astype(np.float32))
    assert {array.dtype.name for array in kept.values()} == {"float16", "float32"}
    assert all(np.isfinite(array).all() for array in kept.values())
    again = backbone.pack(inner)
    assert all(np.array_equal(again[name], kept[name]) for name in kept), "packed as they were read"
    learns = [layer.name for layer in inner.layers if layer.trainable and layer.weights]
    assert learns[0].startswith("conv5_block3"), "pretrained: the last 10 layers learn"


def test_the_file_of_the_weights_is_small_and_in_the_package():
    from importlib.resources import files

    file = files("xaimri.training") / backbone.PHANTOM_WEIGHTS
    assert file.is_file()
    assert len(file.read_bytes()) < 4_000_000


def test_black_stays_at_zero_before_the_phantoms_weights(quarter):
    inner = keras.Model(quarter.input, quarter.get_layer("prepare").output)
    images = np.linspace(0, 255, 2 * 64 * 64, dtype=np.float32).reshape(2, 64, 64, 1)
    np.testing.assert_allclose(inner(images), np.repeat(images, 3, axis=-1) / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("weights", "width", "sentence"),
    [
        ("imagenet", 0.25, r"width 1, not 0\.25: give width=1\.0"),
        ("phantom", 1.0, r"a quarter of the width, not of 1: give width=0\.25"),
        (None, 0.001, "between 1/64 and 4"),
        (None, float("nan"), "between 1/64 and 4|finite|number"),
    ],
)
def test_weights_of_another_width_are_refused_in_a_sentence(weights, width, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        build_resnet50(2, (32, 32), weights, width=width)


def test_a_weight_file_of_a_narrow_backbone_is_read_at_its_width_only(quarter, tmp_path):
    resnet.backbone_of(quarter).save_weights(tmp_path / "narrow.weights.h5")
    read = build_resnet50(2, (32, 32), tmp_path / "narrow.weights.h5", width=0.25)
    kernels = [resnet.backbone_of(one).get_layer("conv1_conv").kernel for one in (read, quarter)]
    np.testing.assert_array_equal(*kernels)
    with pytest.raises(InvalidInput, match="does not hold the weights"):
        build_resnet50(2, (32, 32), tmp_path / "narrow.weights.h5", width=0.5)

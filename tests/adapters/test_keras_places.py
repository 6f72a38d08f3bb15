"""Maps of real architectures: the right layer, finite, and in the right place."""

import keras
import numpy as np
import pytest
from keras import layers

import xaimri
from xaimri.adapters.keras import KerasClassifier, clear_cache
from xaimri.classifier import Objective
from xaimri.grid import Grid

pytestmark = pytest.mark.tensorflow

FAMILIES = {
    "VGG16": (64, "vgg16/block5_pool"),
    "InceptionV3": (139, "inception_v3/mixed10"),
    "Xception": (71, "xception/block14_sepconv2_act"),
    "MobileNetV2": (64, "mobilenetv2_1.00_64/out_relu"),
    "DenseNet121": (64, "densenet121/relu"),
    "EfficientNetB0": (64, "efficientnetb0/top_activation"),
    "ConvNeXtTiny": (64, "convnext_tiny/"),
}


@pytest.fixture(autouse=True)
def forget():
    yield
    clear_cache()
    keras.backend.clear_session()


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined or non-square:UserWarning")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_backbones_gives_a_finite_map_nested(family):
    side, layer = FAMILIES[family]
    keras.utils.set_random_seed(0)
    base = getattr(keras.applications, family)(weights=None, include_top=False, input_shape=(side, side, 3))
    image = keras.Input((side, side, 3))
    pooled = layers.GlobalAveragePooling2D()(base(image))
    model = keras.Model(image, layers.Dense(3, activation="softmax")(pooled))
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.float32)
    found = xaimri.explain(model, picture, relu=False)
    assert np.isfinite(found.values).all()
    assert np.abs(found.values).max() > 0
    assert found.diagnostics["layer"].startswith(layer), found.diagnostics
    assert "everything flows" in found.diagnostics["why"]
    assert not found.diagnostics["grid"]["assumed"]
    print(family, found.diagnostics["layer"], found.diagnostics["grid"])


PATCH = 8


def of_ones(family, side):
    """A backbone with random weights under global average pooling and a dense layer of ones.

    Random weights scatter what one patch changes over several cells, so that several draws of image and
    patch are taken together.
    """
    keras.utils.set_random_seed(0)
    base = getattr(keras.applications, family)(weights=None, include_top=False, input_shape=(side, side, 3))
    head = layers.Dense(2, kernel_initializer="ones", bias_initializer="zeros")
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), head])


def shift(model, side, centre, draws):
    """How far the centroid of the change of the map lies from the patch, in pixels, per axis."""
    generator = np.random.default_rng(1)
    first = [round(c - (PATCH - 1) / 2) for c in centre]
    assert all(3 * 32 <= a <= side - PATCH - 3 * 32 for a in first)
    place = tuple(slice(a, a + PATCH) for a in first)
    pairs = []
    for _ in range(draws):
        plain = generator.uniform(0, 255, (side, side, 3)).astype(np.float32)
        changed = plain.copy()
        changed[place] = generator.uniform(0, 255, (PATCH, PATCH, 3))
        pairs += [plain, changed]
    maps = [e.values for e in xaimri.explain(model, pairs, target=0, outputs="logits", relu=False)]
    change = sum(np.abs(b - a).astype(float) for a, b in zip(maps[::2], maps[1::2], strict=True))
    found = [(change * axis).sum() / change.sum() for axis in np.indices(change.shape)]
    return np.array(found) - [a + (PATCH - 1) / 2 for a in first]


def test_a_patch_moves_the_map_of_resnet50_at_its_own_place(monkeypatch):
    side, centre, draws = 384, (159.5, 223.5), 8
    model = of_ones("ResNet50", side)
    assert np.abs(shift(model, side, centre, draws)).max() < 2
    half_pixel, resample = Grid.resized((side, side), (12, 12)), Grid.resample

    def resized(self, values):
        return resample(half_pixel if self.cells == half_pixel.cells else self, values)

    monkeypatch.setattr(Grid, "resample", resized)
    assert np.abs(shift(model, side, centre, 2)).min() > 8


def test_a_patch_moves_the_map_of_vgg16_at_its_own_place():
    """Its pooling is even and needs no padding, so that half-pixel resizing is right here."""
    model = of_ones("VGG16", 288)
    assert np.abs(shift(model, 288, (143.5, 143.5), 16)).max() < 2
    maps = KerasClassifier(model, outputs="logits").feature_maps(
        np.zeros((1, 288, 288, 3), np.float32), Objective((0,))
    )
    assert (maps.grid.start, maps.grid.step) == ((15.5, 15.5), (32.0, 32.0))

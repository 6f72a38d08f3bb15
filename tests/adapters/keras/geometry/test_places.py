"""Maps of real architectures: the right layer, finite, and in the right place."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.grid import Grid

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import clear_cache

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
    head = layers.Dense(3, use_bias=False, activation="softmax")
    model = keras.Model(image, head(pooled))
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.float32)
    reached = float(np.abs(base(picture[None])).max())  # 2e-10 in MobileNetV2: random weights shrink it all
    head.set_weights([kernel / reached for kernel in head.get_weights()])
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
    maps = [e.values for e in xaimri.explain_all(model, pairs, target=0, outputs="logits", relu=False)]
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


def of_spots(space):
    """A linear network whose map is the image itself, blurred."""
    convolution = {"padding": "same", "use_bias": False, "kernel_initializer": "ones"}
    return keras.Sequential(
        [
            keras.Input((*space, 1)),
            layers.Conv2D(1, 3, strides=2, **convolution),
            layers.Conv2D(1, 4, strides=2, **convolution),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, kernel_initializer="ones"),
        ]
    )


def centroid(values):
    return np.array([(values * axis).sum() / values.sum() for axis in np.indices(values.shape)])


@pytest.mark.parametrize("fit", ["stretch", "pad"])
@pytest.mark.parametrize("size", [(48, 64), (96, 130), (97, 64), (150, 201), (31, 40), (24, 55)])
def test_a_spot_in_an_image_of_any_size_comes_back_to_its_place(size, fit):
    place = np.array(size) * (0.45, 0.6)
    far = sum(((axis - p) / (0.06 * max(size))) ** 2 for axis, p in zip(np.indices(size), place, strict=True))
    spot = (200 * np.exp(-far / 2)).astype(np.float32)
    found = xaimri.explain(of_spots((48, 64)), spot, target=1, outputs="logits", fit=fit)
    assert found.values.shape == size
    assert not found.diagnostics["grid"]["assumed"]
    off = centroid(found.values.astype(float)) - centroid(spot.astype(float))
    assert np.abs(off).max() < 0.1  # pixels of that image

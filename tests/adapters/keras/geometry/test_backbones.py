"""Where ten backbones put their cells, against patches sent through mirror-symmetric kernels.

With kernels that are their own mirror images, a patch around the centre of a cell changes the map
symmetrically around that cell, whatever the nonlinearities. So the centroid of the change tells where the
cell lies, to a hundredth of a pixel.
"""

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.objective import Objective

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier, clear_cache
    from xaimri.adapters.keras.geometry import sampling

pytestmark = pytest.mark.tensorflow

SIZES = ((320, 353), (319, 336), (385, 306))
BACKBONES = {
    "ResNet50": SIZES,
    "ResNet50V2": SIZES,
    "VGG16": SIZES,
    "MobileNet": SIZES,
    "MobileNetV2": SIZES,
    "DenseNet121": SIZES,
    "EfficientNetB0": SIZES,
    "ConvNeXtTiny": SIZES,
    "InceptionV3": SIZES,
    "Xception": ((328, 359), (327, 392), (360, 327)),  # at which its branches agree
}
MEAN = 18.0
"""Where Xception's first cell lies by the mean of its branches, if all its pooled sizes are even."""

PATCH, AROUND = 8.0, 2
"""Half the width of the patch in pixels, and the cells around the middle one that are looked at."""


@pytest.fixture(autouse=True)
def forget():
    yield
    clear_cache()
    keras.backend.clear_session()


def backbone(family):
    """A backbone for any size, with random kernels averaged with their mirror images."""
    keras.utils.set_random_seed(0)
    options = {"include_preprocessing": False} if family == "ConvNeXtTiny" else {}
    build = getattr(keras.applications, family)
    base = build(weights=None, include_top=False, input_shape=(None, None, 3), **options)
    for layer in base.layers:
        gate, scale = "_se_" in layer.name, type(layer).__name__ == "LayerScale"
        layer.set_weights([symmetric(w) * (not gate) if not scale else w**0 for w in layer.get_weights()])
    return base


def symmetric(kernel):
    if kernel.ndim != 4:
        return kernel
    return sum(kernel[::a, ::b] for a in (1, -1) for b in (1, -1)) / 4


def classifier(base):
    pooled = layers.GlobalAveragePooling2D()(base.output)
    return KerasClassifier(keras.Model(base.input, layers.Dense(2)(pooled)), outputs="logits")


def maps_of(network, image):
    return network.feature_maps(image[None], Objective((0,)))


def answering(network, size):
    """The centre of the middle cell, where in the lattice the map answers to a patch there, and the maps."""
    image = np.zeros((*size, 3), np.float32)
    plain = maps_of(network, image)
    middle = [m // 2 for m in plain.grid.cells]
    place = placed(plain.grid, middle)
    image[tuple(slice(int(np.ceil(c - PATCH)), int(c + PATCH) + 1) for c in place)] = (90, 40, 130)
    change = np.abs(maps_of(network, image).values[0] - plain.values[0]).astype(float).sum(axis=-1)
    near = change[tuple(slice(i - AROUND, i + AROUND + 1) for i in middle)]
    assert near.shape == (2 * AROUND + 1,) * 2
    assert near.sum() > 0
    centroid = [(near * axis).sum() / near.sum() for axis in np.indices(near.shape)]
    return place, np.array(centroid) - AROUND + middle, plain


def placed(grid, cell):
    return np.array(grid.start) + np.array(grid.step) * cell


def tolerance(grid):
    return max(2.0, min(grid.step) / 10)


def careless(window):
    """Windows that lie at their first cell instead of their middle one."""

    def first(op, size, kernel, strides, dilations, **where):
        offsets, scales = window(op, size, kernel, strides, dilations, **where)
        return [o - (k - 1) * d / 2 for o, k, d in zip(offsets, kernel, dilations, strict=True)], scales

    return first


@pytest.mark.parametrize("family", BACKBONES)
def test_a_patch_is_answered_by_the_cell_around_which_it_lies(family, monkeypatch):
    network = classifier(backbone(family))
    for size in BACKBONES[family]:
        place, cell, maps = answering(network, size)
        off = placed(maps.grid, cell) - place
        print(f"{family} {maps.layer} {size} {maps.grid.start} {maps.grid.step} off by {np.round(off, 2)}")
        assert not maps.grid.assumed
        assert maps.grid.spread == 0
        assert np.abs(off).max() <= tolerance(maps.grid)
    clear_cache()
    monkeypatch.setattr(sampling, "window", careless(sampling.window))
    wrong = maps_of(network, np.zeros((*size, 3), np.float32)).grid
    assert np.abs(placed(wrong, cell) - place).min() > tolerance(wrong), "a wrong geometry would pass"


@pytest.mark.parametrize(("silent", "side"), [("batch_normalization", 1), ("sepconv2_bn", -1)])
def test_xceptions_cells_lie_where_the_branch_puts_them_that_carries(silent, side):
    """Where all its pooled sizes are even, four mergers move the branches apart by 2, 4, 8 and 16 pixels."""
    base = backbone("Xception")
    for block in ("", "block2_", "block3_", "block4_", "block13_"):
        for layer in base.layers:
            if layer.name.startswith(f"{block}{silent}"):
                layer.set_weights([w * (i > 1) for i, w in enumerate(layer.get_weights())])
    place, cell, maps = answering(classifier(base), (325, 358))
    assert maps.grid.start == pytest.approx((MEAN + side * 15.0,) * 2, abs=1e-6)
    assert maps.grid.spread == 0
    assert max(maps.grid.doubt, default=0) == 0
    assert np.abs(placed(maps.grid, cell) - place).max() <= tolerance(maps.grid)

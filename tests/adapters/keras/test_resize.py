"""How Keras brings an image to a size."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import keras

    from xaimri.adapters.keras.resize import KerasResize

pytestmark = pytest.mark.tensorflow

WAYS = {
    "stretched": {},
    "cropped": {"crop_to_aspect_ratio": True},
    "padded": {"pad_to_aspect_ratio": True, "fill_value": -7.0},
    "stretched, nearest": {"interpolation": "nearest"},
    "cropped, bicubic": {"crop_to_aspect_ratio": True, "interpolation": "bicubic", "antialias": True},
    "stretched, lanczos": {"interpolation": "lanczos3", "antialias": True},
}
SIZES = [(12, 10), (48, 40), (31, 90), (77, 23), (7, 8), (13, 11)]


@pytest.mark.parametrize("way", WAYS)
def test_a_resize_is_the_layers_and_says_where_its_pixels_come_from(way):
    """A ramp's value is its place: the resized ramp tells whence each pixel was taken."""
    layer = keras.layers.Resizing(12, 10, **WAYS[way])
    resize = KerasResize.of_layer(layer)
    assert resize.describe() == way.split(",")[0]
    for size in SIZES:
        ramps = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).astype(np.float32)
        found = resize(ramps)
        np.testing.assert_array_equal(found, np.asarray(layer(ramps[None]))[0])
        grid = resize.grid(size)
        assert (grid.space, grid.cells) == (size, (12, 10))
        for axis in (0, 1):
            line = found[:, 5, 0] if axis == 0 else found[6, :, 1]
            places = grid.start[axis] + grid.step[axis] * np.arange(len(line))
            reach = 3 * max(grid.step[axis], 1) if "," in way else 0
            inner = (np.arange(len(line)) > 1) & (np.arange(len(line)) < len(line) - 2)  # edges go on
            inside = inner & (places >= reach) & (places <= size[axis] - 1 - reach)
            limit = 0.51 if "nearest" in way else 0.05 if "," in way else 1e-3
            assert np.abs(line - places)[inside].max(initial=0) < limit, (way, size, axis)
            if "nearest" in way:
                assert abs(np.mean(line - places)) < 1e-3

"""Where cells are measured to see, on linear models whose cells see their own patch."""

from dataclasses import replace

import numpy as np
import pytest

from xaimri import LinearClassifier
from xaimri.testing import cell_offsets

SHAPES = {"2d": (24, 32, 2), "3d": (12, 16, 20, 1)}


class Shifted(LinearClassifier):
    """A model whose grid lies pixels beside its patches along the last axis."""

    pixels = 0.0

    def feature_maps(self, images, objective, /, layer=None):
        maps = super().feature_maps(images, objective, layer)
        *first, last = maps.grid.start
        return replace(maps, grid=replace(maps.grid, start=(*first, last + self.pixels)))


@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("pixels", [0.0, 1.5, -2.0, 4.0])
def test_the_offset_is_by_how_much_the_grid_lies_beside_the_patches(rank, pixels):
    model = Shifted.random(SHAPES[rank], classes=3, seed=0, patch=4)
    model.pixels = pixels
    images = np.random.default_rng(0).normal(size=(2, *SHAPES[rank])).astype(np.float32)
    kept = images.copy()
    found = cell_offsets(model, images)
    assert found == pytest.approx([0.0] * (len(SHAPES[rank]) - 2) + [abs(pixels)], abs=1e-3)
    np.testing.assert_array_equal(images, kept)


def test_one_cell_along_an_axis_has_no_offset():
    model = LinearClassifier.random((4, 16, 1), classes=3, seed=0, patch=4)
    found = cell_offsets(model, np.random.default_rng(0).random((2, 4, 16, 1), dtype=np.float32))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0, abs=1e-3)

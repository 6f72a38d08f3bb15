"""Masks are opened, closed, widened and filled as SciPy does it, whatever the number of axes."""

import numpy as np
import pytest
from scipy import ndimage

from xaimri.images.morphology import closed, filled, opened, widened

SHAPES = [(5, 9), (40, 31), (1, 7), (6, 7, 9)]


def masks(shape):
    generator = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 0.7, 0.95, 1.0):
        yield generator.random(shape) < share
    yield np.asfortranarray(generator.random(shape) < 0.6)
    yield (generator.random([2 * side for side in shape]) < 0.6)[tuple(slice(None, None, 2) for _ in shape)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_mask_becomes_what_scipy_makes_of_it(shape):
    for mask in masks(shape):
        before = mask.copy()
        np.testing.assert_array_equal(opened(mask), ndimage.binary_opening(mask))
        np.testing.assert_array_equal(closed(mask), ndimage.binary_closing(mask))
        np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))
        for reach in (0, 1, 3, 12):
            pixels = [reach + axis for axis in range(len(shape))]
            size = [2 * each + 1 for each in pixels]
            np.testing.assert_array_equal(widened(mask, pixels), ndimage.maximum_filter(mask, size=size))
        np.testing.assert_array_equal(mask, before)

"""Large pictures are reduced to what can be seen, and no extreme is lost."""

import dataclasses

import numpy as np
import pytest

from stripes import explained, numbered, pixelwise
from xaimri.render import plot
from xaimri.render import reduction as reductions
from xaimri.render.reduction import Reduction


@pytest.mark.parametrize("shape", [(7, 10), (9, 4), (3, 3), (1, 8)])
def test_blocks_keep_their_extreme_and_their_mean(shape):
    values = np.random.default_rng(0).normal(size=shape)
    whole = Reduction(shape, 3)
    (found,) = whole.extreme(values)
    for row, column in np.ndindex(*found.shape):
        block = values[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3]
        assert found[row, column] == block.ravel()[np.abs(block).argmax()]
        assert whole.central(values)[row, column] in block
    np.testing.assert_allclose(whole.mean(np.ones((*shape, 3))), np.ones((*found.shape, 3)))
    left, right, bottom, top = whole.extent
    assert (right - left, bottom - top) == (3 * found.shape[1], 3 * found.shape[0])


def test_what_goes_with_an_extreme_is_taken_at_its_pixel():
    values = np.array([[1.0, -5.0], [np.nan, 2.0]])
    sure = np.array([[False, True], [False, False]])
    assert [each.item() for each in Reduction((2, 2), 2).extreme(values, sure)] == [-5.0, True]


def test_small_pictures_are_drawn_as_they_are():
    assert Reduction.of((1200, 900)).side == 1
    assert Reduction.of((3000, 2200)).side == 3
    values = np.ones((4, 5))
    assert Reduction.of(values.shape).extreme(values)[0] is values


def test_places_stay_pixels_of_the_whole_picture(monkeypatch):
    found = pixelwise()
    peak = np.zeros_like(found.values)
    peak[17, 29] = -4
    whole = [plot(explained(), style="superpixels"), plot(dataclasses.replace(found, values=peak))]
    monkeypatch.setattr(reductions, "LONGEST", 12)
    parts = [plot(explained(), style="superpixels"), plot(dataclasses.replace(found, values=peak))]
    for one, other in zip(whole, parts, strict=True):
        assert one.get_xlim() == other.get_xlim() == (-0.5, 34.5)
        assert one.get_ylim() == other.get_ylim() == (23.5, -0.5)
    assert numbered(whole[0]) == numbered(parts[0])
    drawn = parts[1].images[1]
    left, right, bottom, top = drawn.get_extent()
    (row,), (column,) = np.nonzero(np.asarray(drawn.get_array()))
    rows, columns = drawn.get_array().shape
    assert left + column * (right - left) / columns <= 29 <= left + (column + 1) * (right - left) / columns
    assert top + row * (bottom - top) / rows <= 17 <= top + (row + 1) * (bottom - top) / rows

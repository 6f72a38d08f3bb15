"""A glass brain shows of every line of sight the value farthest from zero, where planes would show it."""

import dataclasses

import numpy as np
import pytest

from stripes import pixelwise
from xaimri.errors import InvalidInput
from xaimri.render import figure, glass
from xaimri.render.fade import FADED, PALE

SHAPE = (8, 9, 10)


def volume(errors=None, affine=None):
    image = np.zeros((*SHAPE, 1), np.float32)
    image[2:7, 2:8, 2:9] = 1
    values = np.zeros(SHAPE, np.float32)
    values[3, 4, 7], values[5, 4, 7], values[3, 6, 2] = 1, -2, 0.5
    return dataclasses.replace(
        pixelwise(), values=values, image=image, errors=errors, affine=affine,
        spacing=None if affine is None else tuple(np.abs(np.diag(affine)[:3])),
    )  # fmt: skip


def maps(drawn):
    return [np.asarray(ax.images[1].get_array()) for ax in drawn.axes[:3]]


def test_each_panel_is_the_value_farthest_from_zero_along_its_axis():
    found = volume()
    for axis, shown in enumerate(maps(glass(found))):
        values = found.values
        expected = np.where(values.max(axis) >= -values.min(axis), values.max(axis), values.min(axis))
        np.testing.assert_array_equal(shown, expected)
    assert maps(glass(found))[0][4, 7] == -2  # and not 1 - 2


def test_panels_are_laid_and_marked_as_planes_are():
    drawn = figure(volume(affine=np.diag([1.0, 2.0, 3.0, 1.0])), style="glass")
    sagittal, coronal, axial = maps(drawn)
    assert sagittal[9 - 7, 8 - 4] == coronal[9 - 7, 7 - 5] == axial[8 - 4, 7 - 5] == -2
    panels = drawn.axes[:3]
    assert [ax.get_title() for ax in panels] == ["sagittal", "coronal", "axial"]
    assert [[t.get_text() for t in ax.texts] for ax in panels] == [["A", "P"], ["R", "L"], ["R", "L"]]
    assert [ax.get_aspect() for ax in panels] == [1.5, 3.0, 2.0]
    assert sum(ax.get_ylabel().startswith("attribution") for ax in drawn.axes) == 1
    assert "Radiological convention: the patient's right is on the left." in drawn.get_supxlabel()
    unknown = figure(volume(), style="glass")
    assert not any(ax.texts for ax in unknown.axes[:3])
    assert "Radiological" not in unknown.get_supxlabel()


def test_the_outline_is_that_of_the_head():
    ax = glass(volume()).axes[0]
    (lines,) = ax.collections
    ends = np.concatenate([path.vertices for path in lines.get_paths()])
    assert (ends.min(axis=0) > [1, 1]).all()
    assert (ends.max(axis=0) < [9, 8]).all()
    assert np.ptp(ends, axis=0) == pytest.approx([7, 6], abs=1.01)


def test_what_cannot_be_told_from_zero_is_pale():
    errors = np.full(SHAPE, 0.1, np.float32)
    errors[3, 6, 2] = 5
    drawn = glass(volume(errors))
    alpha = drawn.axes[0].images[1].get_alpha()
    assert (alpha[4, 7], alpha[6, 2]) == (1, PALE)
    assert FADED in drawn.get_suptitle()
    assert FADED not in glass(volume(errors), fade=False).get_suptitle()


def test_a_slice_and_a_point_are_refused_and_nothing_is_said_to_be_nothing():
    with pytest.raises(InvalidInput, match="a glass brain shows a volume, and this is a slice"):
        figure(pixelwise(), style="glass")
    with pytest.raises(InvalidInput, match="`at` is a point of three planes, and style='glass' shows others"):
        figure(volume(), style="glass", at=(1, 2, 3))
    empty = dataclasses.replace(volume(), values=np.zeros(SHAPE, np.float32))
    assert "every value is 0" in [t.get_text() for t in glass(empty).axes[0].texts]

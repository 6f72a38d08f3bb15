"""Many planes of a volume: from one end of the object to the other, on one scale."""

import dataclasses

import numpy as np
import pytest

from stripes import pixelwise
from xaimri.errors import InvalidInput
from xaimri.render import figure, mosaic


def volume(first=4, last=15):
    image = np.zeros((24, 35, 20, 1), np.float32)
    image[first : last + 1, 5:30, 4:16] = 1
    return dataclasses.replace(pixelwise("3d"), image=image, errors=None)


def titles(drawn):
    return [int(ax.get_title().rsplit(" ", 1)[-1]) for ax in drawn.axes if "plane" in ax.get_title()]


def test_planes_reach_from_the_first_of_the_object_to_its_last():
    assert titles(mosaic(volume(), planes=12)) == list(range(4, 16))
    assert titles(mosaic(volume(), planes=2)) == [4, 15]
    assert titles(mosaic(volume(), planes=400)) == list(range(4, 16))
    assert titles(mosaic(volume(), axis=2, planes=2)) == [4, 15]
    assert titles(mosaic(volume(), axis=1, planes=2)) == [5, 29]


def test_the_planes_are_those_of_the_slices_that_were_explained_else_axial():
    bare = volume()
    assert titles(mosaic(bare, planes=2)) == titles(mosaic(bare, axis=0, planes=2)) == [4, 15]
    scan = dataclasses.replace(bare, affine=np.diag([2.0, 2, 2, 1]))
    assert [ax.get_title()[:5] for ax in mosaic(scan, planes=2).axes if "plane" in ax.get_title()] == [
        "axial"
    ] * 2
    cut = dataclasses.replace(scan, diagnostics={**scan.diagnostics, "slices": {"axis": 1}})
    assert [ax.get_title()[:7] for ax in mosaic(cut, planes=2).axes if "plane" in ax.get_title()] == [
        "coronal"
    ] * 2


def test_all_planes_share_one_scale_and_one_bar():
    found = volume()
    drawn = figure(found, style="mosaic", planes=7, heading="a.nii")
    assert drawn.get_suptitle().splitlines()[0] == "a.nii"
    limits = {ax.images[1].norm.vmax for ax in drawn.axes if "plane" in ax.get_title()}
    assert limits == {float(np.abs(found.values).max())}
    assert sum(ax.get_ylabel().startswith("attribution") for ax in drawn.axes) == 1


def test_every_plane_is_the_one_that_stands_above_it():
    found = volume()
    for ax in mosaic(found, planes=3, axis=1).axes:
        if "plane" in ax.get_title():
            index = int(ax.get_title().rsplit(" ", 1)[-1])
            np.testing.assert_array_equal(np.asarray(ax.images[1].get_array()), found.values[:, index])


def test_a_slice_has_no_mosaic():
    with pytest.raises(InvalidInput, match="a mosaic shows planes of a volume, and this is a slice"):
        figure(pixelwise(), style="mosaic")

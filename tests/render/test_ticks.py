"""Places in mm beside planes: where the affine says, and only where a plane's axes lie along the world's."""

import dataclasses
import itertools

import numpy as np
import pytest

from stripes import pixelwise
from xaimri.errors import InvalidInput
from xaimri.images.planes import Turn, millimetres
from xaimri.render import figure, plot

SHAPE = (24, 35, 20)


def volume(affine):
    return dataclasses.replace(pixelwise("3d"), affine=affine, spacing=None, errors=None)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_every_tick_stands_where_the_affine_puts_it(axes):
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, flip) in enumerate(zip(axes, (-1.5, 2.0, 1.25), strict=True)):
        affine[world, axis] = flip
    affine[:3, 3] = (7.25, -30.5, 12.0)
    found = volume(affine)
    for plane in ((0, 4), (1, 9), (2, 3)):
        ax, turn = plot(found, plane=plane, colourbar=False), Turn.of(plane, affine)
        for along, one, axis in ((0, ax.xaxis, turn.right), (1, ax.yaxis, turn.down)):
            letter = one.get_label_text()
            assert letter == f"{'xyz'[axes[axis]]} (mm)"
            ticks = dict(zip(one.get_ticklocs(), (t.get_text() for t in one.get_ticklabels()), strict=True))
            assert len(ticks) >= 2
            for place, told in ticks.items():
                back = turn.up if along else turn.leftwards
                voxel = np.array([4.0, 9.0, 3.0, 1.0])
                voxel[axis] = SHAPE[axis] - 1 - place if back else place
                assert (affine @ voxel)[axes[axis]] == pytest.approx(float(told), abs=1e-6)


def test_oblique_grids_and_unknown_places_have_no_ticks():
    tilted = np.eye(4)
    tilted[:2, :2] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
    assert millimetres(tilted, SHAPE, 0) is None
    assert millimetres(tilted, SHAPE, 2) is not None
    hardly = np.eye(4)
    hardly[0, 1] = 0.02  # a third of a voxel from the middle to the end
    assert millimetres(hardly, SHAPE, 0) is not None
    for affine in (tilted, None):
        assert not plot(volume(affine), plane=(2, 3)).axison
        with pytest.raises(InvalidInput, match="ticks in mm need a volume whose affine is known"):
            plot(volume(affine), plane=(2, 3), ticks=True)
    assert not plot(volume(np.eye(4)), plane=(2, 3), ticks=False).axison
    with pytest.raises(InvalidInput, match="ticks in mm"):
        plot(pixelwise(), ticks=True)


def test_small_panels_have_ticks_where_they_are_asked_for():
    found = volume(np.eye(4))
    assert not figure(found, style="mosaic", planes=2).axes[0].axison
    assert figure(found, style="mosaic", planes=2, ticks=True).axes[0].axison

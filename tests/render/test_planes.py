"""Planes of a volume: chosen by what they hold, and called by the anatomy."""

import dataclasses
import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stripes import pixelwise
from xaimri.errors import InvalidInput
from xaimri.images.planes import Turn, plane_name
from xaimri.images.window import Window
from xaimri.render import figure, grid, plot
from xaimri.render.panel import say_sides
from xaimri.render.planes import cut, pixel_aspect, strongest_plane, strongest_planes


def volume(values, image=None, **changes):
    image = np.ones((*values.shape, 1), np.float32) if image is None else image
    return dataclasses.replace(
        pixelwise(), values=values.astype(np.float32), image=image, errors=None, **changes
    )


def test_a_plane_is_chosen_by_its_sum_and_not_by_one_voxel():
    values = np.zeros((8, 9, 10))
    values[2:5, 3:6, 6:9] = 1
    values[3, 4, 7] = -2
    values[0, 0, 0] = 3
    assert strongest_planes(volume(values)) == [(0, 3), (1, 4), (2, 7)]
    assert strongest_plane(volume(values), 1) == (1, 4)
    assert strongest_plane(volume(values)) == (0, 3)
    scan = dataclasses.replace(volume(values), affine=np.eye(4))
    assert strongest_plane(scan) == (2, 7)  # axial
    cut = dataclasses.replace(scan, diagnostics={"slices": {"axis": 1}})
    assert strongest_plane(cut) == (1, 4)  # as the network saw it


def test_what_lies_beside_the_object_chooses_no_plane():
    values, image = np.zeros((12, 12, 12)), np.zeros((12, 12, 12, 1), np.float32)
    image[3:9, 3:9, 3:9] = 1
    values[:, :, 0], values[4, 5, 6] = 9, 1
    assert strongest_planes(volume(values, image)) == [(0, 4), (1, 5), (2, 6)]
    values[4, 5, 6] = 0
    assert strongest_planes(volume(values, image))[2] == (2, 0)


def test_an_empty_map_shows_the_middle():
    assert strongest_planes(volume(np.full((4, 6, 8), np.nan))) == [(0, 2), (1, 3), (2, 4)]


@pytest.mark.parametrize("turn", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_planes_are_called_by_the_direction_of_their_axis(turn):
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1.0, 0.5, 3.0])[:, list(turn)]
    angle = np.radians(20)
    tilt = np.eye(4)
    tilt[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    names = ["sagittal", "coronal", "axial"]
    for axis, world in enumerate(turn):
        assert (
            plane_name((axis, 5), affine)
            == plane_name((axis, 5), tilt @ affine)
            == f"{names[world]}, plane 5"
        )


def test_a_volume_has_three_named_planes_one_bar_and_lines_where_they_cut():
    values = np.zeros((8, 9, 10))
    values[3, 4, 7] = 1
    drawn = figure(volume(values, affine=np.eye(4), spacing=(1.0, 1.0, 2.0)))
    panels = [ax for ax in drawn.axes if ax.get_title()]
    last = [ax.get_title().splitlines()[-1] for ax in panels]
    assert last == [
        f"{name} mm"
        for name in ("sagittal, plane 3, x = 3", "coronal, plane 4, y = 4", "axial, plane 7, z = 7")
        for _ in "io"
    ]
    assert len(drawn.axes) == len(panels) + 1
    cuts = [
        [float(line.get_ydata()[0]) for line in ax.lines[:1]] + list(ax.lines[1].get_xdata()[:1])
        for ax in panels
    ]
    assert cuts[::2] == cuts[1::2] == [[2, 4], [2, 4], [4, 4]]  # top and front upwards, right on the left
    assert [ax.get_aspect() for ax in panels[::2]] == [2.0, 2.0, 1.0]


def test_pixels_are_as_high_and_wide_as_in_the_body():
    slice_ = dataclasses.replace(pixelwise(), spacing=(3.0, 1.5))
    assert pixel_aspect(slice_, None) == plot(slice_).get_aspect() == 2
    assert pixel_aspect(pixelwise(), None) == 1


ORIENTATIONS = [
    (axes, flips)
    for axes in itertools.permutations(range(3))
    for flips in itertools.product((1.0, -1.0), repeat=3)
]


@pytest.mark.parametrize(("axes", "flips"), ORIENTATIONS)
def test_planes_are_laid_as_radiologists_look_at_them(axes, flips):
    """Values are places in the world: to the right, to the front, upwards."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[world, axis] = flip * (axis + 1)
    index = np.stack([*np.indices((4, 5, 6)), np.ones((4, 5, 6))])
    places = np.einsum("ij,j...->i...", affine, index)[:3]
    for world, (across, down) in enumerate(((1, 2), (0, 2), (0, 1))):
        axis = axes.index(world)
        found = [
            cut(volume(place).values, (axis, 2), volume(place, affine=affine, spacing=(1.0, 2.0, 3.0)))
            for place in places
        ]
        assert (np.diff(found[across], axis=1) < 0).all()
        assert (np.diff(found[down], axis=0) < 0).all()
        assert np.ptp(found[world]) == 0
        turn = Turn.of((axis, 2), affine)
        assert turn.ends == (("A", "P") if world == 0 else ("R", "L"))
        rows, columns = np.abs(np.diff(found[down], axis=0)), np.abs(np.diff(found[across], axis=1))
        aspect = pixel_aspect(volume(places[0], affine=affine, spacing=(1.0, 2.0, 3.0)), (axis, 2))
        assert aspect == pytest.approx(rows.max() / columns.max())


@pytest.mark.parametrize(("axes", "flips"), ORIENTATIONS[::7])
def test_a_voxel_is_drawn_where_its_lines_cross(axes, flips):
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[world, axis] = flip
    values = np.zeros((4, 5, 6))
    values[1, 3, 2] = 1
    found = volume(values, affine=affine)
    for axis, place in enumerate((1, 3, 2)):
        turn = Turn.of((axis, place), affine)
        row, column = np.argwhere(cut(found.values, (axis, place), found))[0]
        assert row == turn.place(turn.down, (1, 3, 2)[turn.down], (4, 5, 6))
        assert column == turn.place(turn.right, (1, 3, 2)[turn.right], (4, 5, 6))


def test_the_sides_of_the_patient_are_written_where_they_are_known():
    values = np.random.default_rng(0).random((8, 9, 10))
    known = figure(volume(values, affine=np.eye(4), spacing=(1.0, 1.0, 1.0)), style="overlay")
    assert [[text.get_text() for text in ax.texts] for ax in known.axes[:3]] == [
        ["A", "P"],
        ["R", "L"],
        ["R", "L"],
    ]
    unknown = figure(volume(values), style="overlay")
    assert not any(ax.texts for ax in unknown.axes)


def test_planes_go_through_a_point_that_is_chosen():
    affine = np.diag([-2.0, 1.0, 3.0, 1.0])
    affine[:3, 3] = (10, -4, 0)
    found = volume(np.random.default_rng(0).random((8, 9, 10)), affine=affine, spacing=(2.0, 1.0, 3.0))
    chosen = ["plane 6, x = -2 mm", "plane 1, y = -3 mm", "plane 8, z = 24 mm"]
    for where in ({"at": (6, 1, 8)}, {"at_mm": (-2.6, -3.4, 25.0)}, {"at": np.array([6, 1, 8])}):
        drawn = figure(found, style="overlay", **where)
        titles = [ax.get_title().splitlines()[-1] for ax in drawn.axes if ax.get_title()]
        assert [title.split(", ", 1)[1] for title in titles] == chosen
    shown = np.asarray(drawn.axes[2].images[1].get_array())
    np.testing.assert_array_equal(shown, found.values[:, ::-1, 8].T)
    for where, words in (
        ({"at": (8, 0, 0)}, "`at = .8, 0, 0.` must lie inside the volume of 8 x 9 x 10 voxels"),
        ({"at_mm": (12.0, 0.0, 0.0)}, "must lie inside the volume"),
        ({"at": (1, 1, 1), "plane": (0, 1)}, "`plane` shows others"),
        ({"at": (1, 1, 1), "style": "mosaic"}, "style='mosaic' shows others"),
    ):
        with pytest.raises(InvalidInput, match=words):
            figure(found, **{"style": "overlay", **where})
    with pytest.raises(InvalidInput, match="not known: give `at`"):
        figure(volume(found.values), at_mm=(0.0, 0.0, 0.0))


def test_a_window_says_what_is_black_and_what_is_white():
    found = volume(np.zeros((4, 6, 8)), np.arange(192, dtype=np.float32).reshape(4, 6, 8, 1))
    for window in ((20, 120), Window(20, 120), [20.0, 120.0]):
        ax = figure(found, style="image", plane=(0, 1), window=window).axes[0]
        grey = np.asarray(ax.images[0].get_array())[..., 0]
        np.testing.assert_allclose(grey, np.clip((found.image[1, ..., 0] - 20) / 100, 0, 1), atol=1e-6)
    with pytest.raises(InvalidInput, match="a picture has one window"):
        plot(found, window=Window((0, 1), (2, 3)))


def test_the_convention_is_said_once_where_the_sides_are_known():
    values = np.random.default_rng(0).random((8, 9, 10))
    words = "Radiological convention: the patient's right is on the left."
    known, unknown = volume(values, affine=np.eye(4), spacing=(1.0, 1.0, 1.0)), volume(values)
    for style in ("overlay", "mosaic", "side_by_side"):
        assert figure(known, style=style).get_supxlabel() == words
        assert figure(unknown, style=style).get_supxlabel() == ""
    assert grid([known, known]).get_supxlabel() == words
    assert figure(known, footnote=False).get_supxlabel() == words
    assert figure(pixelwise()).get_supxlabel() == ""


@pytest.mark.parametrize("height", np.linspace(2, 2.1, 8))
def test_l_has_its_foot_at_few_dots_an_inch(height):
    """A thin L loses it at some places, and would be read as I: the lower end of the body."""
    drawn = Figure(figsize=(2, height), dpi=90)
    ax = drawn.add_axes((0, 0, 1, 1), facecolor="black", xticks=[], yticks=[])
    say_sides(ax, ("R", "L"))
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    lit = np.asarray(canvas.buffer_rgba())[..., 0] > 128
    widths = lit[10:-10, 90:-2].sum(axis=1)
    assert widths.max() >= 2 * widths[widths > 0].min()

"""Stripes lie on what speaks against the class, and nowhere else."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

import stripes
from xaimri.render import figure, plot
from xaimri.render.hatching import PERIOD, STRIPE, draw_hatching


def striped(ax):
    """Return where an axes is striped, by the last of its pictures."""
    return np.asarray(ax.images[-1].get_array())[..., 3] > 0


@pytest.mark.parametrize("shape", [(4, 6), (1200, 900)])
def test_stripes_cover_their_share_of_what_is_marked_and_nothing_else(shape):
    where = np.zeros(shape, bool)
    where[: shape[0] // 2, : shape[1] // 2] = True
    ax = Figure().subplots()
    draw_hatching(ax, where, (0, 1, 0, 1))
    drawn = striped(ax)
    rows, columns = drawn.shape[0] // 2, drawn.shape[1] // 2
    assert drawn[:rows, :columns].mean() == pytest.approx(STRIPE / PERIOD, rel=0.02)
    assert not drawn[rows:].any()
    assert not drawn[:, columns:].any()
    assert max(drawn.shape) >= 600


def test_what_speaks_against_the_class_is_hatched_on_the_map_and_on_its_bar():
    values = np.array([[-1.0, -0.05], [0.05, 1.0]], np.float32)
    found = dataclasses.replace(
        stripes.pixelwise(), values=values, image=np.ones((2, 2, 1), np.float32), errors=None
    )
    ax = plot(found, hatch=True)
    height, width = striped(ax).shape
    quarters = [
        striped(ax)[r : r + height // 2, c : c + width // 2].any()
        for r in (0, height // 2)
        for c in (0, width // 2)
    ]
    assert quarters == [True, False, False, False]
    bar = ax.figure.axes[-1]
    assert bar.images[-1].get_extent()[2:] == pytest.approx((-1, -0.1))
    assert len(plot(found).images) == 2


def test_superpixels_against_the_class_are_hatched():
    found = stripes.explained()
    drawn = striped(plot(found, style="superpixels", hatch=True, k=2))
    times = drawn.shape[1] // 35
    inside = {n: drawn[:, n * 5 * times : (n + 1) * 5 * times].any() for n in range(7)}
    assert [n for n, there in inside.items() if there] == [1]


def test_a_map_for_the_class_alone_has_no_stripes():
    found = dataclasses.replace(stripes.pixelwise(), errors=None)
    found = dataclasses.replace(found, values=np.abs(found.values))
    assert len(figure(found, style="overlay", hatch=True).axes[0].images) == 2

"""What is left of a map while weights are destroyed: maps, similarities, names."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest

from judgements import inside
from stripes import explained, texts
from xaimri.charts import cascade
from xaimri.errors import InvalidInput
from xaimri.metrics import Cascade

LAYERS = ("net/dense", "net/conv_3", "net/conv_2", "net/conv_1")


def fallen(layers=LAYERS, similarities=(0.9, 0.5, -0.2, 0.1), rank="2d"):
    own = explained(rank)
    maps = tuple(replace(own, values=own.values / (n + 1)) for n in range(1, len(layers) + 1))
    return Cascade(tuple(layers), own, maps, np.array(similarities, float))


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def points(ax):
    line, start, *rest = ax.lines
    return line.get_ydata(), np.concatenate([part.get_ydata() for part in (start, *rest[:1])])


def test_each_step_is_named_and_its_similarity_beneath():
    figure = cascade(fallen())
    assert titles(figure) == ["network's own", "1: dense", "2: conv_3", "3: conv_2", "4: conv_1"]
    beneath = [texts(ax) for ax in figure.axes[:-1]]
    assert beneath[0] == ["yes, p = 0.73", "LIME"]
    assert beneath[1:] == [[f"similarity {s}"] for s in ("0.90", "0.50", "-0.20", "0.10")]


def test_the_maps_drawn_are_those_of_the_steps_each_on_its_own_scale():
    found = fallen()
    figure = cascade(found)
    for ax, explanation in zip(figure.axes, (found.own, *found.explanations), strict=False):
        shown = ax.images[1]
        np.testing.assert_array_equal(np.ma.filled(shown.get_array(), np.nan), explanation.values)
        assert shown.norm.vmax == pytest.approx(np.nanmax(np.abs(explanation.values)))
    assert "scale of its own" in figure.get_supxlabel()


def test_the_chart_starts_at_one_and_shows_every_step():
    chart = cascade(fallen()).axes[-1]
    np.testing.assert_allclose(chart.lines[0].get_xdata(), [0, 1, 2, 3, 4])
    np.testing.assert_allclose(chart.lines[0].get_ydata(), [1, 0.9, 0.5, -0.2, 0.1])
    assert chart.get_ylim()[0] < -0.2
    assert [label.get_text() for label in chart.get_xticklabels()] == ["own", "1", "2", "3", "4"]


def test_of_many_steps_some_maps_are_shown_the_last_among_them():
    many = fallen([f"layer_{n}" for n in range(54)], np.linspace(1, 0, 54))
    many = replace(many, explanations=(many.own,) * 54)
    figure = cascade(many, most=3)
    assert titles(figure) == ["network's own", "18: layer_17", "36: layer_35", "54: layer_53"]
    chart = figure.axes[-1]
    assert len(chart.lines[0].get_ydata()) == 55
    np.testing.assert_allclose(chart.lines[2].get_xdata(), [18, 36, 54])
    np.testing.assert_allclose(chart.lines[2].get_ydata(), many.similarities[[17, 35, 53]])
    with pytest.raises(InvalidInput, match="`most`"):
        cascade(many, most=0)


def test_several_methods_are_rows_with_one_similarity_axis():
    short = fallen(LAYERS[:2], (0.8, 0.7))
    figure = cascade({"lime": fallen(), "my own": short})
    assert len(figure.axes) == 2 * 6
    names = [texts(figure.axes[place])[-1] for place in (0, 6)]
    assert names == ["LIME", "my own"]
    charts = figure.axes[5], figure.axes[11]
    assert charts[0].get_ylim() == charts[1].get_ylim()
    assert [len(chart.lines[0].get_ydata()) for chart in charts] == [5, 3]
    assert inside(figure)


def test_what_pale_means_is_said_once():
    assert cascade(fallen()).get_supxlabel().endswith("Faded: can't be told from zero (95 %).")
    assert "Faded" not in cascade(fallen(), fade=False).get_supxlabel()


def test_a_volume_shows_one_plane_in_all_maps():
    found = fallen(rank="3d")
    plane = int(np.unravel_index(np.nanargmax(np.abs(found.own.values)), found.own.values.shape)[0])
    figure = cascade(found)
    for ax, explanation in zip(figure.axes, (found.own, *found.explanations), strict=False):
        shown = np.ma.filled(ax.images[1].get_array(), np.nan)
        np.testing.assert_array_equal(shown, explanation.values[plane])
    assert texts(figure.axes[0])[-1] == f"LIME\naxis 0, plane {plane}"
    other = cascade(found, plane=(2, 3))
    np.testing.assert_array_equal(
        np.ma.filled(other.axes[0].images[1].get_array(), np.nan), found.own.values[:, :, 3]
    )
    assert inside(figure)


def test_a_similarity_that_is_not_defined_leaves_a_gap():
    figure = cascade(fallen(similarities=(0.9, np.nan, 0.3, 0.1)))
    assert texts(figure.axes[2]) == ["similarity not defined"]
    assert np.isnan(figure.axes[-1].lines[0].get_ydata()).tolist() == [False, False, True, False, False]
    nothing = cascade(fallen(similarities=(np.nan,) * 4))
    nothing.draw_without_rendering()


@pytest.mark.slow
def test_long_names_stay_on_the_page_and_apart():
    layers = [f"network/a_layer_with_a_very_long_name_of_its_own_that_does_not_end_{n}" for n in range(4)]
    figure = cascade({"occlusion by superpixels, smoothed, of the left hemisphere alone": fallen(layers)})
    assert inside(figure)
    boxes = [ax.title.get_window_extent() for ax in figure.axes[:5]]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_nothing_to_draw_is_said():
    with pytest.raises(InvalidInput, match="there is no cascade to draw"):
        cascade({})


def test_nothing_global_is_touched(tmp_path):
    before = dict(mpl.rcParams)
    cascade(fallen()).savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()

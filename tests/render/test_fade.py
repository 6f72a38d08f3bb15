"""What can't be told from zero is drawn pale, and figures with error bars are whole."""

import dataclasses
from typing import get_args

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from stripes import (
    ERRORS,
    FADED,
    SIZES,
    STRONGEST,
    VALUES,
    explained,
    hatched,
    numbered,
    pixels,
    pixelwise,
    texts,
    without_errors,
)
from xaimri.caveats import Caveat
from xaimri.cli.options import PanelsOption, StyleOption
from xaimri.errors import InvalidInput
from xaimri.explanation import Regions
from xaimri.render import figure, grid, plot
from xaimri.render.colour import COOL, WARM
from xaimri.render.panel import Style

# ---- superpixels


@pytest.mark.parametrize("rank", SIZES)
def test_superpixels_fade_what_may_be_zero(rank):
    found = explained(rank)
    ax = plot(found, style="superpixels", plane=(2, 3) if rank == "3d" else None)
    tint = np.asarray(ax.images[1].get_array())
    labels = found.regions.labels if rank == "2d" else found.regions.labels[..., 3]
    opacity = {region: set(tint[labels == region, 3]) for region in range(-1, 7)}
    assert opacity[-1] == opacity[5] == opacity[6] == {0}
    (full,) = opacity[1]
    for region in STRONGEST:
        (own,) = opacity[region]
        assert (0 < own < full / 2) if region in FADED else own == full
        assert set(map(tuple, tint[labels == region, :3])) == {
            to_rgba(WARM if VALUES[region] > 0 else COOL)[:3]
        }


def test_borders_of_faded_regions_are_thin_and_broken():
    def borders(explanation):
        lines = plot(explanation, style="superpixels", k=1).collections
        found = [
            line for line in lines if tuple(line.get_color()[0]) == to_rgba(WARM) and line.get_segments()
        ]
        (line,) = found
        return len(line.get_segments()), line.get_linewidth()[0]

    whole, thick = borders(explained(errors=ERRORS / 100))
    broken, thin = borders(explained())
    assert whole == 2 * (20 + 5)  # the border of a stripe of 20 rows and 5 columns
    assert whole / 2 < broken < whole
    assert thin < thick


def test_numbers_stand_inside_their_regions():
    found = explained()
    ax = plot(found, style="superpixels")
    assert numbered(ax) == set(STRONGEST)
    for text in ax.texts:
        if text.get_text().isdigit():
            column, row = text.get_position()
            assert found.regions.labels[row, column] == int(text.get_text())


def test_numbers_are_of_the_regions_shown_and_need_room():
    assert numbered(plot(explained(), style="superpixels", k=2)) == {4, 1}
    assert numbered(plot(explained(), Figure(figsize=(0.6, 0.5)).subplots(), style="superpixels")) == set()
    small = np.full(SIZES["2d"], -1)
    small[3, 4], small[8:20, 9:30] = 0, 1
    crumb = dataclasses.replace(explained(), regions=Regions(small, np.array([2.0, 1.0])))
    assert numbered(plot(crumb, Figure(figsize=(2, 1.6)).subplots(), style="superpixels")) == {1}


def test_superpixels_without_errors_or_without_fading_are_alike():
    plain = pixels(figure(without_errors(explained()), style="superpixels"))
    assert pixels(figure(explained(), style="superpixels", fade=False)) == plain
    assert pixels(figure(explained(errors=ERRORS / 100), style="superpixels")) == plain
    assert pixels(figure(explained(), style="superpixels")) != plain
    said = "faded: can't be told from zero (95 %)"
    assert said in texts(plot(explained(), style="superpixels"))
    assert said not in texts(plot(explained(errors=ERRORS / 100), style="superpixels"))


# ---- the overlay


@pytest.mark.parametrize("rank", SIZES)
def test_pixels_that_may_be_zero_are_more_transparent(rank):
    found = pixelwise(rank)
    ax = plot(found, plane=(1, 4) if rank == "3d" else None)
    drawn = ax.images[1]
    plane = np.s_[:, 4] if rank == "3d" else np.s_[:]
    np.testing.assert_array_equal(np.asarray(drawn.get_array()), found.values[plane])
    zero = np.abs(found.values[plane]) <= 1.959964 * found.errors[plane]
    assert 0 < zero.mean() < 1
    np.testing.assert_array_equal(np.unique(drawn.get_alpha()[~zero]), [1])
    (pale,) = np.unique(drawn.get_alpha()[zero])
    assert 0 < pale < 0.5
    assert texts(ax) == ["faded: can't be told from zero (95 %)"]


@pytest.mark.parametrize("rank", SIZES)
def test_overlays_of_regions_fade_whole_regions(rank):
    found = explained(rank)
    ax = plot(found, plane=(2, 3) if rank == "3d" else None)
    labels = found.regions.labels if rank == "2d" else found.regions.labels[..., 3]
    alpha = ax.images[1].get_alpha()
    for region in STRONGEST:
        assert (set(alpha[labels == region]) == {1}) == (region not in FADED)


def test_every_picture_fades_the_same_regions_to_the_last_bit():
    values = np.linspace(0.1, 0.7, 7)
    found = explained(
        values=values, errors=values / 1.959963984540054 * (1 + 1e-9 * np.array([-1, 1] * 4)[:7])
    )
    sure = found.regions.certain()
    assert list(sure) == [True, False] * 3 + [True]
    alpha = plot(found).images[1].get_alpha()
    tint = np.asarray(plot(found, style="superpixels", k=7).images[1].get_array())[..., 3]
    for region in range(7):
        assert (set(alpha[found.regions.labels == region]) == {1}) == sure[region]
        assert (tint[found.regions.labels == region] == tint.max()).all() == sure[region]
    assert hatched(plot(found, style="chart")) == {1, 3, 5}


@pytest.mark.slow
@pytest.mark.parametrize("make", [explained, pixelwise])
def test_an_overlay_without_errors_is_as_if_there_were_no_fading(make):
    plain = without_errors(make())
    ax = plot(plain)
    assert ax.images[1].get_alpha() is None
    assert texts(ax) == []
    assert pixels(figure(plain, style="overlay")) == pixels(figure(make(), style="overlay", fade=False))
    assert pixels(figure(plain, style="overlay")) != pixels(figure(make(), style="overlay"))


def test_an_overlay_whose_pixels_are_all_certain_is_as_without_errors():
    found = pixelwise(errors=1e-9)
    assert texts(plot(found)) == []
    same = figure(without_errors(found), style="overlay")
    assert pixels(figure(found, style="overlay")) == pixels(same)


# ---- figures


@pytest.mark.parametrize("rank", SIZES)
def test_the_chart_stands_once_beside_the_panels(rank):
    drawn = figure(explained(rank))
    charts = [ax for ax in drawn.axes if ax.get_ylabel() == "region"]
    assert len(charts) == 1
    assert list(charts[0].get_subplotspec().rowspan) == ([0] if rank == "2d" else [0, 1, 2])
    superpixels = [ax for ax in drawn.axes if len(ax.images) == 2 and ax.collections]
    assert len(superpixels) == (1 if rank == "2d" else 3)
    bars = {int(label.get_text()) for label in charts[0].get_yticklabels()}
    assert set().union(*map(numbered, superpixels)) <= bars
    assert (
        len([ax for ax in figure(without_errors(explained(rank))).axes if ax.get_ylabel() == "region"]) == 1
    )
    assert len([ax for ax in figure(explained(rank), style="chart").axes if ax.has_data()]) == 1


@pytest.mark.parametrize("rank", SIZES)
def test_chart_and_superpixels_of_one_figure_show_the_same_regions(rank):
    values = np.linspace(1, 2, 7)
    found = explained(rank, values=values, errors=values / 10)
    for k in (None, 3):
        drawn = figure(found, **({} if k is None else {"k": k}))
        (chart,) = (ax for ax in drawn.axes if ax.get_ylabel() == "region")
        assert len(chart.patches) == (k or 7)
        panels = [ax for ax in drawn.axes if len(ax.images) == 2 and ax.collections]
        assert numbered(panels[0]) == {int(label.get_text()) for label in chart.get_yticklabels()}


LONG = "mild dementia of the Alzheimer type, clinically probable"


@pytest.mark.slow
@pytest.mark.parametrize("rank", SIZES)
@pytest.mark.parametrize("name", ["yes", LONG, LONG.replace(" ", "_")])
@pytest.mark.parametrize("caveats", [(), (Caveat("poor_fit", "The linear surrogate explains little. " * 6),)])
def test_nothing_is_cut_and_nothing_overlaps(rank, name, caveats):
    found = dataclasses.replace(explained(rank, classes=(name, "no")), caveats=caveats)
    for drawn in (figure(found), figure(found, style="chart")):
        drawn.draw_without_rendering()
        boxes = [ax.title.get_window_extent() for ax in drawn.axes if ax.get_title()]
        for ax in drawn.axes:
            ax.title.set_visible(False)
            boxes.append(ax.get_tightbbox())
        page = drawn.bbox
        if drawn._supxlabel is not None:
            boxes.append(drawn._supxlabel.get_window_extent())
        for box in boxes:
            assert page.x0 - 1 <= box.x0 < box.x1 <= page.x1 + 1
            assert page.y0 - 1 <= box.y0 < box.y1 <= page.y1 + 1
        for i, one in enumerate(boxes):
            for other in boxes[:i]:
                wide = min(one.x1, other.x1) - max(one.x0, other.x0)
                high = min(one.y1, other.y1) - max(one.y0, other.y0)
                assert min(wide, high) <= 1


def test_compared_charts_of_one_unit_reach_equally_far():
    weak = explained(values=VALUES / 10, errors=ERRORS / 10)
    other = dataclasses.replace(explained(values=9 * VALUES), unit="probability")
    drawn = grid([explained(), weak, other, pixelwise()], style="chart")
    charts = [ax for ax in drawn.axes if ax.get_ylabel() == "region"]
    reach = [ax.get_xlim() for ax in charts]
    assert reach[0] == reach[1] == plot(explained(), style="chart").get_xlim()
    assert reach[2] == plot(other, style="chart").get_xlim() != reach[0]
    assert len(charts) == 3
    assert len([ax for ax in drawn.axes if len(ax.images) == 2]) == 1


def test_compared_overlays_and_superpixels_keep_their_common_scale():
    weak = explained(values=VALUES / 10, errors=ERRORS / 10)
    drawn = grid([explained(), weak, pixelwise()])
    limits = [ax.images[1].norm.vmax for ax in drawn.axes if len(ax.images) == 2]
    assert limits[:2] == [3, 3]
    assert grid([explained(), weak, pixelwise()], style="superpixels").axes


@pytest.mark.slow
def test_drawing_errors_changes_no_global_state(tmp_path):
    kept = dict(mpl.rcParams)
    for style in ("chart", "superpixels", "overlay", "side_by_side"):
        explained().save(tmp_path / f"{style}.png", style=style, dpi=40)
    assert dict(mpl.rcParams) == kept


def test_drawing_changes_no_explanation():
    found, fresh = explained(), explained()
    figure(found)
    np.testing.assert_array_equal(found.values, fresh.values)
    np.testing.assert_array_equal(found.regions.labels, fresh.regions.labels)


def test_the_command_line_offers_every_style():
    assert set(get_args(get_args(PanelsOption)[0])) == {*get_args(Style), "side_by_side", "mosaic", "glass"}
    assert set(get_args(get_args(StyleOption)[0])) == {*get_args(Style)} - {"image"}


# ---- what can't be drawn


@pytest.mark.slow
@pytest.mark.parametrize("style", ["chart", "superpixels", "overlay", "side_by_side"])
@pytest.mark.parametrize("rank", SIZES)
def test_nan_breaks_no_picture(style, rank):
    errors = np.array([np.nan, 0.5, np.inf, 0.1, np.nan, 0.1, np.nan])
    for given in (errors, np.full(7, np.nan)):
        drawn = figure(explained(rank, errors=given), style=style)
        assert np.ptp(np.frombuffer(pixels(drawn), np.uint8)) > 0


@pytest.mark.parametrize("style", ["chart", "superpixels"])
def test_without_regions_one_sentence_says_what_to_do(style):
    with pytest.raises(InvalidInput, match=r"gives no regions to draw as .*: use style=") as refusal:
        pixelwise().figure(style=style)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("k", [0, -1, True])
@pytest.mark.parametrize("style", ["chart", "superpixels"])
def test_k_is_a_number_of_regions(style, k):
    with pytest.raises(InvalidInput, match="`k` must be a whole number"):
        plot(explained(), style=style, k=k)

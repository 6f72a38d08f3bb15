"""The chart of regions: what is drawn is read back from the artists, and claims no more than the numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_rgba
from scipy.stats import norm

from stripes import (
    ERRORS,
    FADED,
    SIZES,
    STRONGEST,
    VALUES,
    explained,
    hatched,
    intervals,
    texts,
    without_errors,
)
from xaimri.errors import InvalidInput
from xaimri.explanation import Regions
from xaimri.render import plot
from xaimri.render.colour import COOL, WARM

# ---- what "can't be told from zero" means


@given(
    arrays(float, 7, elements=st.floats(-5, 5).map(lambda x: x if abs(x) > 1e-200 else 0.0)),
    arrays(float, 7, elements=st.floats(0, 5)),
    st.floats(0.01, 0.99),
)
def test_a_value_is_certain_where_its_interval_leaves_zero_out(values, errors, confidence):
    regions = Regions(np.arange(7).reshape(1, 7), values, errors)
    low, high = norm.interval(confidence, loc=values, scale=np.maximum(errors, 1e-300))
    far = np.minimum(np.abs(low), np.abs(high)) > 2e-6 * np.abs(values).max()  # beyond the rounding
    np.testing.assert_array_equal(regions.certain(confidence)[far], ((low > 0) | (high < 0))[far])
    assert (regions.certain(0.999) <= regions.certain(confidence)).all()


def test_95_percent_are_196_standard_errors():
    regions = Regions(np.array([[0, 1, 2]]), np.array([1.9599, -1.9600, 0.0]), np.array([1.0, 1.0, 0.0]))
    assert list(regions.certain()) == [False, True, False]
    np.testing.assert_allclose(regions.margins(), [1.96, 1.96, 0], atol=1e-4)


def test_nothing_is_certain_without_a_known_error():
    labels = np.array([[0, 1, 2]])
    unknown = Regions(labels, np.array([9.0, -9.0, np.nan]))
    assert not unknown.certain().any()
    assert repr(unknown).startswith("<Regions: 3 values without errors, ")
    known = Regions(labels, np.array([9.0, -9.0, np.nan]), np.array([np.nan, np.inf, 0.1]))
    assert not known.certain().any()


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.5, float("nan")])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(InvalidInput, match="`confidence` must be above 0 and below 1"):
        explained().regions.certain(confidence)


# ---- the chart


@pytest.mark.parametrize("rank", SIZES)
def test_bars_are_the_values_and_error_bars_their_intervals(rank):
    ax = plot(explained(rank), style="chart")
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(r) for r in STRONGEST]
    assert [bar.get_width() for bar in ax.patches] == list(VALUES[STRONGEST])
    assert [bar.get_x() for bar in ax.patches] == [0] * 5
    places = [bar.get_y() + bar.get_height() / 2 for bar in ax.patches]
    np.testing.assert_allclose(places, ax.get_yticks())
    found = intervals(ax)
    for place, region in enumerate(STRONGEST):
        reach = 1.96 * ERRORS[region]
        np.testing.assert_allclose(
            found[place], [VALUES[region] - reach, VALUES[region] + reach], atol=1e-4 * ERRORS[region]
        )
    assert len(found) == 5


def test_the_strongest_bar_is_on_top():
    ax = plot(explained(), style="chart")
    heights = ax.transData.transform([(0, place) for place in ax.get_yticks()])[:, 1]
    assert (np.diff(heights) < 0).all()


def test_bars_that_may_be_zero_are_pale_and_hatched_and_the_legend_says_so():
    ax = plot(explained(), style="chart")
    assert hatched(ax) == FADED
    for bar, region in zip(ax.patches, STRONGEST, strict=True):
        colour = WARM if VALUES[region] > 0 else COOL
        assert bar.get_facecolor()[:3] == to_rgba(colour)[:3]
        assert (bar.get_facecolor()[3] < 1) == (region in FADED)
        assert bar.get_edgecolor() == to_rgba(colour)
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["95 % interval", "can't be told from zero"]


def test_the_axis_names_the_unit_and_zero_is_drawn():
    ax = plot(explained(), style="chart")
    assert ax.get_xlabel() == "attribution (logit)"
    assert ax.get_ylabel() == "region"
    assert [0, 0] in [list(line.get_xdata()) for line in ax.lines]
    low, high = ax.get_xlim()
    assert low < VALUES[1] - 1.96 * ERRORS[1]
    assert high > VALUES[4] + 1.96 * ERRORS[4]


def test_without_errors_the_chart_claims_nothing():
    ax = plot(without_errors(explained()), style="chart")
    assert [bar.get_width() for bar in ax.patches] == list(VALUES[STRONGEST])
    assert intervals(ax) == {}
    assert hatched(ax) == set()
    assert ax.get_legend() is None
    assert "zero" not in " ".join([*texts(ax), ax.get_xlabel(), ax.get_title()])


def test_where_all_is_certain_the_legend_has_the_intervals_alone():
    ax = plot(explained(errors=ERRORS / 100), style="chart")
    assert hatched(ax) == set()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["95 % interval"]


def test_fade_is_an_option_of_the_chart():
    ax = plot(explained(), style="chart", fade=False)
    assert hatched(ax) == set()
    assert len(intervals(ax)) == 5


@pytest.mark.parametrize(("k", "drawn"), [(None, 10), (1, 1), (3, 3), (13, 12), (1000, 12)])
def test_k_bars_at_most(k, drawn):
    values = np.append(np.arange(1.0, 13.0), [0.0, np.nan])
    ax = plot(explained(values=values, errors=values / 9), style="chart", k=k)
    assert [bar.get_width() for bar in ax.patches] == list(range(12, 12 - drawn, -1))


@pytest.mark.parametrize("count", [1, 10, 40])
def test_the_labels_of_many_bars_do_not_overlap(count):
    values = np.arange(1.0, count + 1)
    drawn = explained(values=values, errors=values / 9).figure(style="chart", k=count)
    drawn.draw_without_rendering()
    boxes = [label.get_window_extent() for label in drawn.axes[0].get_yticklabels()]
    assert len(boxes) == count
    assert all(below.y1 <= above.y0 for above, below in itertools.pairwise(boxes))


@pytest.mark.parametrize("count", [1, 2, 10])
def test_few_bars_are_no_thicker_than_a_quarter_of_the_chart(count):
    ax = plot(explained(values=np.arange(1.0, count + 1), errors=None), style="chart")
    low, high = sorted(ax.get_ylim())
    for bar in ax.patches:
        assert bar.get_height() <= (high - low) / 4
        assert low < bar.get_y() < bar.get_y() + bar.get_height() < high


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.zeros(3), np.full(3, np.inf)])
def test_a_chart_of_nothing_says_so(values):
    ax = plot(explained(values=values, errors=np.full(3, np.nan)), style="chart")
    assert len(ax.patches) == 0
    assert texts(ax) == ["no region has a value"]
    ax.figure.draw_without_rendering()


def test_a_region_of_unknown_error_is_faded_and_has_no_interval():
    ax = plot(explained(errors=np.where(np.arange(7) == 1, np.nan, ERRORS)), style="chart")
    assert hatched(ax) == FADED | {1}
    assert set(intervals(ax)) == {0, 2, 3, 4}

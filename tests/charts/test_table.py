"""A judgement as a table of colours: darker is better, and bold is sure."""

from __future__ import annotations

import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest

from judgements import inside, judgement
from xaimri.charts import heat_table
from xaimri.judging import METRICS


def cell(figure, row, column, what="mean"):
    found = [text for text in figure.axes[0].texts if text.get_gid() == f"{what} {row} {column}"]
    return found[0] if found else None


def shades(figure):
    return np.ma.filled(figure.axes[0].images[0].get_array().astype(float), np.nan)


def darkness(figure):
    image = figure.axes[0].images[0]
    colours = image.cmap(image.norm(shades(figure)))
    return 1 - colours[..., :3] @ [0.2126, 0.7152, 0.0722]


STEPS = [0.0, 0.01, -0.01, 0.02, -0.02, 0.0]


def table(**settings):
    """Return three methods by two metrics of opposite direction; "mid" is between in both."""
    around = {name: [m + np.array(STEPS) for m in both] for name, both in MEANS.items()}
    values = {name: [list(map(float, one)) for one in both] for name, both in around.items()}
    return judgement(values, ("deletion", "insertion"), **settings)


MEANS = {"good": (0.1, 0.9), "mid": (0.2, 0.8), "bad": (0.5, 0.1)}


def test_darker_is_better_whatever_the_direction():
    figure = heat_table(table())
    np.testing.assert_allclose(shades(figure), [[1, 1], [0.75, 0.875], [0, 0]], atol=1e-12)
    dark = darkness(figure)
    assert (dark[0] > dark[1]).all()
    assert (dark[1] > dark[2]).all()


def test_a_cell_says_its_mean_and_interval():
    found = table()
    figure = heat_table(found)
    for row, name in enumerate(found.explainers):
        for column, metric in enumerate(found.metrics):
            estimate = found.mean(name, metric).estimate
            assert cell(figure, row, column).get_text() == f"{estimate.value:.3g}"
            more = cell(figure, row, column, "more").get_text()
            assert more == f"[{estimate.low:.3g}, {estimate.high:.3g}]"


def test_heads_say_which_way_is_better():
    labels = [label.get_text() for label in heat_table(table()).axes[0].get_xticklabels()]
    assert labels == ["deletion\n↓ lower is better", "insertion\n↑ higher is better"]


def test_failures_are_counted_and_no_value_is_hatched():
    some = [0.1, None, 0.2, 0.3, 0.4, 0.5]
    figure = heat_table(judgement({"a": [some], "b": [[None] * 6], "c": [[0.5] * 6]}))
    assert cell(figure, 0, 0, "more").get_text().endswith("(1 failed)")
    assert cell(figure, 1, 0).get_text() == "–\n(6 failed)"
    (patch,) = figure.axes[0].patches
    assert patch.get_hatch()
    assert (patch.get_x(), patch.get_y()) == (-0.5, 0.5)
    assert np.isnan(shades(figure)).tolist() == [[False], [True], [False]]


def test_only_what_is_surely_better_than_every_other_is_bold():
    figure = heat_table(table())
    weights = [[cell(figure, row, column).get_weight() for column in (0, 1)] for row in range(3)]
    assert weights == [["bold", "bold"], ["normal"] * 2, ["normal"] * 2]


def test_a_close_second_leaves_nothing_bold():
    close = [0.1 + step for step in (0.3, -0.29, 0.3, -0.29, 0.3, -0.3)]
    found = judgement({"good": [[0.1] * 6], "close": [close], "bad": [[0.9] * 6]})
    assert found.difference("good", "bad", "deletion").certain
    assert not found.difference("good", "close", "deletion").certain
    figure = heat_table(found)
    assert {cell(figure, row, 0).get_weight() for row in range(3)} == {"normal"}


def test_a_better_mean_over_other_cases_is_not_bold_where_the_shared_cases_say_otherwise():
    one = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.0, 0.0, 0.0]
    found = judgement({"one": [one], "two": [[0.25] * 6 + [None] * 3]})
    gap = found.difference("one", "two", "deletion")
    assert found.mean("one", "deletion").estimate.value < found.mean("two", "deletion").estimate.value
    assert gap.certain
    assert gap.estimate.value > 0
    figure = heat_table(found)
    assert {cell(figure, row, 0).get_weight() for row in range(2)} == {"normal"}


def test_methods_without_a_value_do_not_stand_in_the_way_of_bold():
    found = judgement({"good": [[0.1] * 6], "bad": [[0.9] * 6], "none": [[None] * 6]})
    assert cell(heat_table(found), 0, 0).get_weight() == "bold"
    alone = judgement({"good": [[0.1] * 6], "none": [[None] * 6]})
    assert cell(heat_table(alone), 0, 0).get_weight() == "normal"


def test_few_subjects_have_no_intervals_and_nothing_bold():
    figure = heat_table(table(subjects=list("aabbcd")))
    assert cell(figure, 0, 0, "more") is None
    assert cell(figure, 0, 0).get_weight() == "normal"
    assert "No intervals" in figure.get_supxlabel()


def test_equal_means_have_one_middling_shade():
    figure = heat_table(judgement({"a": [[0.5] * 6], "b": [[0.5] * 6]}))
    assert shades(figure).tolist() == [[0.5], [0.5]]


def test_the_writing_can_be_read_on_every_shade():
    """Contrast of at least 4.5 to 1, as the guidelines for web content ask."""
    figure = heat_table(table())

    def light(colour):
        rgb = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    image = figure.axes[0].images[0]
    for row in range(3):
        ground = light(image.cmap(image.norm(shades(figure)[row, 0]))[:3])
        ink = light(cell(figure, row, 0).get_color())
        assert (ground + 0.05) / (ink + 0.05) > 4.5


@pytest.mark.slow
@pytest.mark.parametrize("methods", [1, 6, 12])
def test_cell_texts_stay_in_their_cells_and_all_on_the_page(methods):
    metrics = list(METRICS)[:8]
    random = np.random.default_rng(0)
    names = [f"a rather long name of method {n}" for n in range(methods)]
    values = {n: [[*(-1234.5 * random.random(5)).tolist(), None] for _ in metrics] for n in names}
    figure = heat_table(judgement(values, metrics))
    assert inside(figure)
    axes = figure.axes[0]
    for text in axes.texts:
        _, row, column = text.get_gid().split()
        box = text.get_window_extent().transformed(axes.transData.inverted())
        assert int(column) - 0.5 < box.x0 < box.x1 < int(column) + 0.5
        assert int(row) - 0.5 < min(box.y0, box.y1) < max(box.y0, box.y1) < int(row) + 0.5


def test_heads_do_not_touch_each_other():
    figure = heat_table(judgement({"a": [[0.5] * 6] * len(METRICS)}, list(METRICS)))
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_nothing_global_is_touched(tmp_path):
    before = dict(mpl.rcParams)
    heat_table(table()).savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()

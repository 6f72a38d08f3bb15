"""The figures of a judgement show its numbers: curves, intervals, which is better, what failed."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from stripes import explained, texts
from xaimri.charts import cascade, heat_table, metric_curves
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.judging import Judgement, Metric
from xaimri.judging.catalogue import METRICS
from xaimri.judging.judgement import Row
from xaimri.metrics import Cascade, Curve, deletion, insertion

FRACTIONS = np.array([0.0, 0.5, 1.0])


def evaluation(values, metrics=("deletion",), subjects=None, scores=None, **settings):
    """Return an evaluation of ``values[explainer][metric]``, one per case, None where it failed."""
    named = {name: METRICS[name] for name in metrics} if not isinstance(metrics, dict) else metrics
    rows, curves = [], {}
    for explainer, found in values.items():
        for metric, numbers in zip(named, found, strict=True):
            for case, number in enumerate(numbers):
                subject = f"s{case}" if subjects is None else subjects[case]
                failure = Failure(f"c{case}", "explain", "the image is too bright")
                value, why = (np.nan, failure) if number is None else (number, None)
                rows.append(Row(explainer, metric, f"c{case}", subject, "ill", value, why))
                if scores is not None and number is not None:
                    curve = scores(explainer, case)
                    curves.setdefault((explainer, metric), []).append(curve)
    records = {name: {"name": name, "settings": {}} for name in values}
    kept = {key: tuple(all_) for key, all_ in curves.items()}
    return Judgement(tuple(rows), tuple(values), named, records, kept, **{"resamples": 400, **settings})


def curved(curves, metric="deletion", subjects=None, **settings):
    """Return an evaluation whose values are the areas of ``curves[explainer]``, None where one failed."""
    values = {name: [[None if c is None else float(c) for c in own]] for name, own in curves.items()}
    metrics = metric if isinstance(metric, dict) else (metric,)
    return evaluation(values, metrics, subjects, lambda name, case: curves[name][case], **settings)


def drawn_curves(seed=0, cases=8, shift=0.0):
    random = np.random.default_rng(seed)
    return [Curve(FRACTIONS, np.clip(random.random(3) * 0.5 + shift, 0, 1)) for _ in range(cases)]


def legend(figure):
    (box,) = figure.legends
    return [text.get_text() for text in box.get_texts()]


def line_of(figure, name):
    return next(line for line in figure.axes[0].lines if line.get_label().split("\n")[0] == name)


def bands(figure):
    found = [c for c in figure.axes[0].collections if isinstance(c, FillBetweenPolyCollection)]
    return [band.get_paths()[0].vertices for band in found]


def inside(figure):
    """Tell whether all that is drawn lies on the page."""
    figure.draw_without_rendering()
    page, box = figure.bbox_inches.extents, figure.get_tightbbox().extents
    return bool((box[:2] >= page[:2] - 0.01).all() and (box[2:] <= page[2:] + 0.01).all())


class TestWays:
    def test_a_line_is_the_mean_curve_and_its_area_the_mean_of_the_table(self):
        found = curved({"lime": drawn_curves(0), "b": drawn_curves(1, shift=0.4)})
        figure = metric_curves(found)
        for name, shown in (("lime", "LIME"), ("b", "b")):
            line = line_of(figure, shown)
            mean = np.mean([curve.scores for curve in found.curves[name, "deletion"]], axis=0)
            np.testing.assert_allclose(line.get_xdata(), FRACTIONS)
            np.testing.assert_allclose(line.get_ydata(), mean)
            area = float(Curve(line.get_xdata(), line.get_ydata()))
            estimate = found.mean(name, "deletion").estimate
            assert area == pytest.approx(estimate.value)
            text = f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"
            assert f"{shown}\n{text}" in legend(figure)

    def test_curves_of_unequal_points_are_interpolated_at_all_of_them(self):
        steep = Curve(np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.0, 0.0]))
        even = Curve(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
        line = line_of(metric_curves(curved({"a": [steep, even] * 3})), "a")
        np.testing.assert_allclose(line.get_xdata(), [0, 0.25, 1])
        np.testing.assert_allclose(line.get_ydata(), [1, 0.375, 0])

    def test_very_many_unequal_points_are_read_at_even_steps(self):
        random = np.random.default_rng(0)
        inner = [np.sort(random.random(60)) for _ in range(6)]
        points = [np.concatenate([[0.0], own, [1.0]]) for own in inner]
        line = line_of(metric_curves(curved({"a": [Curve(x, 1 - x) for x in points]})), "a")
        np.testing.assert_allclose(line.get_xdata(), np.linspace(0, 1, 201))
        np.testing.assert_allclose(line.get_ydata(), 1 - np.linspace(0, 1, 201), atol=1e-12)

    def test_the_band_is_the_interval_of_the_mean_at_each_fraction(self):
        subjects = ["a", "a", "b", "c", "d", "e", "e", "e"]
        found = curved({"m": drawn_curves(3)}, subjects=subjects, confidence=0.9)
        (vertices,) = bands(metric_curves(found))
        for place, fraction in enumerate(FRACTIONS):
            scores = [float(curve.scores[place]) for curve in found.curves["m", "deletion"]]
            one = (
                evaluation({"m": [scores]}, subjects=subjects, confidence=0.9).mean("m", "deletion").estimate
            )
            heights = vertices[np.isclose(vertices[:, 0], fraction), 1]
            np.testing.assert_allclose([heights.min(), heights.max()], [one.low, one.high])

    def test_a_failed_case_leaves_its_subject_out_of_the_band(self):
        curves = drawn_curves(5)
        curves[2] = None
        subjects = ["a", "b", "c", "d", "e", "f", "a", "b"]
        found = curved({"m": curves}, subjects=subjects)
        (vertices,) = bands(figure := metric_curves(found))
        scores = [None if curve is None else float(curve.scores[0]) for curve in curves]
        one = evaluation({"m": [scores]}, subjects=subjects).mean("m", "deletion").estimate
        heights = vertices[np.isclose(vertices[:, 0], 0), 1]
        np.testing.assert_allclose([heights.min(), heights.max()], [one.low, one.high])
        assert legend(figure)[0].endswith("(1 failed)")

    def test_another_confidence_is_that_of_band_and_area(self):
        found = curved({"m": drawn_curves(3)})
        wide, narrow = metric_curves(found), metric_curves(found, confidence=0.5)
        assert np.ptp(bands(narrow)[0][:, 1]) < np.ptp(bands(wide)[0][:, 1])
        estimate = replace(found, confidence=0.5).mean("m", "deletion").estimate
        assert f"[{estimate.low:.3g}, {estimate.high:.3g}]" in legend(narrow)[0]
        assert "50%" in narrow.legends[0].get_title().get_text()
        with pytest.raises(InvalidInput, match="`confidence`"):
            metric_curves(found, confidence=1.0)

    def test_there_is_no_band_below_five_subjects(self):
        figure = metric_curves(curved({"m": drawn_curves(3)}, subjects=list("aabbccdd")))
        assert bands(figure) == []
        assert "[" not in legend(figure)[0]
        assert "fewer than 5 subjects" in figure.legends[0].get_title().get_text()
        assert len(bands(metric_curves(curved({"m": drawn_curves(3)}, subjects=list("aabbccde"))))) == 1

    @pytest.mark.parametrize(("metric", "best"), [("deletion", "low"), ("insertion", "high")])
    def test_the_best_stands_first_and_what_failed_last(self, metric, best):
        curves = {"no": [None] * 6, "low": drawn_curves(1, 6), "high": drawn_curves(1, 6, shift=0.4)}
        figure = metric_curves(curved(curves, metric), metric)
        names = [label.split("\n")[0] for label in legend(figure)]
        assert names == [best, "high" if best == "low" else "low", "no"]
        assert legend(figure)[-1] == "no\nno value (6 failed)"
        assert METRICS[metric].better in figure.legends[0].get_title().get_text()

    def test_the_axes_say_what_is_done_and_which_score_is_watched(self):
        curves = {"m": drawn_curves(0)}
        axes = metric_curves(curved(curves)).axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == (
            "share of the image hidden",
            "probability of the class",
        )
        bound = Metric("by logits", partial(insertion, of="log_odds"), "higher")
        axes = metric_curves(curved(curves, {"by logits": bound}), "by logits").axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("share of the image shown", "log-odds of the class")
        own = Metric("own", lambda explanations: [], "lower")
        assert (
            metric_curves(curved(curves, {"own": own}), "own").axes[0].get_xlabel()
            == "share of the image changed"
        )

    def test_scores_outside_zero_to_one_are_seen(self):
        bound = Metric("logits", partial(deletion, of="logit"), "lower")
        curves = [Curve(FRACTIONS, np.array([9.0, 4.0, -3.0 - n])) for n in range(6)]
        axes = metric_curves(curved({"m": curves}, {"logits": bound}), "logits").axes[0]
        assert axes.get_ylim()[0] < -3
        assert axes.get_ylim()[1] > 9

    def test_twelve_explainers_are_told_apart_and_all_named(self):
        figure = metric_curves(curved({f"method {n}": drawn_curves(n) for n in range(12)}))
        looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
        assert len(looks) == 12
        assert len(legend(figure)) == 12
        assert inside(figure)

    def test_a_colour_stays_with_its_explainer_from_metric_to_metric(self):
        curves = {"low": drawn_curves(1), "high": drawn_curves(1, shift=0.4)}
        colours = [
            line_of(metric_curves(curved(curves, m), m), "low").get_color() for m in ("deletion", "insertion")
        ]
        assert colours[0] == colours[1]

    def test_long_names_stay_on_the_page(self):
        name = "occlusion by superpixels, smoothed, of the left hemisphere alone, by the mean of the image"
        assert inside(metric_curves(curved({name: drawn_curves(0), "b": drawn_curves(1)})))

    def test_what_has_no_curve_is_said(self):
        with pytest.raises(InvalidInput, match="'foo' was not judged"):
            metric_curves(curved({"m": drawn_curves(0)}), "foo")
        number = evaluation({"m": [[1.0] * 6]}, ("sparseness",))
        with pytest.raises(InvalidInput, match="'sparseness' is a number without a curve"):
            metric_curves(number, "sparseness")
        with pytest.raises(InvalidInput, match=r"no map has a value of 'deletion'.*too bright"):
            metric_curves(curved({"m": [None] * 6}))


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
    return evaluation(values, ("deletion", "insertion"), **settings)


MEANS = {"good": (0.1, 0.9), "mid": (0.2, 0.8), "bad": (0.5, 0.1)}


class TestHeatTable:
    def test_darker_is_better_whatever_the_direction(self):
        figure = heat_table(table())
        np.testing.assert_allclose(shades(figure), [[1, 1], [0.75, 0.875], [0, 0]], atol=1e-12)
        dark = darkness(figure)
        assert (dark[0] > dark[1]).all()
        assert (dark[1] > dark[2]).all()

    def test_a_cell_says_its_mean_and_interval(self):
        found = table()
        figure = heat_table(found)
        for row, name in enumerate(found.explainers):
            for column, metric in enumerate(found.metrics):
                estimate = found.mean(name, metric).estimate
                assert cell(figure, row, column).get_text() == f"{estimate.value:.3g}"
                more = cell(figure, row, column, "more").get_text()
                assert more == f"[{estimate.low:.3g}, {estimate.high:.3g}]"

    def test_heads_say_which_way_is_better(self):
        labels = [label.get_text() for label in heat_table(table()).axes[0].get_xticklabels()]
        assert labels == ["deletion\n↓ lower is better", "insertion\n↑ higher is better"]

    def test_failures_are_counted_and_no_value_is_hatched(self):
        some = [0.1, None, 0.2, 0.3, 0.4, 0.5]
        figure = heat_table(evaluation({"a": [some], "b": [[None] * 6], "c": [[0.5] * 6]}))
        assert cell(figure, 0, 0, "more").get_text().endswith("(1 failed)")
        assert cell(figure, 1, 0).get_text() == "–\n(6 failed)"
        (patch,) = figure.axes[0].patches
        assert patch.get_hatch()
        assert (patch.get_x(), patch.get_y()) == (-0.5, 0.5)
        assert np.isnan(shades(figure)).tolist() == [[False], [True], [False]]

    def test_only_what_is_surely_better_than_every_other_is_bold(self):
        figure = heat_table(table())
        weights = [[cell(figure, row, column).get_weight() for column in (0, 1)] for row in range(3)]
        assert weights == [["bold", "bold"], ["normal"] * 2, ["normal"] * 2]

    def test_a_close_second_leaves_nothing_bold(self):
        close = [0.1 + step for step in (0.3, -0.29, 0.3, -0.29, 0.3, -0.3)]
        found = evaluation({"good": [[0.1] * 6], "close": [close], "bad": [[0.9] * 6]})
        assert found.difference("good", "bad", "deletion").certain
        assert not found.difference("good", "close", "deletion").certain
        figure = heat_table(found)
        assert {cell(figure, row, 0).get_weight() for row in range(3)} == {"normal"}

    def test_a_better_mean_over_other_cases_is_not_bold_where_the_shared_cases_say_otherwise(self):
        one = [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.0, 0.0, 0.0]
        found = evaluation({"one": [one], "two": [[0.25] * 6 + [None] * 3]})
        gap = found.difference("one", "two", "deletion")
        assert found.mean("one", "deletion").estimate.value < found.mean("two", "deletion").estimate.value
        assert gap.certain
        assert gap.estimate.value > 0
        figure = heat_table(found)
        assert {cell(figure, row, 0).get_weight() for row in range(2)} == {"normal"}

    def test_methods_without_a_value_do_not_stand_in_the_way_of_bold(self):
        found = evaluation({"good": [[0.1] * 6], "bad": [[0.9] * 6], "none": [[None] * 6]})
        assert cell(heat_table(found), 0, 0).get_weight() == "bold"
        alone = evaluation({"good": [[0.1] * 6], "none": [[None] * 6]})
        assert cell(heat_table(alone), 0, 0).get_weight() == "normal"

    def test_few_subjects_have_no_intervals_and_nothing_bold(self):
        figure = heat_table(table(subjects=list("aabbcd")))
        assert cell(figure, 0, 0, "more") is None
        assert cell(figure, 0, 0).get_weight() == "normal"
        assert "No intervals" in figure.get_supxlabel()

    def test_equal_means_have_one_middling_shade(self):
        figure = heat_table(evaluation({"a": [[0.5] * 6], "b": [[0.5] * 6]}))
        assert shades(figure).tolist() == [[0.5], [0.5]]

    def test_the_writing_can_be_read_on_every_shade(self):
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

    @pytest.mark.parametrize("methods", [1, 6, 12])
    def test_cell_texts_stay_in_their_cells_and_all_on_the_page(self, methods):
        metrics = list(METRICS)[:8]
        random = np.random.default_rng(0)
        names = [f"a rather long name of method {n}" for n in range(methods)]
        values = {n: [[*(-1234.5 * random.random(5)).tolist(), None] for _ in metrics] for n in names}
        figure = heat_table(evaluation(values, metrics))
        assert inside(figure)
        axes = figure.axes[0]
        for text in axes.texts:
            _, row, column = text.get_gid().split()
            box = text.get_window_extent().transformed(axes.transData.inverted())
            assert int(column) - 0.5 < box.x0 < box.x1 < int(column) + 0.5
            assert int(row) - 0.5 < min(box.y0, box.y1) < max(box.y0, box.y1) < int(row) + 0.5

    def test_heads_do_not_touch_each_other(self):
        figure = heat_table(evaluation({"a": [[0.5] * 6] * len(METRICS)}, list(METRICS)))
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


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


class TestCascade:
    def test_each_step_is_named_and_its_similarity_beneath(self):
        figure = cascade(fallen())
        assert titles(figure) == ["network's own", "1: dense", "2: conv_3", "3: conv_2", "4: conv_1"]
        beneath = [texts(ax) for ax in figure.axes[:-1]]
        assert beneath[0] == ["yes, p = 0.73", "LIME"]
        assert beneath[1:] == [[f"similarity {s}"] for s in ("0.90", "0.50", "-0.20", "0.10")]

    def test_the_maps_drawn_are_those_of_the_steps_each_on_its_own_scale(self):
        found = fallen()
        figure = cascade(found)
        for ax, explanation in zip(figure.axes, (found.own, *found.explanations), strict=False):
            shown = ax.images[1]
            np.testing.assert_array_equal(np.ma.filled(shown.get_array(), np.nan), explanation.values)
            assert shown.norm.vmax == pytest.approx(np.nanmax(np.abs(explanation.values)))
        assert "scale of its own" in figure.get_supxlabel()

    def test_the_chart_starts_at_one_and_shows_every_step(self):
        chart = cascade(fallen()).axes[-1]
        np.testing.assert_allclose(chart.lines[0].get_xdata(), [0, 1, 2, 3, 4])
        np.testing.assert_allclose(chart.lines[0].get_ydata(), [1, 0.9, 0.5, -0.2, 0.1])
        assert chart.get_ylim()[0] < -0.2
        assert [label.get_text() for label in chart.get_xticklabels()] == ["own", "1", "2", "3", "4"]

    def test_of_many_steps_some_maps_are_shown_the_last_among_them(self):
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

    def test_several_methods_are_rows_with_one_similarity_axis(self):
        short = fallen(LAYERS[:2], (0.8, 0.7))
        figure = cascade({"gradcam": fallen(), "my own": short})
        assert len(figure.axes) == 2 * 6
        names = [texts(figure.axes[place])[-1] for place in (0, 6)]
        assert names == ["Grad-CAM", "my own"]
        charts = figure.axes[5], figure.axes[11]
        assert charts[0].get_ylim() == charts[1].get_ylim()
        assert [len(chart.lines[0].get_ydata()) for chart in charts] == [5, 3]
        assert inside(figure)

    def test_what_pale_means_is_said_once(self):
        assert cascade(fallen()).get_supxlabel().endswith("Faded: can't be told from zero (95 %).")
        assert "Faded" not in cascade(fallen(), fade=False).get_supxlabel()

    def test_a_volume_shows_one_plane_in_all_maps(self):
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

    def test_a_similarity_that_is_not_defined_leaves_a_gap(self):
        figure = cascade(fallen(similarities=(0.9, np.nan, 0.3, 0.1)))
        assert texts(figure.axes[2]) == ["similarity not defined"]
        assert np.isnan(figure.axes[-1].lines[0].get_ydata()).tolist() == [False, False, True, False, False]
        nothing = cascade(fallen(similarities=(np.nan,) * 4))
        nothing.draw_without_rendering()

    def test_long_names_stay_on_the_page_and_apart(self):
        layers = [f"network/a_layer_with_a_very_long_name_of_its_own_that_does_not_end_{n}" for n in range(4)]
        figure = cascade({"occlusion by superpixels, smoothed, of the left hemisphere alone": fallen(layers)})
        assert inside(figure)
        boxes = [ax.title.get_window_extent() for ax in figure.axes[:5]]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))

    def test_nothing_to_draw_is_said(self):
        with pytest.raises(InvalidInput, match="there is no cascade to draw"):
            cascade({})


def test_nothing_global_is_touched(tmp_path):
    before = dict(mpl.rcParams)
    for figure in (metric_curves(curved({"m": drawn_curves(0)})), heat_table(table()), cascade(fallen())):
        figure.savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()

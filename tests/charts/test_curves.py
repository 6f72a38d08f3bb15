"""Curves of a judgement show its numbers: means, intervals, which is better, what failed."""

from __future__ import annotations

import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from judgements import FRACTIONS, curved, inside, judgement, random_curves
from xaimri.charts import metric_curves
from xaimri.errors import InvalidInput
from xaimri.judging import METRICS, Metric
from xaimri.metrics import Curve


def legend(figure):
    (box,) = figure.legends
    return [text.get_text() for text in box.get_texts()]


def line_of(figure, name):
    return next(line for line in figure.axes[0].lines if line.get_label().split("\n")[0] == name)


def bands(figure):
    found = [c for c in figure.axes[0].collections if isinstance(c, FillBetweenPolyCollection)]
    return [band.get_paths()[0].vertices for band in found]


def test_a_line_is_the_mean_curve_and_its_area_the_mean_of_the_table():
    found = curved({"lime": random_curves(0), "b": random_curves(1, shift=0.4)})
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


def test_curves_of_unequal_points_are_interpolated_at_all_of_them():
    steep = Curve(np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.0, 0.0]))
    even = Curve(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    line = line_of(metric_curves(curved({"a": [steep, even] * 3})), "a")
    np.testing.assert_allclose(line.get_xdata(), [0, 0.25, 1])
    np.testing.assert_allclose(line.get_ydata(), [1, 0.375, 0])


def test_very_many_unequal_points_are_read_at_even_steps():
    random = np.random.default_rng(0)
    inner = [np.sort(random.random(60)) for _ in range(6)]
    points = [np.concatenate([[0.0], own, [1.0]]) for own in inner]
    line = line_of(metric_curves(curved({"a": [Curve(x, 1 - x) for x in points]})), "a")
    np.testing.assert_allclose(line.get_xdata(), np.linspace(0, 1, 201))
    np.testing.assert_allclose(line.get_ydata(), 1 - np.linspace(0, 1, 201), atol=1e-12)


def test_the_band_is_the_interval_of_the_mean_at_each_fraction():
    subjects = ["a", "a", "b", "c", "d", "e", "e", "e"]
    found = curved({"m": random_curves(3)}, subjects=subjects, confidence=0.9)
    (vertices,) = bands(metric_curves(found))
    for place, fraction in enumerate(FRACTIONS):
        scores = [float(curve.scores[place]) for curve in found.curves["m", "deletion"]]
        one = judgement({"m": [scores]}, subjects=subjects, confidence=0.9).mean("m", "deletion").estimate
        heights = vertices[np.isclose(vertices[:, 0], fraction), 1]
        np.testing.assert_allclose([heights.min(), heights.max()], [one.low, one.high])


def test_a_failed_case_leaves_its_subject_out_of_the_band():
    curves = random_curves(5)
    curves[2] = None
    subjects = ["a", "b", "c", "d", "e", "f", "a", "b"]
    found = curved({"m": curves}, subjects=subjects)
    (vertices,) = bands(figure := metric_curves(found))
    scores = [None if curve is None else float(curve.scores[0]) for curve in curves]
    one = judgement({"m": [scores]}, subjects=subjects).mean("m", "deletion").estimate
    heights = vertices[np.isclose(vertices[:, 0], 0), 1]
    np.testing.assert_allclose([heights.min(), heights.max()], [one.low, one.high])
    assert legend(figure)[0].endswith("(1 failed)")


def test_another_confidence_is_that_of_band_and_area():
    found = curved({"m": random_curves(3)})
    wide, narrow = metric_curves(found), metric_curves(found, confidence=0.5)
    assert np.ptp(bands(narrow)[0][:, 1]) < np.ptp(bands(wide)[0][:, 1])
    estimate = replace(found, confidence=0.5).mean("m", "deletion").estimate
    assert f"[{estimate.low:.3g}, {estimate.high:.3g}]" in legend(narrow)[0]
    assert "50%" in narrow.legends[0].get_title().get_text()
    with pytest.raises(InvalidInput, match="`confidence`"):
        metric_curves(found, confidence=1.0)


def test_there_is_no_band_below_five_subjects():
    figure = metric_curves(curved({"m": random_curves(3)}, subjects=list("aabbccdd")))
    assert bands(figure) == []
    assert "[" not in legend(figure)[0]
    assert "fewer than 5 subjects" in figure.legends[0].get_title().get_text()
    assert len(bands(metric_curves(curved({"m": random_curves(3)}, subjects=list("aabbccde"))))) == 1


@pytest.mark.parametrize(("metric", "best"), [("deletion", "low"), ("insertion", "high")])
def test_the_best_stands_first_and_what_failed_last(metric, best):
    curves = {"no": [None] * 6, "low": random_curves(1, 6), "high": random_curves(1, 6, shift=0.4)}
    figure = metric_curves(curved(curves, metric), metric)
    names = [label.split("\n")[0] for label in legend(figure)]
    assert names == [best, "high" if best == "low" else "low", "no"]
    assert legend(figure)[-1] == "no\nno value (6 failed)"
    assert METRICS[metric].better in figure.legends[0].get_title().get_text()


@pytest.mark.parametrize(
    ("change", "of", "across", "up"),
    [
        ("hidden", "probability", "share of the image hidden", "probability of the class"),
        ("shown", "log_odds", "share of the image shown", "log-odds of the class"),
        ("changed", "logit", "share of the image changed", "logit of the class"),
    ],
)
def test_the_axes_say_what_is_done_and_which_score_is_watched(change, of, across, up):
    curves = [replace(curve, change=change, of=of) for curve in random_curves(0)]
    own = Metric("own", lambda explanations: [], "lower")
    axes = metric_curves(curved({"m": curves}, {"own": own}), "own").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (across, up)


def test_scores_outside_zero_to_one_are_seen():
    curves = [Curve(FRACTIONS, np.array([9.0, 4.0, -3.0 - n]), "hidden", "logit") for n in range(6)]
    axes = metric_curves(curved({"m": curves})).axes[0]
    assert axes.get_ylim()[0] < -3
    assert axes.get_ylim()[1] > 9


def test_twelve_explainers_are_told_apart_and_all_named():
    figure = metric_curves(curved({f"method {n}": random_curves(n) for n in range(12)}))
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == 12
    assert len(legend(figure)) == 12
    assert inside(figure)


def test_a_colour_stays_with_its_explainer_from_metric_to_metric():
    curves = {"low": random_curves(1), "high": random_curves(1, shift=0.4)}
    colours = [
        line_of(metric_curves(curved(curves, m), m), "low").get_color() for m in ("deletion", "insertion")
    ]
    assert colours[0] == colours[1]


def test_long_names_stay_on_the_page():
    name = "occlusion by superpixels, smoothed, of the left hemisphere alone, by the mean of the image"
    assert inside(metric_curves(curved({name: random_curves(0), "b": random_curves(1)})))


def test_what_has_no_curve_is_said():
    with pytest.raises(InvalidInput, match="'foo' was not judged"):
        metric_curves(curved({"m": random_curves(0)}), "foo")
    number = judgement({"m": [[1.0] * 6]}, ("sparseness",))
    with pytest.raises(InvalidInput, match="'sparseness' is a number without a curve"):
        metric_curves(number, "sparseness")
    with pytest.raises(InvalidInput, match=r"no map has a value of 'deletion'.*too bright"):
        metric_curves(curved({"m": [None] * 6}))


def test_nothing_global_is_touched(tmp_path):
    before = dict(mpl.rcParams)
    metric_curves(curved({"m": random_curves(0)})).savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()

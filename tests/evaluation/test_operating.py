"""Operating points have closed forms; thresholds are held to people they were not chosen on."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from xaimri.errors import InvalidInput
from xaimri.evaluation import evaluate, operating_point, threshold_for

P = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.35, 0.6, 0.7, 0.8, 0.9])
TRUTH = np.repeat([0, 1], 5)


def two(p):
    return np.stack([1 - np.asarray(p), np.asarray(p)], axis=1)


@pytest.mark.parametrize(
    ("threshold", "right"), [(0.0, (1, 0)), (0.4, (0.8, 0.6)), (0.401, (0.8, 0.8)), (1, (0, 1))]
)
def test_closed_forms_and_a_probability_at_the_threshold_counts(threshold, right):
    point = operating_point(two(P), TRUTH, 1, threshold, range(10))
    assert (point.sensitivity.value, point.specificity.value) == pytest.approx(right)
    assert point.true_positives + point.false_negatives == point.true_negatives + point.false_positives == 5
    json.dumps(point.to_dict(), allow_nan=False)


def test_predictive_values_are_shares_of_those_called():
    """At 0.4, 4 of 6 that are called are of the class, and 3 of 4 that are not are none of it."""
    point = operating_point(two(P), TRUTH, 1, 0.4, range(10))
    assert point.positive_predictive_value.value == pytest.approx(4 / 6)
    assert math.isnan(point.negative_predictive_value.value)  # of 4 subjects
    assert point.notes == ("negative predictive value is not estimable: 4 subjects not called `class_1`.",)
    many = operating_point(two([*P, *P]), [*TRUTH, *TRUTH], 1, 0.4, range(20))
    assert many.negative_predictive_value.value == pytest.approx(3 / 4)
    low, high = many.positive_predictive_value.low, many.positive_predictive_value.high
    assert low < 4 / 6 < high
    assert (many.called, many.uncalled) == (12, 8)


@pytest.mark.parametrize(
    ("wanted", "right"),
    [(0.01, 0.9), (0.2, 0.9), (0.21, 0.8), (0.6, 0.7), (0.8, 0.6), (0.81, 0.35), (1, 0.35)],
)
def test_the_highest_threshold_that_finds_enough(wanted, right):
    chosen = threshold_for(two(P), TRUTH, 1, wanted, range(10))
    assert chosen.value == right
    assert chosen.sensitivity >= wanted
    assert str(chosen).startswith(f"class_1, at {right:g} and above, by slice: chosen for a sensitivity of ")
    assert "on the 10 subjects" in str(chosen)
    json.dumps(chosen.to_dict(), allow_nan=False)


def test_equal_probabilities_are_found_together():
    chosen = threshold_for(two([0.2] * 5 + [0.7] * 4 + [0.2]), TRUTH, 1, 0.3, range(10))
    assert (chosen.value, chosen.sensitivity, chosen.specificity) == (0.7, 0.8, 1.0)
    assert threshold_for(two([0.5] * 10), TRUTH, 1, 0.3, range(10)).specificity == 0


def test_a_threshold_is_not_used_on_those_it_was_chosen_on():
    names = [f"s{n}" for n in range(10)]
    chosen = threshold_for(two(P), TRUTH, 1, 0.8, names, classes=("well", "ill"))
    with pytest.raises(InvalidInput, match="choose it on the validation part"):
        operating_point(two(P), TRUTH, 1, chosen, [*names[:1], *range(9)], classes=("well", "ill"))
    point = operating_point(two(P), TRUTH, "ill", chosen, range(10), classes=("well", "ill"))
    assert (point.threshold, point.positive, point.sensitivity.value) == (0.6, "ill", 0.8)
    with pytest.raises(InvalidInput, match="chosen for `ill` by slice"):
        operating_point(two(P), TRUTH, "well", chosen, range(10), classes=("well", "ill"))
    with pytest.raises(InvalidInput, match="not for `ill` by subject"):
        operating_point(two(P), TRUTH, 1, chosen, range(10), classes=("well", "ill"), level="subject")


def test_subjects_as_a_table_with_gaps_turns_them_are_the_same():
    chosen = threshold_for(two(P), TRUTH, 1, 0.8, range(10))
    with pytest.raises(InvalidInput, match="chosen on 10 of these subjects"):
        operating_point(two(P), TRUTH, 1, chosen, np.arange(10.0).tolist())


def test_a_threshold_of_cases_without_subjects_is_not_said_to_be_of_others():
    chosen = threshold_for(two(P), TRUTH, 1, 0.8, independent=True)
    point = operating_point(two(P), TRUTH, 1, chosen, independent=True)
    assert "on cases without subjects, which may be these" in str(point)


def test_intervals_are_those_of_the_recall_in_the_report():
    """At one half of two classes, sensitivity and specificity are the two recalls, resample by resample."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(20), 4)
    labels = (people >= 8).astype(int)
    p = two(np.clip(0.3 * labels + rng.random(20)[people] * 0.5 + rng.random(80) * 0.2, 0, 0.99))
    for level in ("slice", "subject"):
        figures = evaluate(p, labels, people.tolist()).level(level).per_class
        point = operating_point(p, labels, 1, 0.5, people.tolist(), level=level)
        for share, recall in ((point.sensitivity, figures[1].recall), (point.specificity, figures[0].recall)):
            assert (share.value, share.low, share.high) == pytest.approx(
                (recall.value, recall.low, recall.high)
            )
        assert point.sensitivity.low < point.sensitivity.value < point.sensitivity.high
        assert (point.subjects, point.others) == (12, 8)


def test_a_class_of_one_subject_is_not_estimable():
    p = np.random.default_rng(1).dirichlet(np.ones(3), 12)
    labels = np.array([0] * 2 + [1] * 5 + [2] * 5)
    people = ["a", "a", *map(str, range(10))]
    point = operating_point(p, labels, 0, 0.3, people)
    assert math.isnan(point.sensitivity.value)
    assert not math.isnan(point.specificity.value)
    assert point.notes[0] == "sensitivity is not estimable: 1 subject of `class_0`."
    with pytest.raises(InvalidInput, match="there is 1"):
        threshold_for(p, labels, 0, 0.5, people)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"positive": 2}, "must be one of"),
        ({"positive": "ill"}, "must be one of"),
        ({"positive": -1}, "must be one of"),
        ({"threshold": 1.1}, "at most 1"),
        ({"threshold": math.nan}, "threshold"),
        ({"probabilities": two(P) * 2}, "summing to 1|sum"),
    ],
)
def test_what_does_not_fit_is_told(changed, told):
    given = {"probabilities": two(P), "truth": TRUTH, "positive": 1, "threshold": 0.5, "subjects": range(10)}
    with pytest.raises(InvalidInput, match=told):
        operating_point(**{**given, **changed})

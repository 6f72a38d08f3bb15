"""Brier score and calibration error have closed forms, and chance is told from error."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from xaimri.errors import InvalidInput
from xaimri.evaluation.calibration_error import calibration, equal_bins


def two(p):
    return np.stack([1 - np.asarray(p), np.asarray(p)], axis=1)


def test_by_hand():
    """Of ten at 0.9, seven come true; of ten at 0.6, eight do."""
    p = np.repeat([0.9, 0.6], 10)
    true = np.array([1] * 7 + [0] * 3 + [1] * 8 + [0] * 2)
    found = calibration(two(p), true, range(20), bins=2)
    for one in (found.top, found.per_class[1]):
        assert one.ece.value == pytest.approx((0.2 + 0.2) / 2)
        assert one.brier.value == pytest.approx((7 * 0.01 + 3 * 0.81 + 8 * 0.16 + 2 * 0.36) / 20)
        assert [b.cases for b in one.bins] == [10, 10]
        assert [b.observed.value for b in one.bins] == pytest.approx([0.8, 0.7])
        noise = np.array([0.16 / 9, 0.21 / 9])  # of a share of ten people
        assert one.rms.value == pytest.approx(math.sqrt(0.04 - noise.mean()))
        assert one.ece_of_chance == pytest.approx(np.sqrt(2 / math.pi * noise).mean())
        assert one.ece.low < one.ece.value < one.ece.high
    assert found.brier.value == pytest.approx(2 * found.top.brier.value)
    json.dumps(found.to_dict(), allow_nan=False)
    assert "0.20" in str(found)


def test_scikit_learn_says_the_same_of_three_classes():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 200)
    labels = rng.integers(0, 3, 200)
    found = calibration(p, labels, range(200), bins=8)
    for i, one in enumerate(found.per_class):
        assert one.brier.value == pytest.approx(brier_score_loss(labels == i, p[:, i]))
        observed, predicted = calibration_curve(labels == i, p[:, i], n_bins=8, strategy="quantile")
        np.testing.assert_allclose([b.observed.value for b in one.bins], observed)
        np.testing.assert_allclose([b.predicted for b in one.bins], predicted)
    top = p.max(axis=1)
    assert found.top.brier.value == pytest.approx(brier_score_loss(p.argmax(axis=1) == labels, top))


def test_chance_is_no_error():
    """Perfect probabilities have the error of chance, and nothing is left once it is taken off."""
    rng = np.random.default_rng(1)
    ece, chance, squares = [], [], []
    for _ in range(60):
        p = rng.random(120)
        one = calibration(two(p), (rng.random(120) < p).astype(int), range(120)).per_class[1]
        ece.append(one.ece.value)
        chance.append(one.ece_of_chance)
        squares.append(one.rms.value**2)
    assert np.mean(ece) > 0.08
    assert np.mean(chance) == pytest.approx(np.mean(ece), rel=0.1)
    assert np.median(squares) < 0.2 * np.mean(ece) ** 2


def test_chance_is_counted_over_subjects():
    """Ten images that are copies of one tell no more than one does."""
    rng = np.random.default_rng(2)
    p = rng.random(60)
    true = (rng.random(60) < p).astype(int)
    once = calibration(two(p), true, range(60), bins=5)
    often = calibration(
        two(np.repeat(p, 10)),
        np.repeat(true, 10),
        np.repeat(np.arange(60), 10).tolist(),
        bins=5,
    )
    for name in ("ece", "rms", "brier"):
        one, many = (getattr(each.per_class[1], name) for each in (once, often))
        assert (many.value, many.low, many.high) == pytest.approx((one.value, one.low, one.high))
    assert often.per_class[1].ece_of_chance == pytest.approx(once.per_class[1].ece_of_chance)


@pytest.mark.parametrize("most", [1, 3, 10])
def test_bins_keep_equal_scores_and_five_subjects_together(most):
    rng = np.random.default_rng(3)
    scores, owner = rng.integers(0, 7, 90) / 7, np.repeat(np.arange(18), 5)
    place = equal_bins(scores, owner, most)
    assert len(np.unique(place)) == place.max() + 1 <= most
    for score in np.unique(scores):
        assert len(np.unique(place[scores == score])) == 1
    assert all(len(np.unique(owner[place == b])) >= 5 for b in np.unique(place))
    order = np.argsort(scores, kind="stable")
    assert (np.diff(place[order]) >= 0).all()


def test_a_class_of_one_subject_is_not_estimable_and_few_people_have_no_interval():
    p = np.random.default_rng(4).dirichlet(np.ones(3), 12)
    people = ["a", "a", *map(str, range(10))]
    found = calibration(p, [0] * 2 + [1] * 5 + [2] * 5, people)
    assert found.per_class[0].note == "not estimable: 1 subject"
    assert math.isnan(found.per_class[0].ece.value)
    assert found.per_class[1].note is None
    assert "not estimable" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)
    alone = calibration(two([0.2, 0.7]), [0, 1], ["a", "a"])
    assert alone.top.brier.bare
    assert math.isnan(alone.top.ece_of_chance)
    assert math.isnan(alone.top.rms.value)


def test_by_subject_means_are_compared():
    p = two(np.tile([0.5, 0.9], 12))
    people = np.repeat(np.arange(12), 2).tolist()
    found = calibration(p, np.repeat([0, 1], 12), people, level="subject")
    assert found.cases == 12
    assert found.top.ece.value == pytest.approx(0.2)


def test_rows_that_are_no_probabilities_are_refused():
    with pytest.raises(InvalidInput, match="sum"):
        calibration(np.full((6, 2), 0.4), [0, 1] * 3, range(6))


@pytest.mark.parametrize("seed", range(6))
def test_no_interval_of_a_distance_of_shares_reaches_beyond_one(seed):
    """Of eight people in four classes Student's t alone goes to 1.5."""
    p = np.random.default_rng(seed).dirichlet(np.ones(4), 8)
    found = calibration(p, [0, 1, 2, 3] * 2, range(8)).top
    for one in (found.ece, found.rms):
        assert 0 <= one.low <= one.value <= one.high <= 1

"""Objectives: closed forms, and derivatives against finite differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri import FunctionClassifier
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.objective import Objective, softmax

ALL = ("logit", "log_odds", "probability")
LOGITS = np.random.default_rng(0).normal(0, 3, (5, 4))
TARGETS = (0, 1, 2, 3, 1)


def test_scores_are_their_definitions():
    p = softmax(LOGITS)[np.arange(5), list(TARGETS)]
    np.testing.assert_allclose(Objective(TARGETS).scores(LOGITS), LOGITS[np.arange(5), list(TARGETS)])
    np.testing.assert_allclose(Objective(TARGETS, "probability").scores(LOGITS), p)
    np.testing.assert_allclose(Objective(TARGETS, "log_odds").scores(LOGITS), np.log(p / (1 - p)))


def test_two_classes_have_closed_forms():
    z = np.array([[-2.0, 1.5], [40.0, -60.0]])
    np.testing.assert_allclose(Objective((1, 1), "log_odds").scores(z), [3.5, -100.0])
    np.testing.assert_allclose(softmax(z)[:, 1], [1 / (1 + math.exp(-3.5)), 1 / (1 + math.exp(100))])
    np.testing.assert_allclose(Objective((1, 1), "log_odds").cotangents(z), [[-1, 1], [-1, 1]])


@pytest.mark.parametrize("of", ALL)
@pytest.mark.parametrize("targets", [None, TARGETS])
def test_cotangents_are_the_slopes_of_the_scores(of, targets):
    if targets is None:
        targets = tuple(int(i) for i in LOGITS.argmax(axis=1))
        found = Objective(None, of).cotangents(LOGITS)
    else:
        found = Objective(targets, of).cotangents(LOGITS)
    step = 1e-6
    for column in range(LOGITS.shape[1]):
        shift = step * np.eye(LOGITS.shape[1])[column]
        high, low = (Objective(targets, of).scores(LOGITS + s * shift) for s in (1, -1))
        np.testing.assert_allclose(found[:, column], (high - low) / (2 * step), atol=1e-8)


@settings(max_examples=50, deadline=None)
@given(st.floats(-50, 50), st.sampled_from(["log_odds", "probability"]), st.integers(0, 3))
def test_a_constant_added_to_the_logits_changes_no_odds_and_no_probability(constant, of, target):
    objective = Objective((target,) * 5, of)
    np.testing.assert_allclose(objective.scores(LOGITS + constant), objective.scores(LOGITS), atol=1e-10)
    np.testing.assert_allclose(
        objective.cotangents(LOGITS + constant), objective.cotangents(LOGITS), atol=1e-10
    )
    np.testing.assert_allclose(objective.cotangents(LOGITS).sum(axis=1), 0, atol=1e-12)


def test_a_class_against_another_is_the_difference_of_their_logits():
    others = (1, 3, 0, 0, 2)
    both, rows = Objective(TARGETS, against=others), np.arange(5)
    wanted = LOGITS[rows, list(TARGETS)] - LOGITS[rows, list(others)]
    np.testing.assert_array_equal(both.scores(LOGITS), wanted)
    p = softmax(LOGITS)  # the logarithm of the ratio of the two probabilities
    np.testing.assert_allclose(wanted, np.log(p[rows, list(TARGETS)] / p[rows, list(others)]))
    step = 1e-6 * np.eye(4)
    slopes = [(both.scores(LOGITS + s) - both.scores(LOGITS - s)) / 2e-6 for s in step]
    np.testing.assert_allclose(both.cotangents(LOGITS).T, slopes, atol=1e-8)
    assert both.take([3, 1]) == Objective((3, 1), against=(0, 3))
    assert both.take([2]).times(2) == Objective((2, 2), against=(0, 0)) == both.each(5)[2].times(2)
    assert both.unit == "logit difference"
    predicted = tuple(int(n) for n in LOGITS.argmax(axis=1))
    away = tuple((n + 1) % 4 for n in predicted)
    assert Objective(against=away).settle(LOGITS) == Objective(predicted, against=away)
    with pytest.raises(UnusableImage, match="name the class to explain"):
        Objective(against=(*away[:4], predicted[4])).scores(LOGITS)
    for wrong, why in (
        ({"targets": (1, 2), "against": (0, 2)}, "can't be held against itself"),
        ({"targets": (1,), "against": (0,), "of": "probability"}, "leave `of` out beside it"),
        ({"against": (0,), "of": "log_odds"}, "got 'log_odds'"),
        ({"targets": (1, 2), "against": (0,)}, "1 targets were given for 2 images"),
    ):
        with pytest.raises(InvalidInput, match=why):
            Objective(**wrong)


def test_log_odds_never_saturate():
    sure = np.array([[0.0, 300.0, -300.0]], np.float32)
    odds = Objective((1,), "log_odds")
    assert odds.scores(sure)[0] == 300
    np.testing.assert_allclose(odds.cotangents(sure), [[-1, 1, 0]], atol=1e-6)
    assert not Objective((1,), "probability").cotangents(sure).any()


def test_extreme_logits_stay_finite():
    extreme = np.array([[1e30, -1e30, 0.0], [3e4, 3e4, -3e4]])
    for of in ALL:
        assert np.isfinite(Objective((0, 1), of).scores(extreme)).all()
        assert np.isfinite(Objective((0, 1), of).cotangents(extreme)).all()


def test_without_targets_the_prediction_is_explained():
    assert list(Objective().resolve(LOGITS)) == list(LOGITS.argmax(axis=1))
    np.testing.assert_array_equal(Objective().scores(LOGITS), LOGITS.max(axis=1))


def test_scoring_leaves_the_logits_alone():
    given = LOGITS.copy()
    for of in ALL:
        Objective(None, of).scores(given)
        Objective(None, of).cotangents(given)
    assert np.array_equal(given, LOGITS)


def test_errors_are_one_sentence():
    with pytest.raises(InvalidInput, match="2 targets were given for 5 images"):
        Objective((0, 1)).scores(LOGITS)
    unchecked = object.__new__(Objective)
    object.__setattr__(unchecked, "of", "loss")
    with pytest.raises(InvalidInput, match=r"`of` must be .*got 'loss'"):
        unchecked.__post_init__()


def test_a_function_that_gives_no_numbers_is_told():
    for answer in ([["a", "b"]], [[0.5], [0.2, 0.3]], [object()]):
        with pytest.raises(InvalidInput, match="the function must give numbers"):
            FunctionClassifier(lambda images, answer=answer: answer).logits(np.ones((1, 4, 5, 1), np.float32))

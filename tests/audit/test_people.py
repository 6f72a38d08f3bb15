"""Balanced accuracy, order and chance over people, against closed forms and scikit-learn."""

from math import comb
from unittest import mock

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from xaimri.audit.effects import Asked
from xaimri.audit.people import People, above_chance, drops
from xaimri.audit.readings import Readings
from xaimri.evaluation import Bootstrap, evaluate

LABELS = np.repeat([0, 1], 5)
ALL = np.ones(10, bool)
PEOPLE = People(LABELS, np.arange(10), 2, Bootstrap(resamples=50))
APART = np.stack([np.zeros(10), np.where(LABELS == 1, 1.0, -1.0) + np.linspace(0, 0.1, 10)], axis=1)


def test_figures_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    labels = generator.permutation(np.repeat([0, 1, 2], 12))
    logits = generator.normal(size=(36, 3)) + np.eye(3)[labels]
    people = People(labels, np.arange(36), 3, Bootstrap(resamples=50))
    found = people.predictions(logits, np.ones(36, bool))
    assert found.value == pytest.approx(balanced_accuracy_score(labels, logits.argmax(axis=1)))
    others = np.log(np.exp(logits).sum(axis=1, keepdims=True) - np.exp(logits))
    areas = [roc_auc_score(labels == n, (logits - others)[:, n]) for n in range(3)]
    assert found.order == pytest.approx(np.mean(areas))


def test_what_shifts_everybody_changes_decisions_and_no_order_however_far():
    shifted = APART + np.array([0.0, 200.0])  # next to 1 for all of them
    before, after = (PEOPLE.predictions(logits, ALL) for logits in (APART, shifted))
    assert (before.value, after.value) == (1.0, 0.5)
    assert (before.order, after.order) == (1.0, 1.0)


@pytest.mark.parametrize("measure", ["balanced accuracy", "AUROC"])
def test_p_of_five_and_five_that_are_apart_is_one_deal_of_all(measure):
    """Of balanced accuracy, five right of each class may be swapped into one deal; so of the order."""
    (p,) = above_chance([PEOPLE.predictions(APART, ALL)], 0, measure, deals=40_000)
    assert p == pytest.approx(1 / comb(10, 5), rel=0.2)


def test_p_is_that_of_the_best_of_all_conditions():
    generator = np.random.default_rng(1)
    noise = [PEOPLE.predictions(generator.normal(size=(10, 2)), ALL) for _ in range(7)]
    alone = above_chance([PEOPLE.predictions(APART, ALL)], 0, "AUROC", deals=5000)[0]
    among = above_chance([PEOPLE.predictions(APART, ALL), *noise], 0, "AUROC", deals=5000)[0]
    assert alone < among < 8 * alone * 1.5


def test_nobody_who_changes_has_no_p_and_all_who_do_have_the_least():
    same, turned = PEOPLE.predictions(APART, ALL), PEOPLE.predictions(-APART, ALL)
    p = drops([(same, same), (same, turned)], 0)
    assert np.isnan(p[0])
    assert p[1] == pytest.approx(2 / 2**10)


def test_classes_with_few_people_are_left_out():
    labels = np.array([0] * 6 + [1] * 6 + [2] * 4)
    logits = np.eye(3)[labels]
    logits[12:] = [1, 0, 0]  # all of the third are wrong
    found = People(labels, np.arange(16), 3, Bootstrap()).predictions(logits, np.ones(16, bool))
    assert found.estimable.tolist() == [0, 1]
    assert found.value == 1.0
    alone = People(labels, np.arange(16), 3, Bootstrap()).predictions(logits, labels != 1)
    assert not alone.able
    assert np.isnan(alone.value)


def test_intervals_of_a_fall_hold_it_for_five_and_five():
    """As often as is said, or more; of percentiles over resamples 0.83 do."""
    generator, classes, kept = np.random.default_rng(4), LABELS, list[bool]()
    for _ in range(300):
        before = generator.random(10) < 0.8
        after = np.where(before, generator.random(10) >= 0.1, generator.random(10) < 0.1)
        pair = [
            PEOPLE.predictions(np.eye(2)[np.where(right, classes, 1 - classes)], ALL)
            for right in (before, after)
        ]
        found = PEOPLE.fall(*pair)
        if not found.bare:
            kept.append(found.low <= 0.8 * 0.1 - 0.2 * 0.1 <= found.high)
    assert len(kept) > 150
    assert np.mean(kept) > 0.93


def test_figures_of_people_have_the_intervals_of_an_evaluation():
    generator = np.random.default_rng(1)
    labels = np.arange(40) % 2
    logits = generator.normal(size=(40, 2)) + np.eye(2)[labels]
    people = People(labels, np.arange(40), 2, Bootstrap(resamples=50))
    asked = Asked(people, people.weights(), mock.create_autospec(Readings, instance=True))
    found = people.predictions(logits, np.ones(40, bool))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    report = evaluate(p, labels, range(40)).subject
    assert asked.estimate(found).to_dict() == pytest.approx(report.balanced_accuracy.to_dict())
    assert asked.order(found).to_dict() == pytest.approx(report.macro.auroc.to_dict())


def test_where_all_odds_are_equal_the_order_is_that_of_chance_without_an_interval():
    asked = Asked(PEOPLE, PEOPLE.weights(), mock.create_autospec(Readings, instance=True))
    found = asked.order(PEOPLE.predictions(np.zeros((10, 2)), ALL))
    assert found.value == 0.5
    assert found.bare

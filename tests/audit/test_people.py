"""Balanced accuracy, order and chance over people, against closed forms and scikit-learn."""

from math import comb

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from xaimri.audit.people import People, above_chance, drops
from xaimri.evaluation import Bootstrap

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

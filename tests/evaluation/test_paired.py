"""Swaps of whole subjects have p by enumeration; models alike seldom differ, and a better one is seen."""

import json
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from xaimri.errors import InvalidInput
from xaimri.evaluation import compare_predictions, evaluate


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def two(rng, people=8, slices=3, skills=(1.5, 0.5)):
    labels = np.repeat(np.arange(people) % 2, slices)
    owner = np.repeat(np.arange(people), slices)
    shared = rng.normal(0, 1, (people, 2))[owner]
    said = [softmax(s * np.eye(2)[labels] + shared + rng.normal(0, 1, (len(labels), 2))) for s in skills]
    return (*said, labels, owner)


def test_p_is_that_of_all_swaps_counted_one_by_one():
    a, b, labels, owner = two(np.random.default_rng(0), people=6)
    found = compare_predictions(a, b, labels, owner.tolist())
    figures = {
        "balanced accuracy": lambda p: balanced_accuracy_score(labels, p.argmax(axis=1)),
        "F1": lambda p: f1_score(labels, p.argmax(axis=1), average="macro", zero_division=0),
        "AUROC": lambda p: roc_auc_score(labels, p[:, 1]),
        "Brier score": lambda p: ((p - np.eye(2)[labels]) ** 2).sum(axis=1).mean(),
    }
    for name, figure in figures.items():
        apart = []
        for swap in product([False, True], repeat=6):
            other = np.array(swap)[owner][:, None]
            apart.append(figure(np.where(other, b, a)) - figure(np.where(other, a, b)))
        assert found[name].p == pytest.approx(np.mean(np.abs(apart) >= abs(apart[0]) - 1e-9))
        assert found[name].difference.value == pytest.approx(apart[0])
        assert (found[name].a, found[name].b) == pytest.approx((figure(a), figure(b)))
    assert found.permutations == 32  # half of 64, by symmetry


def test_figures_are_those_of_the_report_at_both_levels():
    a, b, labels, owner = two(np.random.default_rng(1), people=12)
    for level in ("slice", "subject"):
        found = compare_predictions(a, b, labels, owner.tolist(), level=level, permutations=20)
        report = evaluate(a, labels, owner.tolist()).level(level)
        assert found["accuracy"].a == pytest.approx(report.accuracy.value)
        assert found["AUROC"].a == pytest.approx(report.macro.auroc.value)
        assert found["average precision"].a == pytest.approx(report.macro.average_precision.value)
        assert found["Brier score"].a == pytest.approx(report.calibration.brier.value)
    json.dumps(found.to_dict(), allow_nan=False)
    assert "difference" in str(found)


def test_of_models_alike_few_differ_and_a_better_one_is_seen():
    rng = np.random.default_rng(2)
    alike, better, held = 0, 0, 0
    for _ in range(60):
        a, b, labels, owner = two(rng, 14, 4, (1, 1))
        found = compare_predictions(a, b, labels, owner.tolist(), permutations=200)["Brier score"]
        alike += found.p <= 0.05
        held += found.difference.low <= 0 <= found.difference.high
        a, b, labels, owner = two(rng, 14, 4, (3, 0))
        better += compare_predictions(a, b, labels, owner.tolist(), permutations=200)["accuracy"].p <= 0.05
    assert alike <= 7  # 3 are expected
    assert held >= 53
    assert better >= 55


def test_a_model_and_itself_do_not_differ():
    a, _, labels, owner = two(np.random.default_rng(3))
    for one in compare_predictions(a, a, labels, owner.tolist()).differences:
        assert (one.difference.value, one.p) == (0, 1)
        assert one.difference.bare


def test_copies_of_slices_are_no_further_people():
    a, b, labels, owner = two(np.random.default_rng(4), people=9)
    once = compare_predictions(a, b, labels, owner.tolist())
    often = compare_predictions(
        *(np.repeat(x, 20, axis=0) for x in (a, b, labels)), np.repeat(owner, 20).tolist()
    )
    for one, many in zip(once.differences, often.differences, strict=True):
        assert many.p == one.p
        assert many.difference.low == pytest.approx(one.difference.low)


def test_what_does_not_fit_is_told():
    a, b, labels, owner = two(np.random.default_rng(5))
    with pytest.raises(InvalidInput, match="one row per case"):
        compare_predictions(a[:-1], b[:-1], labels, owner.tolist())
    with pytest.raises(InvalidInput, match="cases have no subject"):
        compare_predictions(a, b, labels)

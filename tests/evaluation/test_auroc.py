"""AUROC is scikit-learn's, ties included; perfect, constant and inverted scores have closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

import xaimri.evaluation.auroc as module
from xaimri.evaluation.auroc import auroc


def once(scores, positive, weights=None):
    n = len(scores)
    weights = np.ones((1, n), np.int64) if weights is None else weights
    return auroc(np.asarray(scores, float), np.asarray(positive, bool), weights, np.arange(n))


@pytest.mark.parametrize(
    ("scores", "right"),
    [
        ([0.1, 0.2, 0.8, 0.9], 1.0),
        ([0.9, 0.8, 0.2, 0.1], 0.0),
        ([0.3] * 4, 0.5),
        ([0.1, 0.5, 0.5, 0.9], 0.875),
    ],
)
def test_closed_forms(scores, right):
    assert once(scores, [0, 0, 1, 1]) == right


def test_it_counts_pairs():
    """Of 2 x 3 pairs, 4 are in order and one is equal."""
    assert once([0.2, 0.5, 0.7, 0.5, 0.9], [0, 1, 0, 0, 1]) == pytest.approx((4 + 0.5) / 6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40),
    st.integers(0, 99),
)
def test_it_is_scikit_learns_with_ties_and_weights(rows, seed):
    scores, positive = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.random.default_rng(seed).integers(0, 4, (5, len(rows)))
    for row, found in zip(weights, once(scores / 5, positive, weights), strict=True):
        if not (row[positive].sum() and row[~positive].sum()):
            assert np.isnan(found)
        else:
            assert found == pytest.approx(roc_auc_score(positive, scores, sample_weight=row), abs=1e-12)


def test_subjects_weigh_all_that_is_theirs_and_parts_of_the_resamples_are_as_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    scores, positive, owner = rng.random(60).round(1), rng.random(60) < 0.4, np.repeat(np.arange(12), 5)
    weights = rng.multinomial(12, np.full(12, 1 / 12), size=9)
    whole = auroc(scores, positive, weights, owner)
    for row, found in zip(weights, whole, strict=True):
        again = np.repeat(np.arange(60), row[owner])  # the cases themselves, as often as they were drawn
        assert found == pytest.approx(roc_auc_score(positive[again], scores[again]), abs=1e-12)
    monkeypatch.setattr(module, "AT_ONCE", 120)
    np.testing.assert_array_equal(auroc(scores, positive, weights, owner), whole)

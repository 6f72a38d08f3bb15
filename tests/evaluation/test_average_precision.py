"""Average precision is scikit-learn's, ties and weights included, and the report has it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from xaimri.evaluation import evaluate
from xaimri.evaluation.average_precision import average_precision


def once(scores, positive, weights=None):
    n = len(scores)
    weights = np.ones((1, n), np.int64) if weights is None else weights
    return average_precision(np.asarray(scores, float), np.asarray(positive, bool), weights, np.arange(n))


@pytest.mark.parametrize(
    ("scores", "right"),
    [
        ([0.1, 0.2, 0.8, 0.9], 1.0),
        ([0.9, 0.8, 0.2, 0.1], (1 / 3 + 2 / 4) / 2),
        ([0.3] * 4, 0.5),
        ([0.1, 0.5, 0.5, 0.9], (1 + 2 / 3) / 2),
    ],
)
def test_closed_forms(scores, right):
    assert once(scores, [0, 0, 1, 1]) == pytest.approx(right)


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
            again = np.repeat(np.arange(len(rows)), row)
            right = average_precision_score(positive[again], scores[again])
            assert found == pytest.approx(right, abs=1e-12)


def test_the_report_has_it_of_every_class_with_enough_people():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 44)
    labels = np.repeat([0, 1, 2], [20, 22, 2])
    people = np.repeat(np.arange(22), 2).tolist()
    report = evaluate(p, labels, people, ("a", "b", "c"))
    for i, figures in enumerate(report.slice.per_class[:2]):
        found = figures.average_precision
        assert found.value == pytest.approx(average_precision_score(labels == i, p[:, i]))
        assert found.low < found.value < found.high
        assert figures.to_dict()["average_precision"]["value"] == found.value
        assert str(found) in str(report)
    assert np.isnan(report.slice.per_class[2].average_precision.value)

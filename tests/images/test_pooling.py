"""How slices become one answer: rules of the user's own are asked as they are, and held to their word."""

import numpy as np
import pytest

from xaimri.errors import InvalidInput
from xaimri.images.pooling import influences, needed, pooled

ROWS = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])


def weighted(rows):
    """A rule of three slices exactly."""
    return np.array([0.5, 0.25, 0.25]) @ rows


def test_a_rule_that_takes_no_fewer_slices_has_an_answer_and_no_influences():
    np.testing.assert_allclose(pooled(weighted, ROWS), [0.65, 0.35])
    assert influences(weighted, ROWS, 0) == [None, None, None]
    assert needed(weighted, ROWS, [0, 1, 2]) is None
    np.testing.assert_allclose(influences("mean", ROWS, 0), [17 / 30 - 0.4, 17 / 30 - 0.55, 17 / 30 - 0.75])
    assert needed("mean", ROWS, [0, 1, 2]) == 1


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (lambda rows: rows[7], "raised IndexError .* 3 slices x 2 classes"),
        (lambda rows: 1 / 0, "raised ZeroDivisionError"),
        (lambda rows: ["a", "b"], "2 probabilities that sum to 1"),
        (lambda rows: [1, [2]], "2 probabilities that sum to 1"),
        (lambda rows: None, "2 probabilities that sum to 1"),
    ],
)
def test_a_rule_that_fails_is_told(rule, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        pooled(rule, ROWS)


def test_a_lack_of_memory_is_no_fault_of_a_rule():
    def full(rows):
        raise MemoryError

    for ask in (lambda: pooled(full, ROWS), lambda: influences(full, ROWS, 0)):
        with pytest.raises(MemoryError):
            ask()


def test_a_rule_that_changes_its_answer_is_refused():
    calls = []

    def alternate(rows):
        calls.append(1)
        return rows[len(calls) % 2]

    chance = np.random.default_rng(0)
    for rule in (alternate, lambda rows: chance.dirichlet([1, 1])):
        with pytest.raises(InvalidInput, match="other probabilities each time"):
            pooled(rule, ROWS)


def test_a_rule_cannot_change_the_slices_themselves():
    def emptied(rows):
        rows[:] = (1, 0)
        return rows[0]

    own = ROWS.copy()
    pooled(emptied, own)
    np.testing.assert_array_equal(own, ROWS)

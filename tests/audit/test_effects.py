"""Whether a loss of order is shown, in simulated studies without one and with one."""

from unittest import mock

import numpy as np
import pytest

from xaimri.audit.effects import Asked
from xaimri.audit.people import People
from xaimri.audit.readings import Readings
from xaimri.evaluation import Bootstrap

ROWS = 14
"""Interventions, twice, for which a bound holds at once: its level is then 0.05 / 2 / 14."""


def bound(seed, resamples, worth_before, worth_after, people=40):
    """Return the bound for a network whose scores are the class and noise, before and after."""
    draw = np.random.default_rng(seed)
    labels = np.arange(people) % 2
    noise = draw.normal(size=people)
    asked_of = People(labels, np.arange(people), 2, Bootstrap(resamples, seed=seed))
    asked = Asked(asked_of, asked_of.weights(), mock.create_autospec(Readings, instance=True))
    said = []
    for worth in (worth_before, worth_after):
        score = worth * labels + noise + 0.7 * draw.normal(size=people)
        said.append(
            asked.predictions(np.stack([0 * score, score], axis=1).astype(np.float32), np.ones(people, bool))
        )
    return asked.disorder(*said, ROWS)[1]


@pytest.mark.slow
def test_a_loss_of_order_that_is_none_is_shown_as_seldom_as_the_bound_says():
    shown = sum(bound(seed, 50, 1.0, 1.0) > 0 for seed in range(400))
    assert shown <= 3  # 0.7 are expected


def test_a_loss_of_order_is_shown_where_there_is_one():
    assert sum(bound(seed, 200, 4.0, 0.0) > 0 for seed in range(20)) == 20


def test_the_bound_hardly_goes_by_how_many_resamples_there_are():
    few, many = bound(3, 100, 2.0, 0.5), bound(3, 5000, 2.0, 0.5)
    assert few == pytest.approx(many, abs=0.03)


def test_orders_that_are_perfect_before_and_not_after_are_shown_to_fall():
    """As where a network of brightness alone is asked about images of equal brightness: none falls back."""
    assert sum(bound(seed, 100, 20.0, 1.0) > 0 for seed in range(10)) >= 8

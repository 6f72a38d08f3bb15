from __future__ import annotations

import json
import math

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    from xaimri.training import Augmentation, Recipe
    from xaimri.training.recipe import class_weights_of

pytestmark = pytest.mark.tensorflow

NAMES = ("a", "b", "c")
LABELS = np.array([0, 0, 0, 0, 1, 1, 0, 0])


def test_balanced_classes_weigh_the_same_and_a_case_one_on_average():
    weights = class_weights_of(LABELS, NAMES, "balanced")
    assert weights == (8 / 12, 8 / 4, 0.0)
    per_case = np.array(weights)[LABELS]
    assert per_case.mean() == pytest.approx(1)
    assert per_case[LABELS == 0].sum() == pytest.approx(per_case[LABELS == 1].sum())


def test_weights_by_name_follow_the_order_of_the_classes():
    assert class_weights_of(LABELS, NAMES, {"c": 3, "a": 1, "b": 2}) == (1.0, 2.0, 3.0)
    assert class_weights_of(LABELS, NAMES, None) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    "weighting", [{"a": 1}, *({"a": 1, "b": odd, "c": 1} for odd in (-1, math.nan, math.inf, None))]
)
def test_weights_that_do_not_fit_are_refused(weighting):
    with pytest.raises(InvalidInput, match="`class_weights` must be"):
        class_weights_of(LABELS, NAMES, weighting)


def test_cosine_falls_from_the_rate_to_nearly_zero_in_each_phase():
    recipe = Recipe(epochs=(3, 10), learning_rate=(1e-2, 1e-3), schedule="cosine")
    for phase, top, length in (("head", 1e-2, 3), ("finetune", 1e-3, 10)):
        rates = [recipe.rate(phase, i) for i in range(length)]
        assert rates[0] == top
        assert rates == sorted(rates, reverse=True)
        assert 0 < rates[-1] < 0.3 * top


def test_a_recipe_is_json():
    record = Recipe(augment=Augmentation(), unfreeze="conv5").record()
    assert json.loads(json.dumps(record)) == record
    assert record["augment"]["rotation"] == 8.0


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"batch": 0}, "batch"),
        ({"patience": 0}, "patience"),
        ({"epochs": (0, 0)}, "epochs"),
        ({"epochs": (-1, 3)}, "epochs"),
        ({"learning_rate": (1e-3, 0.0)}, "learning_rate"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_named(settings, name):
    with pytest.raises(InvalidInput, match=f"`{name}`"):
        Recipe(**settings)

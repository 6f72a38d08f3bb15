"""What erasing the known region does: closed forms of models whose use of the region is set by hand."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from xaimri import (
    FunctionClassifier,
    InvalidInput,
    LinearClassifier,
    Saliency,
    evaluate_explanations,
    metrics,
)
from xaimri.classifier import Classifier
from xaimri.data import Case
from xaimri.explainer import Attribution, Explainer
from xaimri.metric import SLIGHT, MaskEffect, say_effects
from xaimri.metrics import mask_effect

SPACE = (12, 10)
MASK = np.zeros(SPACE, bool)
MASK[3:7, 2:6] = True
IMAGES = np.random.default_rng(0).uniform(1, 2, (6, *SPACE, 1)).astype(np.float32)
CASES = [Case(f"c{n}", 0, f"s{n}", image, mask=MASK) for n, image in enumerate(IMAGES)]


def linear(inside, outside):
    weights = np.zeros((2, *SPACE, 1))
    weights[1] = np.where(MASK, inside, outside)[..., None]
    return LinearClassifier(weights)


@dataclass(frozen=True)
class Bright(Explainer[Classifier]):
    """Maps of what is bright, after one look at the image."""

    name: ClassVar[str] = "bright"

    def attribute(self, model, images, objective, /):
        return Attribution(images[..., 0], model.logits(images))


def counting(where, seen=None):
    """A probability of the bright pixels of a region alone; ``seen`` counts the images asked."""

    def bright(images):
        if seen is not None:
            seen.append(len(images))
        share = (images[..., 0][:, where] > 0.5).mean(axis=1) * 0.8 + 0.1
        return np.stack([1 - share, share], axis=1)

    return FunctionClassifier(bright, classes=("dark", "bright"))


@pytest.mark.parametrize("absent", [0.0, "blur", "mean", "noise", np.ones((*SPACE, 1))])
def test_of_a_linear_model_it_is_the_sum_over_what_is_erased(absent):
    from xaimri.perturb.absent import hidden

    model = linear(0.3, -0.02)
    maps = Saliency().explain(model, IMAGES[:2], 1)
    for own in maps:
        found = mask_effect(own, model, MASK, absent=absent)
        for effect, where in ((float(found), MASK), (found.score - found.alone, ~MASK)):
            gone = hidden(own.image, np.where(where, 0, -1), absent)
            expected = ((own.image - gone) * model.weights[1]).sum()
            assert effect == pytest.approx(expected, abs=1e-4)
        assert found.unit == "logit"
    both = mask_effect(maps, model, MASK * np.uint8(255), absent=absent)
    assert both == tuple(mask_effect(own, model, MASK, absent=absent) for own in maps)


def test_where_only_the_region_counts_its_share_is_1_and_where_it_does_not_0():
    for model, share in (
        (linear(1, 0), 1),
        (linear(0, 1), 0),
        (counting(MASK), 1),
        (counting(~MASK), 0),
        (linear(1, MASK.sum() / (~MASK).sum() / 3), 0.75),
    ):
        (own,) = even(model, of="logit")
        found = mask_effect(own, model, MASK, absent=0.0)
        assert found.share == pytest.approx(share, abs=1e-6)
        assert found.slight == (share == 0)
    # bright pixels from all to none: the probability falls from 0.9 to 0.1, followed in log-odds
    (own,) = even(counting(MASK))
    assert float(mask_effect(own, counting(MASK), MASK, absent=0.0, of="probability")) == pytest.approx(0.8)
    assert float(mask_effect(own, counting(MASK), MASK, absent=0.0)) == pytest.approx(2 * np.log(9), rel=1e-4)
    assert mask_effect(own, counting(MASK), MASK, absent=0.0).unit == "log-odds"


def even(model, of="probability"):
    """The map of an even image."""
    return Bright().explain(model, np.ones((1, *SPACE, 1), np.float32), 1, of=of)


def test_one_class_against_another_is_followed_as_the_difference():
    model = LinearClassifier(np.random.default_rng(1).normal(size=(3, *SPACE, 1)))
    (own,) = Saliency().explain(model, IMAGES[:1], 2, against=0)
    found = mask_effect(own, model, MASK, absent=0.0)
    difference = (model.weights[2] - model.weights[0])[MASK] * IMAGES[0][MASK]
    assert float(found) == pytest.approx(difference.sum(), abs=1e-4)
    assert found.unit == "logit difference"


@pytest.mark.parametrize("absent", ["mean", "blur", 1.0])
def test_what_erasing_leaves_as_it_is_is_told_rather_than_0(absent):
    image, model = IMAGES[:1].copy(), linear(1, 1)
    image[:, MASK] = 1.0
    if absent == "blur":
        image[:] = 1.0
    (own,) = Saliency().explain(model, image, 1)
    with pytest.raises(InvalidInput, match=f"erasing the mask leaves its pixels .* than {absent!r}, such as"):
        mask_effect(own, model, MASK, absent=absent)


def test_a_share_is_none_of_rounding():
    assert MaskEffect(1e6, 1e6 - 0.1, 1e6).share == 0
    assert MaskEffect(0.0, 0.0, 0.0).slight
    assert not MaskEffect(1.0, 0.0, 1.0).slight
    assert MaskEffect(1.0, 1 - SLIGHT * 0.9, SLIGHT).slight
    assert say_effects([]) == []


def test_it_stands_beside_localisation_and_says_where_the_model_hardly_uses_the_region():
    methods = ["saliency", "input_x_gradient"]
    for model, slight in ((linear(0.3, 0), 0), (linear(0.001, 0.1), 6)):
        found = evaluate_explanations(methods, model, CASES, ["relevance_mass"])
        assert len(found.rows) == 12
        assert list(found.mask_effects) == [case.id for case in CASES]
        assert sum(effect.slight for effect in found.mask_effects.values()) == slight
        text = str(found)
        assert "Erasing the mask lowers the score (logit) by" in text
        assert (f"In {slight} of 6 cases it does next to nothing" in text) == bool(slight)
        assert ("localisation says nothing of the method" in text) == bool(slight)
        kept = found.to_dict()["mask_effects"]["c0"]
        assert kept["slight"] == bool(slight)
        assert kept["erased"] == pytest.approx(found.mask_effects["c0"].erased)
    assert evaluate_explanations(methods, model, CASES, ["sparseness"]).mask_effects == {}


def test_as_a_column_it_is_the_same_for_every_method_and_costs_3_calls_a_case():
    seen, totals = [], set()
    model, asked = counting(MASK, seen), partial(metrics.mask_effect, absent=0.0)
    evaluate_explanations(
        {"a": Bright()}, model, CASES, ["iou"]
    )  # what is asked once of a model is known then
    for more in ([], [asked], [asked, "iou"]):
        calls = {}
        for methods in (["eigen"], ["eigen", "other"]):
            seen.clear()
            one = {name: Bright() for name in methods}
            found = evaluate_explanations(one, model, CASES, more or ["iou"])
            calls[len(methods)] = sum(seen)
            if more:
                own = [found.values(name, "mask_effect") for name in methods]
                assert np.array_equal(own[0], own[-1])
                assert own[0] == pytest.approx([np.log(9)] * 6, rel=1e-4)
        totals.add(calls[1])
        assert calls[2] - calls[1] <= 6 + 1  # the second method's own look at every case, no more
    assert len(totals) == 1  # a column or beside the table: measured once
    without = [Case("bare", 0, "bare", IMAGES[0]), *CASES]
    found = evaluate_explanations({"a": Bright()}, model, without, [asked])
    assert "bare" not in found.mask_effects
    assert found.mean("a", "mask_effect").failures == 1

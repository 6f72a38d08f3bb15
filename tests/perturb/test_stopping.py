"""When sampling stops: closed forms of what is settled, the looks, and the record."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from xaimri import LIME, RISE, SHAP, Auto, FunctionClassifier, LinearClassifier
from xaimri.errors import InvalidInput
from xaimri.explainers import from_record
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.stopping import accepts, checkpoints, fewest, shortfall


def estimate(values, errors):
    """Values whose errors are independent."""
    return Sampled(np.array(values, float), np.diag(np.array(errors, float)))


def limit(pairs, confidence=0.95):
    """How many standard errors apart two values must be, over so many one-sided comparisons."""
    return norm.ppf(1 - (1 - confidence) / (2 * pairs))


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("sign", [(1, 1, 1), (-1, 1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("top", [1, 2, 3, 9])
def test_the_order_is_settled_once_the_strongest_are_apart(top, sign, order):
    """Two values differ by their distance, with an error of the root of the squares; signs don't matter."""
    values, errors = np.array([8.0, 5.0, 1.0]) * sign, np.array([1.0, 2.0, 3.0])
    pairs = {1: 2, 2: 3, 3: 3, 9: 3}[top]  # the top one against two; the second against one more
    apart = [(8 - 5) / np.hypot(1, 2), (8 - 1) / np.hypot(1, 3), (5 - 1) / np.hypot(2, 3)]
    edge = min(apart[:pairs]) / limit(pairs)
    rule, taken = Auto(top=top, tolerance=1e-9), list(order)
    assert rule.accepts(estimate(values[taken], 0.999 * edge * errors[taken]))
    assert not rule.accepts(estimate(values[taken], 1.001 * edge * errors[taken]))


def test_regions_below_the_top_need_no_order_among_themselves():
    values, errors = [9.0, 1.0, 0.99, 0.98], [0.1] * 4
    assert Auto(top=1, tolerance=1e-9).accepts(estimate(values, errors))
    assert not Auto(top=2, tolerance=1e-9).accepts(estimate(values, errors))


def test_but_none_of_them_may_be_stronger_than_the_top():
    values = [9.0, 8.0, 1.0, -0.9]
    assert Auto(top=1, tolerance=1e-9).accepts(estimate(values, [0.1] * 4))
    assert not Auto(top=1, tolerance=1e-9).accepts(estimate(values, [0.1, 0.1, 0.1, 9.0]))


def test_the_order_of_the_regions_does_not_matter():
    generator, answers = np.random.default_rng(0), []
    for _ in range(60):
        values, errors = generator.normal(size=6), generator.random(6) * 0.1
        order = generator.permutation(6)
        a, b = estimate(values, errors), estimate(values[order], errors[order])
        for rule in (Auto(top=2), Auto(top=4), Auto(by="error")):
            assert rule.accepts(a) == rule.accepts(b)
            answers.append(rule.accepts(a))
    assert 0.2 < np.mean(answers) < 0.8


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_errors_that_go_together_leave_the_order_alone(signs):
    """A difference has no error where both strengths move alike, and twice as much where they move apart."""
    values = np.array([2.0, 1.0]) * signs
    alike = np.array([[5.0, 5.0]]) * signs
    apart = np.array([[5.0, -5.0]]) * signs
    rule = Auto(top=1, tolerance=1e-9)
    assert rule.accepts(Sampled(values, alike))
    assert not rule.accepts(Sampled(values, apart))
    half = 1 / (2 * limit(1))
    assert rule.accepts(Sampled(values, apart * 0.999 * half / 5))
    assert not rule.accepts(Sampled(values, apart * 1.001 * half / 5))


def test_ties_are_settled_once_they_are_known_to_be_ties():
    """Equal values never come apart, and need not: their difference is below a tenth of the strongest."""
    values = [10.0, 10.0]
    edge = 0.1 * 10 / (limit(1) * np.sqrt(2))
    assert Auto().accepts(estimate(values, [0.999 * edge] * 2))
    assert not Auto().accepts(estimate(values, [1.001 * edge] * 2))
    near = [10.0, 9.5]  # half the room is taken by the difference itself
    assert Auto().accepts(estimate(near, [0.499 * edge] * 2))
    assert Auto(tolerance=0.2).accepts(estimate(near, [1.499 * edge] * 2))
    far = [10.0, 8.0]  # no tie, so that it must be apart: 2 units, two edges
    assert Auto().accepts(estimate(far, [1.999 * edge] * 2))
    assert not Auto().accepts(estimate(far, [2.001 * edge] * 2))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99])
def test_the_error_is_that_of_all_values_together(confidence):
    values, errors = [3.0, 4.0, 0.0], np.array([2.0, 2.0, 1.0]) / 3  # norms 5 and 1
    edge = 0.2 * 5 / norm.ppf((1 + confidence) / 2)
    rule = Auto(by="error", tolerance=0.2, confidence=confidence)
    assert rule.accepts(estimate(values, 0.999 * edge * errors))
    assert not rule.accepts(estimate(values, 1.001 * edge * errors))
    assert rule.accepts_errors(np.reshape([3.0, 4.0], (2, 1)), np.full((2, 1), 0.999 * edge / np.sqrt(2)))


def test_one_region_alone_must_be_told_from_zero():
    assert Auto().accepts(estimate([-1.97], [1.0]))
    assert not Auto().accepts(estimate([-1.95], [1.0]))


@pytest.mark.parametrize("by", ["order", "error"])
def test_no_region_is_settled_and_an_unknown_error_never(by):
    assert Auto(by=by).accepts(Sampled(np.zeros(0), np.zeros((1, 0))))
    unknown = Sampled(np.array([3.0, 1.0]), np.array([[0.01, np.nan]]))
    assert not Auto(by=by).accepts(unknown)


@pytest.mark.parametrize("by", ["order", "error"])
def test_without_error_all_is_settled(by):
    assert Auto(by=by).accepts(Sampled(np.array([3.0, 3.0, 0.0]), np.zeros((1, 3))))
    assert Auto(by=by).accepts(Sampled(np.zeros(3), np.zeros((1, 3))))


@pytest.mark.slow
def test_the_statement_holds_as_often_as_it_says():
    """Draw estimates around a truth; where the rule is content, the strongest is right at least so often."""
    truth, error = np.array([1.0, 0.8, -0.6, 0.1]), 0.12
    generator = np.random.default_rng(1)
    rule = Auto(top=2, tolerance=1e-6, confidence=0.8)
    wrong = 0
    for _ in range(3000):
        found = estimate(truth + error * generator.normal(size=4), [error] * 4)
        order = np.argsort(-np.abs(found.values))[:2]
        wrong += rule.accepts(found) and not np.array_equal(order, [0, 1])
    assert wrong / 3000 <= 0.2


@settings(max_examples=80, deadline=None)
@given(st.integers(20, 3000), st.integers(0, 20_000))
def test_looks_grow_from_floor_to_ceiling(floor, more):
    found = list(Auto(floor=floor, ceiling=floor + more).checkpoints())
    assert found[0] == floor
    assert found[-1] == floor + more
    steps = np.diff(found)
    assert (steps > 0).all()
    assert all(b <= 1.4 * a + 1.21 for a, b in pairwise(found))  # both are rounded
    assert all(b >= 1.4 * a - 1.21 for a, b in pairwise(found[:-1]))


def test_a_plain_number_is_one_look_and_always_enough():
    lost = estimate([1.0, 1.0], [9.0, 9.0])
    assert list(checkpoints(70)) == [70]
    assert fewest(70) == 70
    assert fewest(Auto(floor=40)) == 40
    assert accepts(70, lost)
    assert shortfall(70, lost) == []
    assert not accepts(Auto(), lost)


def test_what_is_not_settled_is_named():
    lost = estimate([1.0, 1.0], [9.0, 9.0])
    (caveat,) = shortfall(Auto(top=4, ceiling=777), lost)
    assert caveat.name == "not_converged"
    assert "After 777 samples the order of the 4 strongest regions is not settled" in caveat.text
    (caveat,) = shortfall(Auto(by="error"), lost)
    assert "the relative error is not settled" in caveat.text
    assert shortfall(Auto(), estimate([1.0, 0.1], [0.01, 0.01])) == []


@pytest.mark.parametrize(
    "explainer",
    [
        LIME(samples=Auto(top=2)),
        LIME(samples="auto"),
        SHAP(samples=Auto(by="error", tolerance=0.05, ceiling=999)),
        RISE(samples=Auto(by="error", floor=50)),
        RISE(samples="auto"),
    ],
    ids=lambda e: f"{e.name}, {e.samples.by}",
)
def test_a_rule_survives_the_record_of_its_explainer(explainer):
    record = json.loads(json.dumps(explainer.record()))
    assert from_record(record) == explainer
    assert hash(from_record(record)) == hash(explainer)
    assert record["settings"]["samples"]["name"] == "auto"


def test_auto_by_name_is_the_rule_as_it_stands():
    assert LIME(samples="auto").samples == Auto()
    assert SHAP(samples="auto").samples == Auto()
    assert Auto(top=np.int64(2).item(), tolerance=1) == Auto(top=2, tolerance=1.0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"floor": 19}, "`floor` must be a whole number of at least 20"),
        ({"ceiling": 19}, "`ceiling` must be a whole number of at least 20"),
        ({"floor": 500, "ceiling": 400}, "`ceiling` must be at least `floor`, got 400 and 500"),
        ({"ceiling": 299}, "`ceiling` must be at least `floor`, got 299 and 300"),
        ({"top": 0}, "`top` must be a whole number of at least 1"),
        ({"tolerance": 0.0}, "`tolerance` must be a number above 0"),
        ({"tolerance": float("nan")}, "`tolerance`"),
        ({"confidence": 1.0}, "`confidence` must be a number above 0 and below 1, got 1.0"),
        ({"confidence": 0.0}, "`confidence`"),
        ({"by": "rank"}, "by"),
        ({"top": True}, "top"),
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_one_sentence(given, sentence):
    with pytest.raises((InvalidInput, TypeError), match=sentence):
        Auto(**given)


def test_other_words_than_auto_are_refused():
    with pytest.raises((InvalidInput, TypeError), match="samples"):
        LIME(samples="many")


# Through a method.

LABELS = np.arange(70).reshape(7, 10) // 7
IMAGE = np.ones((1, 7, 10, 1), np.float32)


def apart(weights):
    """A linear score to which each of ten regions adds its weight."""
    kernel = np.array(weights, float)[LABELS][..., None] / 7
    return LinearClassifier(np.stack([0 * kernel, kernel]))


def noisy(batch):
    """A score that says nothing: a hash of the image."""
    flat = batch.reshape(len(batch), -1).astype(np.float64)
    p = 0.5 + 0.4 * np.sin(1e4 * flat @ np.sin(np.arange(flat.shape[1]) ** 2))
    return np.stack([1 - p, p], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("method", [LIME, SHAP])
def test_a_clear_order_stops_early_with_the_values_of_that_many_samples(method):
    options = {"regions": LABELS, "absent": 0.0} | ({"exact": 0} if method is SHAP else {})
    rule = Auto(top=2, floor=40, ceiling=900)
    model = apart([5, 3, 0.5, *[0.1] * 7])
    (found,) = method(samples=rule, **options).explain(model, IMAGE, 1, of="logit")
    assert found.diagnostics["samples"] in list(rule.checkpoints())[:-1]
    assert found.diagnostics["model_calls"] <= found.diagnostics["samples"] + 2
    assert "not_converged" not in {c.name for c in found.caveats}
    assert found.regions.strongest(2) == (0, 1)
    (fixed,) = method(samples=found.diagnostics["samples"], **options).explain(model, IMAGE, 1, of="logit")
    np.testing.assert_allclose(found.regions.values, fixed.regions.values, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["order", "error"])
@pytest.mark.parametrize("method", [LIME, SHAP])
def test_an_order_that_never_settles_ends_at_the_ceiling_and_says_so(method, by):
    options = {"regions": LABELS, "absent": 0.0} | ({"exact": 0} if method is SHAP else {})
    model = FunctionClassifier(noisy, classes=("a", "b"))
    rule = Auto(by=by, tolerance=0.01, floor=40, ceiling=90)
    (found,) = method(samples=rule, **options).explain(model, IMAGE, "b")
    assert found.diagnostics["samples"] == 90
    assert found.diagnostics["model_calls"] <= 92
    assert "not_converged" in {c.name for c in found.caveats}
    (fixed,) = method(samples=90, **options).explain(model, IMAGE, "b")
    assert "not_converged" not in {c.name for c in fixed.caveats}
    np.testing.assert_allclose(found.regions.values, fixed.regions.values, atol=1e-9)


def test_shap_that_is_exact_is_settled_whatever_the_rule():
    labels = np.minimum(LABELS, 3)
    rule = Auto(top=1, tolerance=1e-9, floor=20, ceiling=20)
    (found,) = SHAP(samples=rule, regions=labels, absent=0.0).explain(apart([1] * 10), IMAGE, 1)
    assert found.diagnostics["exact"]
    assert "not_converged" not in {c.name for c in found.caveats}


@pytest.mark.parametrize(
    "record",
    [
        {"floor": 20},
        {"name": "auto"},
        {"name": "lime", "settings": {}},
        {"name": "auto", "settings": {"x": 1}},
    ],
)
def test_a_mapping_that_is_no_record_is_refused(record):
    with pytest.raises(InvalidInput, match="`samples` is no record of an Auto"):
        LIME(samples=record)

"""Net benefit is that of the package dcurves and of its formula; intervals are over subjects."""

import json

import numpy as np
import pytest

from xaimri.errors import InvalidInput
from xaimri.evaluation import decision_curve

P = [0.05, 0.1, 0.2, 0.3, 0.15, 0.4, 0.5, 0.35, 0.6, 0.7, 0.8, 0.9, 0.25, 0.45, 0.55, 0.65]
TRUTH = [0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1]


def two(p):
    return np.stack([1 - np.asarray(p), np.asarray(p)], axis=1)


def test_net_benefit_is_that_of_dcurves():
    """As dcurves 1.1.7 gives them (its dependencies weigh more than this test):

    dcurves.dca(data=pandas.DataFrame({"y": TRUTH, "p": P}), outcome="y", modelnames=["p"],
                thresholds=[0.1, 0.3, 0.4, 0.55, 0.8])
    """
    curve = decision_curve(two(P), TRUTH, 1, range(16), thresholds=[0.1, 0.3, 0.4, 0.55, 0.8])
    model = [0.381944, 0.241071, 0.250000, 0.097222, 0.125000]
    everybody = [0.375, 0.196429, 0.0625, -0.25, -1.8125]
    assert [one.value for one in curve.model] == pytest.approx(model, abs=1e-6)
    assert curve.everybody == pytest.approx(everybody, abs=1e-6)
    gain = np.array(model) - np.maximum(everybody, 0)
    assert [one.value for one in curve.gain] == pytest.approx(gain, abs=1e-6)
    json.dumps(curve.to_dict(), allow_nan=False)


def test_another_prevalence_weighs_both_sides_anew():
    """Of 3 % ill, found by 0.75 and alarmed by 0.25 at one half."""
    p = [0.9] * 6 + [0.1] * 2 + [0.9] * 2 + [0.1] * 6
    curve = decision_curve(two(p), [1] * 8 + [0] * 8, 1, range(16), thresholds=[0.5, 0.2], prevalence=0.03)
    assert curve.model[0].value == pytest.approx(0.03 * 0.75 - 0.97 * 0.25)
    assert curve.model[1].value == pytest.approx(0.03 * 0.75 - 0.97 * 0.25 / 4)
    assert curve.everybody[1] == pytest.approx(0.03 - 0.97 / 4)
    assert curve.gain[0].value == pytest.approx(0.03 * 0.75 - 0.97 * 0.25)  # below nobody


def test_a_perfect_classifier_is_worth_its_prevalence_and_copies_are_no_people():
    labels = np.arange(24) % 2
    curve = decision_curve(two(labels), labels, 1, range(24))
    assert {one.value for one in curve.model} == {0.5}
    assert str(curve).startswith("acting on `class_1`, 50 % of the images: ")
    assert curve.useful == ()
    assert curve.note is not None
    assert curve.note.startswith("at 99 thresholds the gain lies above 0 and has no interval: ")
    assert curve.to_dict()["note"] == curve.note
    assert str(curve).endswith(f"at 0 of 99 thresholds ({curve.note})")
    rng = np.random.default_rng(0)
    p = np.clip(labels * 0.3 + rng.random(24) * 0.7, 0, 1)
    once = decision_curve(two(p), labels, 1, range(24), thresholds=[0.4])
    often = decision_curve(
        two(np.repeat(p, 9)), np.repeat(labels, 9), 1, np.repeat(np.arange(24), 9).tolist(), thresholds=[0.4]
    )
    assert (often.model[0].low, often.model[0].high) == pytest.approx((once.model[0].low, once.model[0].high))
    assert once.model[0].low < once.model[0].value < once.model[0].high
    assert (once.useful == (0.4,)) == (once.gain[0].low > 0)
    right = np.where(np.arange(80) % 10 < 2, 1 - np.arange(80) // 40, np.arange(80) // 40)  # 4 of 5
    better = decision_curve(two(0.1 + 0.8 * right), np.arange(80) // 40, 1, range(80), thresholds=[0.05, 0.5])
    assert better.useful == (0.5,)
    assert str(better).endswith("at 1 of 2 thresholds, which lie in 0.5 to 0.5")


def test_few_people_have_no_interval():
    curve = decision_curve(two(P[:8]), [0] * 6 + [1] * 2, 1, range(8), thresholds=[0.3])
    assert curve.model[0].bare
    assert curve.note == "no intervals: 2 subjects on one side"
    assert str(curve).endswith("at 0 of 1 thresholds (no intervals: 2 subjects on one side)")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"thresholds": [0.0, 0.5]}, "above 0 and below 1"),
        ({"thresholds": [1.0]}, "above 0 and below 1"),
        ({"thresholds": []}, "above 0 and below 1"),
        ({"prevalence": 1.0}, "prevalence"),
        ({"truth": [0] * 16}, "needs cases of"),
        ({"positive": 2}, "must be one of"),
    ],
)
def test_what_does_not_fit_is_told(changed, told):
    given = {"probabilities": two(P), "truth": TRUTH, "positive": 1, "subjects": range(16)}
    with pytest.raises(InvalidInput, match=told):
        decision_curve(**{**given, **changed})

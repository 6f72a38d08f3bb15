"""The difference of independent figures has Newcombe's interval; what is not comparable is not compared."""

import json
import math

import numpy as np
import pytest

from xaimri.errors import InvalidInput
from xaimri.evaluation import evaluate, side_by_side
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.populations import minus


def test_the_difference_of_two_shares_has_newcombes_interval():
    """56 of 70 and 48 of 80: 0.0524 to 0.3339, his example (Statistics in Medicine 17, 1998, method 10)."""
    from scipy.stats import binomtest

    shares = []
    for right, of in ((56, 70), (48, 80)):
        wilson = binomtest(right, of).proportion_ci(0.95, "wilson")
        shares.append(Estimate(right / of, wilson.low, wilson.high))
    found = minus(*shares)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def two(right, people, classes=("well", "ill"), labels=None):
    labels = np.arange(people) % 2 if labels is None else np.asarray(labels)
    said = np.where(np.arange(people) < right, labels, (labels + 1) % len(classes))
    return evaluate(np.eye(len(classes))[said] * 0.6 + 0.4 / len(classes), labels, range(people), classes)


def test_reports_stand_side_by_side_with_their_classes_matched_by_name():
    inside, outside = two(36, 40), two(20, 30, ("ill", "well"))
    found = side_by_side({"inside": inside, "outside": outside})
    other = found.populations[1]
    assert other.figures["recall of ill"] == outside.subject.per_class[0].recall
    apart = other.differences["recall of ill"]
    assert apart.value == pytest.approx(
        outside.subject.per_class[0].recall.value - inside.subject.per_class[1].recall.value
    )
    accuracy = other.differences["accuracy"]
    assert accuracy.value == pytest.approx(20 / 30 - 36 / 40)
    assert accuracy.low < accuracy.value < accuracy.high < 0
    assert found.notes == ()
    json.dumps(found.to_dict(), allow_nan=False)
    assert "inside (40)" in str(found)
    assert "By subject, with intervals over subjects." in str(found)
    assert str(accuracy) in str(found)


def test_means_over_other_classes_are_not_compared():
    inside = two(30, 36, ("a", "b", "c"), np.arange(36) % 3)
    outside = two(20, 24, ("a", "b", "c"), np.arange(24) % 2)
    found = side_by_side({"inside": inside, "outside": outside})
    assert math.isnan(found.populations[1].differences["balanced accuracy"].value)
    assert not math.isnan(found.populations[1].differences["recall of a"].value)
    assert "recall of c" not in found.populations[1].differences
    assert found.notes == (
        "`outside` has cases of `a`, `b`, and `inside` of `a`, `b`, `c`: only recalls are compared.",
    )


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        ({"inside": two(9, 12)}, "at least two"),
        ({"inside": two(9, 12), "outside": two(9, 12, ("x", "y"))}, "no class in common"),
        (
            {
                "inside": two(9, 12),
                "outside": evaluate(np.eye(2), [0, 1], range(2), ("well", "ill"), confidence=0.9),
            },
            "one `confidence=`",
        ),
    ],
)
def test_what_does_not_fit_is_told(reports, told):
    with pytest.raises(InvalidInput, match=told):
        side_by_side(reports)

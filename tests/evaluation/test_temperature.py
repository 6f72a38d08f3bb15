"""Temperature scaling: the known temperature comes back within its error, and what can't be told is said."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from xaimri.errors import InvalidInput
from xaimri.evaluation import temperature_scaling
from xaimri.objective import softmax
from xaimri.temperature import TemperatureScaling


def study(subjects, classes=3, slices=6, seed=0, true=3.0):
    """Logits that are right once they are divided; the slices of a subject are alike, so they tell little."""
    draw = np.random.default_rng(seed)
    own = draw.normal(0, 1.5, (subjects, classes))
    label = np.array([draw.choice(classes, p=row) for row in softmax(own)])
    who = np.repeat(np.arange(subjects), slices)
    return true * own[who], label[who], who.tolist()


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_logits_that_were_multiplied_by_3_have_the_temperature_3_within_its_error(classes):
    logits, labels, who = study(400, classes)
    found = temperature_scaling(logits, labels, who)
    assert abs(found.temperature - 3) < 2 * found.error
    assert 0 < found.error < 0.5
    assert found.low < 3 < found.high
    assert found.loss_after < found.loss_before
    assert (found.cases, found.subjects) == (2400, 400)
    loss = minimize_scalar(
        lambda t: -np.log(softmax(logits / t)[np.arange(2400), labels]).mean(), (1, 3), tol=1e-10
    )
    assert found.temperature == pytest.approx(loss.x, rel=1e-5)
    assert found.loss_after == pytest.approx(loss.fun)


def test_the_error_is_over_subjects_and_the_slices_of_one_are_one():
    logits, labels, who = study(60)
    once = temperature_scaling(logits[::6], labels[::6], who[::6])
    assert temperature_scaling(logits, labels, who).error == pytest.approx(once.error)
    alone = temperature_scaling(logits, labels, independent=True)
    assert alone.error == pytest.approx(once.error / math.sqrt(6), rel=0.01)


def test_the_error_is_that_of_leaving_each_subject_out():
    logits, labels, who = study(80, slices=1)
    found = temperature_scaling(logits, labels, who)
    left = [
        math.log(temperature_scaling(*(np.delete(each, k, 0) for each in (logits, labels, who))).temperature)
        for k in range(80)
    ]
    jackknife = math.sqrt(79 / 80 * np.square(np.array(left) - np.mean(left)).sum())
    assert found.error / found.temperature == pytest.approx(jackknife, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "least"), [(10, 0.85), (30, 0.92), (100, 0.92)])
def test_the_interval_holds_the_truth(subjects, least):
    held = []
    for seed in range(150):
        try:
            found = temperature_scaling(*study(subjects, seed=seed))
        except InvalidInput:
            continue
        held.append(found.low <= 3 <= found.high)
    assert len(held) > 140
    assert least <= np.mean(held) <= 0.99


def test_a_constant_of_an_image_changes_nothing_and_logits_that_look_like_probabilities_are_logits():
    logits, labels, who = study(50, 2)
    found = temperature_scaling(logits, labels, who)
    moved = logits + np.arange(len(logits))[:, None]
    assert temperature_scaling(moved, labels, who).temperature == pytest.approx(found.temperature)
    squeezed = softmax(logits / 5)  # from 0 to 1, and 1 in all
    direct = temperature_scaling(squeezed - 7, labels, who).temperature
    assert temperature_scaling(squeezed, labels, who).temperature == pytest.approx(direct)


def test_a_class_without_cases_is_said_and_leaves_the_others_their_temperature():
    logits, labels, who = study(300)
    there = labels != 2
    some = [person for person, keep in zip(who, there, strict=True) if keep]
    found = temperature_scaling(logits[there], labels[there], some, ["a", "b", "c"])
    loss = minimize_scalar(
        lambda t: -np.log(softmax(logits[there] / t)[np.arange(there.sum()), labels[there]]).mean(), (1, 9)
    )
    assert found.temperature == pytest.approx(loss.x, rel=1e-4)
    assert any(remark.startswith("No case is of c:") for remark in found.remarks)


def test_few_subjects_and_an_interval_that_holds_1_are_said():
    found = temperature_scaling(*study(12, seed=1))
    assert any("from 12 subjects, which are few" in remark for remark in found.remarks)
    calm = temperature_scaling(*study(60, true=1.0))
    assert any(remark.startswith("Its interval holds 1") for remark in calm.remarks)
    assert temperature_scaling(*study(400)).remarks == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda z, y, w: (10 * np.eye(3)[y], y, w), "are predicted right"),
        (lambda z, y, w: (-z, y, w), "no more of their classes than chance"),
        (lambda z, y, w: (0 * z, y, w), "no more of their classes than chance"),
        (lambda z, y, w: (z * 1e6, y, w), "runs to its bound"),
        (lambda z, y, w: (z * 1e-6, y, w), "runs to its bound"),
        (lambda z, y, w: (z, 0 * y, w), "all 240 cases are of one class"),
        (lambda z, y, w: (z, y, [0] * len(y)), "at least two subjects"),
        (lambda z, y, w: (np.where(z > 8, np.nan, z), y, w), "finite"),
        (lambda z, y, w: (z[:, :2], y, w), "class indices"),
        (lambda z, y, w: (z, y, [None, *w[1:]]), "no subject"),
    ],
)
def test_what_has_no_temperature_is_refused(change, words):
    with pytest.raises(InvalidInput, match=words):
        temperature_scaling(*change(*study(40)))


def test_its_record_comes_back():
    found = temperature_scaling(*study(40))
    assert TemperatureScaling.from_record(found.record()) == found
    assert "over 40 subjects" in str(found)
    for wrong in ({}, {**found.record(), "temperature": 0.0}, {**found.record(), "more": 1}):
        with pytest.raises(InvalidInput, match="calibrate again"):
            TemperatureScaling.from_record(wrong)

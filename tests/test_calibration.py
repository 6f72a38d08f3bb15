"""A model that is as sure as it is right: its temperature, its maps, and who must not set it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from xaimri import FunctionClassifier, InvalidInput, LinearClassifier, MissingCapability, Model, open_model
from xaimri.calibration import set_on
from xaimri.data import Case, Dataset
from xaimri.objective import Objective, softmax
from xaimri.testing import check_classifier

SHAPE = (4, 6, 1)
RIGHT = LinearClassifier.random(SHAPE, classes=3, seed=1, patch=2)
SURE = LinearClassifier(9 * RIGHT.weights, 3 * RIGHT.bias, 2)
"""Three times as sure as `RIGHT` is on images that are three times as large."""


def cases(count=300, seed=0, name="S"):
    """Images whose labels come true as often as `RIGHT` says of them thrice as bright."""
    draw = np.random.default_rng(seed)
    images = draw.normal(0, 1.5, (count, *SHAPE)).astype(np.float32)
    p = softmax(RIGHT.logits(3 * images))
    made = [
        Case(f"{name}{i}/1", int(draw.choice(3, p=p[i])), f"{name}{i}", images[i, ..., 0])
        for i in range(count)
    ]
    return Dataset(RIGHT.classes, tuple(made))


CASES = cases()
IMAGES = np.stack([np.asarray(case.source)[..., None] for case in CASES.take(range(6))])


def stated(images):
    return softmax(SURE.logits(images))


@pytest.fixture(scope="module", params=["linear", "function"])
def pair(request):
    """A model that is three times too sure, and the same calibrated."""
    given = SURE if request.param == "linear" else FunctionClassifier(stated, input_shape=SHAPE)
    model = open_model(given)
    return model, model.calibrated(CASES)


def test_three_times_too_sure_has_the_temperature_3(pair):
    model, made = pair
    assert model.temperature == 1
    assert abs(made.temperature - 3) < 2 * made.scaling.error
    assert (made.scaling.by, made.scaling.keys) == ("subject", tuple(sorted(c.subject for c in CASES)))
    assert f"temperature {made.temperature:.3g}" in repr(made)
    assert "temperature" in made._repr_html_()


def test_probabilities_are_those_of_the_divided_logits_and_no_prediction_changes(pair):
    model, made = pair
    images = [np.asarray(case.source) for case in cases(200, seed=5)]
    before, after = model.predict(images), made.predict(images)
    power = before.astype(float) ** (1 / made.temperature)
    np.testing.assert_allclose(after, power / power.sum(axis=1, keepdims=True), atol=2e-5)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_calibrating_again_changes_nothing(pair):
    _, made = pair
    again = made.calibrated(CASES)
    assert again.temperature == pytest.approx(made.temperature, rel=1e-4)
    assert again.scaling.error == pytest.approx(made.scaling.error, rel=1e-3)
    kept = pickle.loads(pickle.dumps(open_model(SURE).calibrated(CASES)))
    assert kept.scaling.keys == made.scaling.keys


def test_maps_of_a_logit_are_divided_and_those_of_log_odds_and_probability_are_of_the_new_logits():
    model = open_model(SURE)
    made = model.calibrated(CASES)
    t, image = made.temperature, np.asarray(CASES[0].source)
    for method in ("input_x_gradient", "gradcam", "hirescam"):
        old, new = (each.explain(image, method, target=1).values for each in (model, made))
        np.testing.assert_allclose(new * t, old, rtol=1e-4, atol=1e-6)
    divided = LinearClassifier(SURE.weights / t, SURE.bias / t, 2)
    for of in ("log_odds", "probability"):
        new = made.explain(image, "saliency", target=1, of=of)
        truth = open_model(divided).explain(image, "saliency", target=1, of=of)
        np.testing.assert_allclose(new.values, truth.values, rtol=1e-4)
    np.testing.assert_allclose(new.probabilities, softmax(divided.logits(IMAGES[:1]))[0], rtol=1e-4)


def test_a_tempered_classifier_keeps_the_contract():
    check_classifier(SURE.tempered(2.5), IMAGES[:3])
    tempered = FunctionClassifier(stated).tempered(2.0)
    check_classifier(tempered, IMAGES[:3])
    doubts = tempered.doubts(IMAGES[:1], softmax(np.array([[16.0, 0, 0]]) / 2))
    assert [caveat.name for caveat in doubts[0]] == ["saturated"], "it is the network's own that is rounded"


def test_whoever_was_trained_on_or_is_to_be_tested_on_does_not_set_it():
    split = {"by": "subject", "train": ["S7", "S8"], "validation": ["S9"], "test": ["S3"]}
    of_split = replace(open_model(SURE), split=split, origin={"maker": "phantom", "seed": 0})
    with pytest.raises(InvalidInput, match=r"2 of 300 cases .* trained on: S7, S8. Give cases of validation"):
        of_split.calibrated(CASES)
    tested = CASES.take([i for i in range(300) if i not in (7, 8)])
    with pytest.raises(InvalidInput, match=r"1 of 298 cases .* to be tested on: S3"):
        of_split.calibrated(tested)
    free = CASES.take([i for i in range(300) if i not in (3, 7, 8)])
    assert of_split.calibrated(free).scaling.remarks == ()
    elsewhere = Dataset(CASES.classes, CASES.cases, origin={"maker": "phantom", "seed": 1})
    assert of_split.calibrated(elsewhere).scaling.remarks == ()
    otherwise = Dataset(CASES.classes, CASES.cases, origin={"maker": "folder", "subject": "(?P<subject>S.+)"})
    trained, tested = of_split.calibrated(otherwise).scaling.remarks
    assert trained.startswith("2 of 300 cases, read in another way than those, are named as subjects that")
    assert trained.endswith("trained on: S7, S8. Are they the same, the temperature is of no use.")
    assert "to be tested on: S3." in tested
    nobody = free.take(range(297))
    unknown = Dataset(free.classes, tuple(replace(case, subject=None) for case in nobody))
    with pytest.raises(InvalidInput, match="no subject"):
        of_split.calibrated(unknown)
    told = of_split.calibrated(unknown, independent=True).scaling
    assert told.by == "case"
    assert any("297 of 297 cases have no subject" in remark for remark in told.remarks)
    assert any("not recorded" in remark for remark in open_model(SURE).calibrated(free).scaling.remarks)


def test_cases_that_set_it_are_told_where_they_are_evaluated():
    scaling = open_model(SURE).calibrated(CASES).scaling
    assert set_on(cases(5, 3, "T"), scaling) == ()
    (told,) = set_on(CASES.take([0, 1]), scaling)
    assert told.startswith("2 of 2 cases set the temperature: S0, S1.")


class Bare:
    """Scores, and no more."""

    classes = RIGHT.classes
    input_shape = SHAPE

    def logits(self, images):
        return SURE.logits(images)


class Wrong(Bare):
    """Says that it divides, and doesn't."""

    def tempered(self, temperature):
        return self


def test_a_classifier_that_can_not_be_tempered_is_refused_and_one_that_is_not_too():
    with pytest.raises(MissingCapability, match="tempered"):
        open_model(Bare()).calibrated(CASES)
    with pytest.raises(InvalidInput, match="beside the quotient"):
        open_model(Wrong()).calibrated(CASES)


def test_an_image_that_can_not_be_read_is_left_out_and_told(tmp_path):
    broken = Case("S999/1", 0, "S999", tmp_path / "nowhere.png")
    found = open_model(SURE).calibrated(Dataset(CASES.classes, (*CASES.cases, broken))).scaling
    assert found.cases == 300
    assert any("1 of 301 cases can't be read" in remark for remark in found.remarks)
    assert "S999" not in found.keys


def test_slices_of_volumes_have_no_temperature():
    model = open_model(SURE, slices="all")
    with pytest.raises(MissingCapability, match="calibrate it on slices"):
        model.calibrated(CASES)
    assert isinstance(model, Model)


def test_a_tempered_readout_makes_the_tempered_logits():
    cold = SURE.tempered(4.0)
    made = cold.readout(IMAGES).logits(cold.features(IMAGES))
    np.testing.assert_allclose(made, SURE.logits(IMAGES) / 4, rtol=1e-4)
    np.testing.assert_allclose(
        cold.gradient(IMAGES, Objective((0,) * 6)).values * 4,
        SURE.gradient(IMAGES, Objective((0,) * 6)).values,
        rtol=1e-5,
    )

"""One class against another: the difference of their logits, by every method, metric and command."""

import json

import numpy as np
import pytest

import xaimri
from xaimri import Explanation, FunctionClassifier, LinearClassifier, metrics
from xaimri.classifier import Gradient
from xaimri.data.case import Case
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.explainers import EXPLAINERS
from xaimri.explainers.lookup import build
from xaimri.judging import Metric
from xaimri.judging.mutants import Mutant
from xaimri.objective import softmax
from xaimri.questions import require_one
from xaimri.testing import check_classifier

SHAPE = (6, 8, 2)
IMAGES = np.random.default_rng(0).normal(1, 1, (3, *SHAPE)).astype(np.float32)
PARTS = np.arange(48).reshape(6, 8) // 8
SLOW = {"partition_shap", "gradient_shap"}  # they import the package shap


class Curved:
    """``logits = 3 sin(weights . image)``: no map of it is that of a linear classifier."""

    classes = ("a", "b", "c", "d")
    input_shape = SHAPE
    weights = np.random.default_rng(1).normal(0, 0.1, (4, *SHAPE))

    def _angles(self, images):
        return images.reshape(len(images), -1).astype(float) @ self.weights.reshape(4, -1).T

    def logits(self, images, /):
        return (3 * np.sin(self._angles(images))).astype(np.float32)

    def gradient(self, images, objective, /):
        slopes = objective.cotangents(self.logits(images)) * 3 * np.cos(self._angles(images))
        return Gradient(np.tensordot(slopes, self.weights, axes=1).astype(np.float32), self.logits(images))


def difference(logits, target, against):
    return logits[..., target].astype(float) - logits[..., against]


LINEAR = {
    "gradient": xaimri.Saliency(signed=True),
    "input x gradient": xaimri.InputXGradient(),
    "integrated gradients": xaimri.IntegratedGradients(steps=8, most=8),
    "expected gradients": xaimri.ExpectedGradients(references=IMAGES[1:], samples=20),
    "SmoothGrad": xaimri.SmoothGrad(copies=3),
    "occlusion of windows": xaimri.Occlusion(window=2),
    "occlusion of regions": xaimri.Occlusion(regions=PARTS),
    "exact SHAP": xaimri.SHAP(regions=PARTS),
    "sampled SHAP": xaimri.SHAP(regions=PARTS, samples=20, exact=0, adjust=False),
    "LIME": xaimri.LIME(regions=PARTS, samples=40),
    "RISE": xaimri.RISE(samples=40, cells=3, centred=True),
}


@pytest.mark.parametrize("method", LINEAR)
def test_what_is_linear_in_the_score_is_the_difference_of_two_maps(method):
    def maps(**asked):
        return np.stack([each.values for each in LINEAR[method].explain(Curved(), IMAGES, **asked)])

    both = maps(targets=[0, 1, 3], against=[2, 2, 1])
    apart = maps(targets=[0, 1, 3], of="logit") - maps(targets=[2, 2, 1], of="logit")
    size = np.abs(both).max()
    assert size > 0
    np.testing.assert_allclose(both, apart, atol=2e-5 * size)
    np.testing.assert_allclose(maps(targets=[2, 2, 1], against=[0, 1, 3]), -both, atol=2e-5 * size)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in EXPLAINERS]
)
def test_of_two_classes_it_is_the_log_odds_by_every_method(name):
    model = LinearClassifier.random(SHAPE, classes=2, seed=4, patch=2)
    known = {"samples": 12, "regions": 4, "cells": 3, "copies": 3, "references": IMAGES[1:]}
    fields = EXPLAINERS[name].__dataclass_fields__
    method = build(name, {key: value for key, value in known.items() if key in fields})
    both = method.explain(model, IMAGES, [0, 1, 1], against=[1, 0, 0])
    for one, other in zip(both, method.explain(model, IMAGES, [0, 1, 1], of="log_odds"), strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=2e-5 * np.abs(other.values).max())
        assert (one.of, one.unit) == ("logit", other.unit.replace("log-odds", "logit difference"))
        told = {caveat.name for caveat in one.caveats}
        assert told == {caveat.name for caveat in other.caveats} - {"near_tie"}
        assert ("class_independent" in told) == (name == "eigencam")


def test_the_values_add_up_to_the_difference_and_the_gradient_is_its_slope():
    model, image = Curved(), IMAGES[:1]
    (shap,) = xaimri.SHAP(regions=PARTS).explain(model, image, 1, against=3)
    whole = difference(model.logits(image), 1, 3)[0]
    assert shap.regions.values.sum() == pytest.approx(whole - shap.diagnostics["base"], abs=1e-5)
    (path,) = xaimri.IntegratedGradients(tolerance=1e-4).explain(model, image, 1, against=3)
    start = difference(model.logits(0 * image), 1, 3)[0]
    assert path.values.sum() == pytest.approx(whole - start, abs=1e-3)
    assert path.diagnostics["difference"] == pytest.approx(whole - start, abs=1e-5)
    check_classifier(model, IMAGES)  # holds its gradients to finite differences, this score's too


def test_the_explanation_says_it_wherever_it_goes(tmp_path):
    model = LinearClassifier(np.ones((3, *SHAPE)), classes=["no", "mild", "very mild"])
    found = xaimri.explain(model, IMAGES[0], "gradcam", target="mild", against="no", relu=False)
    assert (found.target_class, found.against_class, found.of) == ("mild", "no", "logit")
    assert found.unit == "logit difference"
    assert found.question == "mild against no"
    assert not found.values.any()  # the weights are alike
    assert "of logit of 'mild' against 'no' (p = 0.333)" in repr(found)
    again = xaimri.load(found.store(tmp_path / "kept"))
    assert isinstance(again, Explanation)
    assert again.objective == found.objective
    assert (again.against, again.question) == (found.against, found.question)
    assert json.loads((tmp_path / "kept" / "record.json").read_text())["against"] == 0
    assert "constant_score" in [caveat.name for caveat in found.caveats]
    title = "mild against no, p = 0.33 and 0.33"
    assert found.plot().get_title().splitlines()[-1] == title
    assert f": {title}" in found._repr_html_()
    comparison = xaimri.compare(model, IMAGES[0], ["gradcam", "saliency"], target="mild", against="no")
    drawn = [ax.get_title() for ax in comparison.figure().axes]
    assert sum("mild against no" in words.replace("\n", " ") for words in drawn) == 2
    every = xaimri.explain_all(model, [IMAGES[0], IMAGES[1]], target=["mild", "very mild"], against="no")
    assert [row["against"] for row in every.to_rows()] == ["no", "no"]
    assert "against" in str(every).splitlines()[0]
    assert ">no</td>" in every._repr_html_()
    assert all("against no" in ax.get_title().replace("\n", " ") for ax in every.figure().axes[:2])
    plain = xaimri.explain_all(model, [IMAGES[0]])
    assert "against" not in str(plain).splitlines()[0]
    assert plain.to_rows()[0]["against"] is None


def test_what_cannot_be_asked_is_one_sentence():
    model, image = Curved(), IMAGES[0]
    own = model.classes[int(model.logits(image[None]).argmax())]
    other = next(name for name in model.classes if name != own)
    assert xaimri.explain(model, image, "saliency", against=other).question == f"{own} against {other}"
    for asked, why in (
        ({"target": "a", "against": "a"}, "`target` and `against` are both 'a'"),
        ({"target": "a", "against": 0}, "`target` and `against` are both 'a'"),
        ({"target": "a", "against": "e"}, "`against` 'e' is not one of the classes: use 'a', 'b', 'c', 'd'"),
        ({"target": "a", "against": "b", "of": "probability"}, "leave `of` out"),
        ({"target": "a", "against": "b", "of": "log_odds"}, "leave `of` out"),
    ):
        with pytest.raises(InvalidInput, match=why):
            xaimri.explain(model, image, "saliency", **asked)
    with pytest.raises(InvalidInput, match="`against` is a list: use `explain_all`"):
        require_one(image, "a", xaimri.open_model(model).intake, model.classes, ["b"])
    with pytest.raises(UnusableImage, match=f"the predicted class is '{own}', the one that it is to be held"):
        xaimri.explain(model, image, "saliency", against=own)
    with pytest.raises(InvalidInput, match="`against` is None for some images"):
        xaimri.explain_all(model, image, "saliency", target="a", against=["b", None])


def test_of_many_images_those_predicted_to_be_the_other_class_fail_alone():
    model = Curved()
    predicted = [model.classes[int(n)] for n in model.logits(IMAGES).argmax(axis=1)]
    found = xaimri.explain_all(model, list(IMAGES), "saliency", against=predicted[1])
    fails = [str(n) for n, name in enumerate(predicted) if name == predicted[1]]
    assert list(found.failures) == fails
    assert len(found) == 3 - len(fails) > 0
    each = xaimri.explain_all(model, IMAGES[0], "saliency", target="a", against=["b", "c", "d"])
    assert [one.question for one in each] == ["a against b", "a against c", "a against d"]
    streamed = xaimri.explain_all(model, iter(IMAGES), "saliency", target=["a", "b", "c"], against="d")
    assert [one.question for one in streamed] == ["a against d", "b against d", "c against d"]


def test_metrics_follow_the_difference():
    model = Curved()
    one, other = xaimri.InputXGradient().explain(model, IMAGES[:2], [0, 1], against=[2, 3])
    curve = metrics.deletion(one, model, absent=0.0, steps=4)
    assert (curve.of, curve.against, curve.unit) == ("logit", 2, "logit difference")
    ends = difference(model.logits(np.stack([IMAGES[0], 0 * IMAGES[0]])), 0, 2)
    np.testing.assert_allclose(curve.scores[[0, -1]], ends, atol=1e-5)
    turned = metrics.insertion([one, other], model, absent=0.0, steps=4)[1]
    np.testing.assert_allclose(turned.scores[-1], difference(model.logits(IMAGES[1:2]), 1, 3)[0], atol=1e-5)
    fall, values = ends[0] - ends[1], float(one.values.sum())
    assert metrics.completeness_gap(one, model) == pytest.approx(abs(values - fall) / abs(fall), rel=1e-4)
    alone = xaimri.InputXGradient().explain(model, IMAGES[:1], 0)[0]
    assert metrics.deletion(alone, model).of == "probability"
    for metric in (metrics.deletion, metrics.infidelity, metrics.road):
        assert float(metric(one, model, of="logit")) == pytest.approx(float(metric(one, model)))
        with pytest.raises(InvalidInput, match="the map explains a against c, a difference of logits"):
            metric(one, model, of="probability")
    p = softmax(model.logits(IMAGES[:1]))[0]
    whole = p[0] / (p[0] + p[2])
    shown = np.maximum(one.values, 0)[..., None] / one.values.max() * IMAGES[0]
    q = softmax(model.logits(shown[None].astype(np.float32)))[0]
    wanted = max(whole - q[0] / (q[0] + q[2]), 0) / whole
    assert metrics.average_drop(one, model) == pytest.approx(wanted, abs=1e-5)
    assert metrics.max_sensitivity("saliency", model, IMAGES[0], "a", against="c") > 0


def test_a_judgement_is_of_the_difference():
    model, names = LinearClassifier.random(SHAPE, classes=3, seed=2), ("class_0", "class_1", "class_2")
    cases = [Case(str(n), n, f"s{n}", image) for n, image in enumerate(IMAGES)]
    asked = {}

    def watch(explainer, classifier, image, target, against=None):
        asked[target] = against
        return 1.0

    mine = Metric("mine", watch, "lower", ("classifier", "image", "target"), "explainer")
    found = xaimri.evaluate_explanations(
        ["input_x_gradient"], model, cases, ["deletion", "max_sensitivity", mine],
        target="label", against=1,
    )  # fmt: skip
    rows = {row.case: row for row in found.rows if row.metric == "deletion"}
    assert [(rows[n].target, rows[n].against) for n in "02"] == [(names[0], names[1]), (names[2], names[1])]
    assert "the case's own class is 'class_1'" in rows["1"].failure.sentence
    own = xaimri.InputXGradient().explain(model, IMAGES[:1], 0, against=1)[0]
    assert rows["0"].value == pytest.approx(float(metrics.deletion(own, model)), rel=1e-5)
    assert asked == {0: 1, 2: 1}
    assert found.against == "class_1"
    assert found.to_dict()["against"] == "class_1"
    assert "each class against class_1" in str(found)
    deaf = Metric("deaf", lambda e, c, i, t: 1.0, "lower", ("classifier", "image", "target"), "explainer")
    with pytest.raises(InvalidInput, match="'deaf' explains by itself and takes no `against`"):
        xaimri.evaluate_explanations(["saliency"], model, cases, [deaf], against=1, independent=True)


def test_a_mutant_of_another_class_keeps_the_one_it_is_held_against():
    def values(method, model, **asked):
        return method.explain(model, IMAGES[:1], **asked)[0].values

    method = xaimri.InputXGradient()
    mutant = Mutant(method, "other class")
    three, two = (LinearClassifier.random(SHAPE, classes=n, seed=2) for n in (3, 2))
    spoiled = values(mutant, three, targets=0, against=1)
    np.testing.assert_array_equal(spoiled, values(method, three, targets=2, against=1))
    spoiled = values(mutant, two, targets=0, against=1)
    np.testing.assert_array_equal(spoiled, values(method, two, targets=1, against=0))


def test_caveats_are_of_the_difference():
    def names(logits, **asked):
        flat = np.zeros((4, *SHAPE), np.float32)
        model = LinearClassifier(flat, logits)
        return [caveat.name for caveat in xaimri.Occlusion().explain(model, IMAGES[:1], **asked)[0].caveats]

    tied = [2.0, 1.99, 0.0, -9.0]
    assert "near_tie" in names(tied, targets=0)
    assert "near_tie" in names(tied, targets=0, against=2)
    assert "near_tie" not in names(tied, targets=1, against=0)
    p = np.array([[0.9, 0.1 - 1e-9, 1e-9, 0.0]])
    told = FunctionClassifier(lambda images: p.repeat(len(images), axis=0), classes=list("abcd"))

    def texts(against):
        return [c.text for c in xaimri.Occlusion().explain(told, IMAGES[:1], 0, against=against)[0].caveats]

    assert any("that of `c` is less than 1e-07, where it is cut off" in text for text in texts(2))
    assert not any("cut off" in text for text in texts(1))


@pytest.mark.tensorflow
def test_in_a_networks_graph_it_is_the_same_difference():
    from networks import small
    from xaimri import KerasClassifier

    network = small()
    model, images = (
        KerasClassifier(network),
        np.random.default_rng(0).random((3, 20, 28, 3), dtype=np.float32),
    )
    targets, others = [0, 1, 2], [3, 0, 1]
    for method in (xaimri.GradCAM(relu=False), xaimri.HiResCAM(), xaimri.Saliency(signed=True)):

        def maps(method=method, **asked):
            return np.stack([each.values for each in method.explain(model, images, **asked)])

        both = maps(targets=targets, against=others)
        np.testing.assert_allclose(
            both, maps(targets=targets) - maps(targets=others), atol=1e-5 * np.abs(both).max()
        )
        np.testing.assert_allclose(
            both, -maps(targets=others, against=targets), atol=1e-5 * np.abs(both).max()
        )
    predicted = [int(n) for n in model.logits(images).argmax(axis=1)]
    other = next(n for n in range(4) if n not in predicted)
    one = xaimri.GradCAM().explain(model, images, against=other)
    assert [each.target for each in one] == predicted
    np.testing.assert_array_equal(
        one[0].values, xaimri.GradCAM().explain(model, images, predicted, against=other)[0].values
    )

"""One call over explainers, cases and metrics: numbers as by hand, failures counted, honest intervals."""

import csv
import json
import math
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from masked import SHAPE, model_of, phantoms
from unreadable import bar, cases_of, with_unreadable
from xaimri import (
    Cancelled,
    GradCAM,
    InputXGradient,
    InvalidInput,
    LinearClassifier,
    Occlusion,
    Saliency,
    evaluate_explanations,
    metrics,
)
from xaimri.classifier import Classifier
from xaimri.data import phantom
from xaimri.data.case import Case, Dataset
from xaimri.errors import MissingCapability, UnusableImage
from xaimri.explainer import Attribution, Explainer
from xaimri.failure import Failure
from xaimri.images.foreground import foreground
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Row
from xaimri.judging import Metric, judge
from xaimri.metrics import Curve
from xaimri.objective import softmax


@pytest.fixture(scope="module")
def cases():
    return phantoms(7)


@dataclass(frozen=True)
class Fussy(Explainer[Classifier]):
    """Refuses bright images, and has a map of zeros for dark ones."""

    name: ClassVar[str] = "fussy"
    limit: float = 0.0

    def attribute(self, model, images, objective, /):
        if images.mean() > self.limit:
            raise UnusableImage("the image is too bright: dim it.")
        return Attribution(np.zeros(images.shape[:-1], np.float32), model.logits(images))


def images_of(cases):
    return np.stack([case.source[..., None] for case in cases]).astype(np.float32)


def test_every_row_is_what_the_metric_says_of_the_map(cases):
    model, explainers = model_of(), {"a": InputXGradient(), "b": Occlusion(regions=6)}
    found = evaluate_explanations(
        explainers, model, cases, ["deletion", "relevance_mass", "sparseness", "max_sensitivity"]
    )
    assert len(found.rows) == 2 * 4 * len(cases)
    images = images_of(cases)
    for name, explainer in explainers.items():
        maps = explainer.explain(model, images)
        regions, objects = [case.mask for case in cases], [foreground(image) for image in images]
        expected = {
            "deletion": [float(curve) for curve in metrics.deletion(maps, model)],
            "relevance_mass": metrics.relevance_mass(maps, regions, within=objects),
            "sparseness": metrics.sparseness(maps),
            "max_sensitivity": [metrics.max_sensitivity(explainer, model, image) for image in images],
        }
        for metric, values in expected.items():
            np.testing.assert_allclose(found.values(name, metric), values, rtol=1e-12)
        assert [float(c) for c in found.curves[name, "deletion"]] == expected["deletion"]
    assert set(found.curves) == {("a", "deletion"), ("b", "deletion")}


@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_every_method_and_metric_is_asked_for_one_score(cases, of):
    """Of `Occlusion`, whose own score is another, and of a metric that explains by itself."""
    model, explainer = model_of(), Occlusion(regions=6)
    found = evaluate_explanations(
        {"a": explainer, "b": Saliency()}, model, cases.take(range(2)), ["sparseness", "max_sensitivity"],
        of=of,
    )  # fmt: skip
    images = images_of(cases.take(range(2)))
    maps = explainer.explain(model, images, of=of)
    np.testing.assert_allclose(found.values("a", "sparseness"), metrics.sparseness(maps), rtol=1e-12)
    expected = [float(metrics.max_sensitivity(explainer, model, image, of=of)) for image in images]
    np.testing.assert_allclose(found.values("a", "max_sensitivity"), expected, rtol=1e-12)
    assert found.to_dict()["of"] == of
    assert f"{of.replace('_', '-')} explained" in str(found)


def test_a_metric_that_would_explain_another_score_is_refused(cases):
    own = Metric(
        "own", lambda explainer, classifier, image: 1.0, "lower", ("classifier", "image"), "explainer"
    )
    with pytest.raises(InvalidInput, match="takes no `of`, so it would measure maps of another score"):
        evaluate_explanations("saliency", model_of(), cases, [own], of="logit")


def test_maps_of_one_image_share_the_ends_whatever_the_number_of_explainers(cases):
    asked = []

    class Counting:
        classes = phantom.STAGES
        model = model_of()

        def logits(self, images, /):
            asked.append(len({image.tobytes() for image in images}))
            return self.model.logits(images)

        def gradient(self, images, objective, /):
            return self.model.gradient(images, objective)

    steps, few = 6, cases.take(range(4))
    for count in (1, 3):
        asked.clear()
        explainers = {str(n): Saliency() for n in range(count)}
        evaluate_explanations(explainers, Counting(), few, [partial(metrics.deletion, steps=steps)])
        maps = count * len(few)
        alone = (
            5  # is it a function of one image? once a model, an image before one, behind another, and twice
        )
        assert sum(asked) <= maps * (steps - 1) + 2 * len(few) + alone


def test_nothing_is_dropped_failures_are_counted_and_told(cases):
    brightness = images_of(cases).mean(axis=(1, 2, 3))
    limit = float(np.sort(brightness)[4] + 1e-3)  # five are dark enough
    explainers = [Fussy(limit=limit), Saliency()]
    found = evaluate_explanations(explainers, model_of(), cases, ["relevance_mass", "relevance_rank"])
    assert len(found.rows) == 4 * len(cases)
    refused = [r for r in found.rows if str(r.failure) == "the image is too bright: dim it."]
    assert len(refused) == 2 * (len(cases) - 5)
    assert {r.case for r in refused} == {c.id for c, b in zip(cases, brightness, strict=True) if b > limit}
    mass, rank = found.mean("fussy", "relevance_mass"), found.mean("fussy", "relevance_rank")
    assert (mass.cases, mass.failures) == (0, len(cases))  # a map of zeros has no mass, and so no share
    assert (rank.cases, rank.failures) == (5, len(cases) - 5)
    assert found.mean("saliency", "relevance_mass").failures == 0
    assert sum(found.failures.values()) == len(cases) + len(cases) - 5
    text = str(found)
    assert f"- ({len(cases)} failed)" in text
    assert f"{2 * (len(cases) - 5)} x the image is too bright: dim it." in text
    assert json.loads(json.dumps(found.to_rows()[0], allow_nan=True))["explainer"] == "fussy"


def test_a_metric_that_fails_for_one_map_is_told_for_that_one(cases):
    def picky(explanations, classifier):
        if any(e.image.mean() > limit for e in explanations):
            raise InvalidInput("too bright.")
        return np.ones(len(explanations))

    limit = np.median(images_of(cases).mean(axis=(1, 2, 3)))
    metric = Metric("picky", picky, "higher", ("classifier",))
    found = evaluate_explanations(["saliency"], model_of(), cases, [metric])
    values = found.values("saliency", "picky")
    assert np.array_equal(np.isnan(values), images_of(cases).mean(axis=(1, 2, 3)) > limit)
    with pytest.raises(ZeroDivisionError):  # a fault of the caller's own code is not hidden
        evaluate_explanations(["saliency"], model_of(), cases, [Metric("broken", lambda e: 1 / 0, "higher")])


@pytest.mark.slow
def test_an_image_that_cannot_be_read_is_a_failure_of_its_own(cases, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    some = replace(cases, cases=(*cases.cases[:2], replace(cases[2], source=broken), *cases.cases[3:]))
    explainers, asked = ["saliency", Occlusion(regions=5)], ["sparseness", "auprc", "max_sensitivity"]
    found = evaluate_explanations(explainers, model_of(), some, asked)
    assert [row.case for row in found.rows if row.failure] == [cases[2].id] * 6
    assert {row.failure.stage for row in found.rows if row.failure} == {"read"}
    assert all(str(broken) in why for why in found.failures)
    assert found.cases == tuple(case.id for case in cases)
    rest = replace(cases, cases=(*cases.cases[:2], *cases.cases[3:]))
    expected = evaluate_explanations(explainers, model_of(), rest, asked)
    assert [row for row in found.rows if not row.failure] == list(expected.rows)


def test_labels_are_never_explained_as_another_class(cases):
    turned = LinearClassifier(model_of().weights, model_of().bias, classes=("b", "c", "d", "e"))
    with pytest.raises(InvalidInput, match="the model knows 'b', 'c', 'd', 'e', and the cases hold 'mild"):
        evaluate_explanations(["saliency"], turned, cases, ["sparseness"], target="label")
    linear = LinearClassifier.random(SHAPE, classes=4, seed=0)  # its classes have no names: they go by number
    found = evaluate_explanations(["saliency"], linear, cases, ["sparseness"], target="label")
    assert [row.target for row in found.rows] == [f"class_{case.label}" for case in cases]
    few = LinearClassifier.random(SHAPE, classes=3, seed=0)
    with pytest.raises(InvalidInput, match="the cases hold"):
        evaluate_explanations(["saliency"], few, cases, ["sparseness"], target="label")
    for label in (-1, 9):
        wrong = [replace(cases[0], label=label), *cases.cases[1:]]
        with pytest.raises(InvalidInput, match=f"the label {label} of the case"):
            evaluate_explanations(["saliency"], linear, wrong, ["sparseness"], target="label")


def test_cases_are_cut_into_even_parts():
    for count in (1, 15, 16, 17, 33, 100):
        parts = judge._parts(range(count))
        assert [n for part in parts for n in part] == list(range(count))
        assert max(map(len, parts)) <= judge.TOGETHER
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_one_function_is_a_metric_too(cases):
    found = evaluate_explanations("saliency", model_of(), cases, metrics.deletion)
    again = evaluate_explanations(["saliency"], model_of(), cases, ["deletion"])
    assert found.rows == again.rows


def test_a_run_can_be_watched_and_cancelled_and_is_no_failure_then(cases):
    seen = []
    evaluate_explanations(["saliency"], model_of(), cases, progress=lambda *now: seen.append(now))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 0
    with pytest.raises(Cancelled):
        evaluate_explanations(["lime"], model_of(), cases, progress=lambda done, total: False)


def test_a_case_without_a_mask_has_no_localisation_and_keeps_the_rest(cases):
    some = replace(cases, cases=(replace(cases[0], mask=None), *cases.cases[1:]))
    found = evaluate_explanations(["saliency"], model_of(), some, ["auprc", "sparseness"])
    assert next(r.failure for r in found.rows if r.metric == "auprc").sentence == "the case has no mask"
    assert found.mean("saliency", "auprc").failures == 1
    assert found.mean("saliency", "sparseness").failures == 0
    none = replace(cases, cases=tuple(replace(c, mask=None) for c in cases))
    with pytest.raises(InvalidInput, match="'auprc' needs a region, and no case has a mask"):
        evaluate_explanations(["saliency"], model_of(), none, ["auprc"])


def test_masks_go_to_the_classifiers_grid_with_the_image():
    small = LinearClassifier.random((13, 11, 1), classes=4, seed=1)
    cases = phantom.make(subjects=5, slices=1, size=(26, 22), seed=3)
    mask = np.zeros((26, 22), bool)
    mask[4:12, 6:16] = True
    cases = replace(cases, cases=tuple(replace(c, mask=mask) for c in cases))

    def area(explanations, region):
        return np.array([float(r.sum()) for r in region])

    found = evaluate_explanations(["saliency"], small, cases, [Metric("area", area, "higher", ("region",))])
    assert set(found.values("saliency", "area")) == {4 * 5}


def test_masks_of_any_number_and_from_files_measure_alike(tmp_path):
    """Through a model of another size: what was read from a file of 0 and 255 scores as True and False."""
    linear = LinearClassifier.random((16, 16, 1), classes=2, seed=0, patch=4)
    pictures = np.random.default_rng(0).integers(0, 255, (5, 64, 48), dtype=np.uint8)
    mask = np.zeros((64, 48), bool)
    mask[13:30, 11:30] = True
    Image.fromarray(mask * np.uint8(255)).save(tmp_path / "mask.png")
    asked, found = ["relevance_mass", "iou", "pointing_game"], []
    for same in (mask, mask * np.uint8(255), mask * 4, mask * 0.4, mask.tolist(), tmp_path / "mask.png"):
        cases = [Case(f"c{n}", 0, f"s{n}", one, mask=same) for n, one in enumerate(pictures)]
        found.append(evaluate_explanations(["input_x_gradient"], linear, cases, asked).rows)
    assert all(row.failure is None for row in found[0])
    assert all(rows == found[0] for rows in found)


def test_a_mask_that_is_unusable_or_lost_is_a_failure_of_its_case_alone(tmp_path):
    linear = LinearClassifier.random((16, 16, 1), classes=2, seed=0)
    picture = np.random.default_rng(0).integers(0, 255, (64, 48), dtype=np.uint8)
    mask, one = np.zeros((2, 64, 48), bool)
    mask[13:30, 11:30] = one[31, 23] = True
    given = {
        "has the shape (48, 64), and its image (64, 48)": mask.T,
        "lost on the model's grid of 16 x 16": one,
        "has no pixel": np.zeros_like(mask),
        "values below 0": np.where(mask, 1, -1),
        "several values beside 0": mask * 1.0 + one * 2,
        "there is no file": tmp_path / "none.png",
        "the case has no mask": None,
    }
    wrong = [Case(why, 0, why, picture, mask=each) for why, each in given.items()]
    cases = [*wrong, *(Case(str(n), 0, str(n), picture, mask=mask) for n in range(3))]
    found = evaluate_explanations(["saliency"], linear, cases, ["iou", "sparseness"])
    for row in found.rows:
        if row.metric == "sparseness" or row.case not in given:
            assert row.failure is None
        else:
            assert row.case in row.failure.sentence
            assert np.isnan(row.value)
    assert found.mean("saliency", "iou").failures == len(given)
    broken = [replace(case, mask=tmp_path / "none.png") for case in cases]
    alone = evaluate_explanations(["saliency"], linear, broken, ["sparseness"])  # which reads no mask
    assert not alone.failures


def test_the_label_is_explained_by_its_name_where_it_is_asked_for(cases):
    turned = LinearClassifier.random(SHAPE, classes=4, seed=0)
    turned = LinearClassifier(turned.weights, turned.bias, classes=phantom.STAGES[::-1])
    found = evaluate_explanations(["saliency"], turned, cases, ["sparseness"], target="label")
    assert [r.target for r in found.rows] == [cases.classes[c.label] for c in cases]
    predicted = evaluate_explanations(["saliency"], turned, cases, ["sparseness"])
    best = turned.logits(images_of(cases)).argmax(axis=1)
    assert [r.target for r in predicted.rows] == [turned.classes[i] for i in best]


@pytest.mark.slow
def test_cases_at_once_do_not_matter(cases, monkeypatch):
    explainers, asked = ["saliency", Occlusion(regions=5)], ["deletion", "auprc"]
    together = evaluate_explanations(explainers, model_of(), cases, asked)
    monkeypatch.setattr(judge, "TOGETHER", 3)
    apart = evaluate_explanations(explainers, model_of(), cases, asked)
    assert {(r.explainer, r.metric, r.case): r for r in together.rows} == {
        (r.explainer, r.metric, r.case): r for r in apart.rows
    }


# Means, intervals and differences


def table(values, subjects, other=None):
    """An evaluation with these values, one case each."""
    metric = Metric("m", lambda explanations: None, "higher")
    given = {"a": values, **({} if other is None else {"b": other})}
    rows = [
        Row(
            name,
            "m",
            str(n),
            str(s),
            "x",
            float(v),
            None if np.isfinite(v) else Failure(str(n), "measure", "why"),
        )
        for name, each in given.items()
        for n, (v, s) in enumerate(zip(each, subjects, strict=True))
    ]
    return Judgement(tuple(rows), tuple(given), {"m": metric}, {name: {} for name in given})


def test_intervals_of_independent_cases_are_the_textbooks():
    values = np.random.default_rng(0).normal(size=300)
    estimate = table(values, range(300)).mean("a", "m").estimate
    half = 1.96 * values.std(ddof=1) / np.sqrt(300)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.high - estimate.value == pytest.approx(half, rel=0.12)
    assert estimate.value - estimate.low == pytest.approx(half, rel=0.12)


def test_more_slices_of_the_same_people_tell_no_more():
    values = np.random.default_rng(0).normal(size=20)
    once = table(values, range(20)).mean("a", "m").estimate
    thrice = table(np.repeat(values, 3), np.repeat(range(20), 3)).mean("a", "m").estimate
    apart = table(np.repeat(values, 3), range(60)).mean("a", "m").estimate
    np.testing.assert_allclose([thrice.low, thrice.high], [once.low, once.high])
    assert apart.high - apart.low < 0.75 * (once.high - once.low)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    generator, held = np.random.default_rng(1), 0
    for _ in range(300):
        people = generator.normal(size=40)
        values = np.repeat(people, 2) + 0.3 * generator.normal(size=80)
        evaluation = replace(table(values, np.repeat(range(40), 2)), resamples=400)
        estimate = evaluation.mean("a", "m").estimate
        held += estimate.low <= 0 <= estimate.high
    assert 0.89 < held / 300 < 0.98


def test_differences_are_paired_and_have_a_sign():
    generator = np.random.default_rng(2)
    base = 5 * generator.normal(size=50)
    both = table(base + 1 + 0.1 * generator.normal(size=50), range(50), other=base)
    found = both.difference("a", "b", "m")
    assert found.estimate.value == pytest.approx(1, abs=0.06)
    assert found.certain
    turned = both.difference("b", "a", "m")
    np.testing.assert_allclose(
        [turned.estimate.low, turned.estimate.high], [-found.estimate.high, -found.estimate.low]
    )
    means = [both.mean(n, "m").estimate for n in "ab"]
    assert means[0].low < means[1].high  # side by side, the two can't be told apart
    same = both.difference("a", "a", "m")
    assert same.estimate.value == 0
    assert np.isnan([same.estimate.low, same.estimate.high]).all()
    assert not same.certain
    assert f"m: a - b = {found.estimate.value:.3g} [{found.estimate.low:.3g}, " in str(both)


def test_a_long_list_of_differences_is_cut_and_says_so():
    names = [f"e{n}" for n in range(8)]
    rows = [
        Row(name, "m", str(case), str(case), "x", float(n) + case / 100, None)
        for n, name in enumerate(names)
        for case in range(6)
    ]
    metric = Metric("m", lambda explanations: None, "higher")
    text = str(Judgement(tuple(rows), tuple(names), {"m": metric}, {name: {} for name in names}))
    assert text.count("m: e") == 20
    assert "and 8 more: `.differences` has them all." in text  # 28 pairs


def test_a_difference_counts_the_cases_that_both_have():
    nan = float("nan")
    both = table([1, 2, nan, 4, 5, 6, 7], range(7), other=[0, nan, 0, 0, 0, 0, 0])
    found = both.difference("a", "b", "m")
    assert found.cases == 5
    assert found.estimate.value == pytest.approx((1 + 4 + 5 + 6 + 7) / 5)


def test_few_people_have_a_mean_and_no_interval():
    estimate = table([1.0, 2, 3, 4, 5, 6], [0, 0, 1, 1, 2, 3]).mean("a", "m").estimate
    assert estimate.value == 3.5
    assert np.isnan([estimate.low, estimate.high]).all()
    text = str(table([1.0, 2, 3, 4], range(4)))
    assert "at least 5 subjects, and there are 4" in text
    assert "In brackets" not in text
    assert "and there is 1." in str(table([1.0, 2], [0, 0]))
    some = str(table([1.0, 2, 3, 4, 5, 6], range(6), other=[1.0, 2, 3, 4, np.nan, np.nan]))
    assert "In brackets: 95% intervals" in some
    assert "Means of fewer than 5 subjects have none." in some


@pytest.mark.parametrize("value", [1.0, 0.0, 0.1, -1e6 / 3])  # sums of 0.1 and of thirds are rounded
def test_people_who_agree_have_a_mean_no_interval_of_width_zero_and_a_sign(value):
    people = [0, 0, 0, 1, 2, 3, 4, 5, 5, 6]
    found = table([value] * 10, people, other=[0.0] * 10)
    estimate = found.mean("a", "m").estimate
    assert estimate.value == pytest.approx(value)
    assert np.isnan([estimate.low, estimate.high]).all()
    assert found.difference("a", "b", "m").certain == (value != 0)
    assert "[" not in str(found)
    assert "In brackets" not in str(found)
    assert "A mean without brackets is of people who all have that value" in str(found)
    assert not table([value] * 4, range(4), other=[0.0] * 4).difference("a", "b", "m").certain


# Out of it, and into it


def test_rows_and_summary_go_into_files_whole(cases, tmp_path):
    found = evaluate_explanations([Saliency(), Fussy()], model_of(), cases, ["deletion"])
    file = found.save(tmp_path / "new" / "rows.csv")
    with file.open(newline="") as opened:
        read = list(csv.DictReader(opened))
    assert len(read) == len(found.rows)
    for row, record in zip(found.rows, read, strict=True):
        assert record["failure"] == str(row.failure or "")
        np.testing.assert_equal(float(record["value"]), row.value)
    record = json.loads(found.save(tmp_path / "all.json").read_text())
    assert record["explainers"]["saliency"] == Saliency().record()
    assert record["summary"][1]["estimate"]["value"] is None
    assert len(record["rows"]) == len(found.rows)
    with pytest.raises(InvalidInput, match=r"`rows.txt` must end in .csv or .json"):
        found.save(tmp_path / "rows.txt")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.json", "new"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"explainers": []}, "`methods` must be a list of methods"),
        ({"explainers": [Saliency(), Saliency(signed=True)]}, "two explainers have one name"),
        ({"metrics": []}, "`metrics` must be at least one"),
        ({"metrics": ["deletion", partial(metrics.deletion, steps=3)]}, "each with a name of its own"),
        ({"metrics": ["deletions"]}, "the metric 'deletions' is not known: did you mean 'deletion'"),
        ({"metrics": [metrics.repeatability]}, "'repeatability' needs `other`: bind it"),
        ({"metrics": [len]}, "'len' is no metric of this library"),
        ({"confidence": 95.0}, "`confidence` must be a number above 0 and below 1"),
        ({"resamples": 0}, "`resamples` must be a whole number of at least 1"),
        ({"cases": [Case("x", 0, "s", np.ones(SHAPE[:2]))] * 2}, "`x` stands for several cases"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        (
            {"metrics": [Metric("one", lambda explanations: 0.5, "lower")]},
            "'one' must give one value for each",
        ),
        (
            {"metrics": [Metric("few", lambda explanations: [0.5], "lower")]},
            "'few' must give one value for each",
        ),
        ({"cases": []}, "there are no cases"),
        ({"cases": [Case("x", 0, None, np.ones(SHAPE[:2]))]}, "1 of 1 cases have no subject"),
    ],
)
def test_what_cannot_be_judged_is_refused(cases, options, sentence):
    given = {"explainers": ["saliency"], "cases": cases, "metrics": ["sparseness"], **options}
    with pytest.raises(InvalidInput, match=sentence):
        evaluate_explanations(given.pop("explainers"), model_of(), given.pop("cases"), **given)


def test_cases_without_subjects_may_be_people_of_their_own(cases):
    alone = Dataset(cases.classes, tuple(replace(c, subject=None) for c in cases))
    found = evaluate_explanations(["saliency"], model_of(), alone, ["sparseness"], independent=True)
    assert found.mean("saliency", "sparseness").subjects == len(cases)
    first, second, *others = cases
    named = (replace(first, subject=None), replace(second, subject=f"case {first.id}"))
    mixed = Dataset(cases.classes, (*named, *(replace(c, subject=None) for c in others)))
    found = evaluate_explanations(["saliency"], model_of(), mixed, ["sparseness"], independent=True)
    assert found.mean("saliency", "sparseness").subjects == len(cases)


def test_a_lacking_capability_is_told_before_any_work(cases):
    asked = []

    def score(batch):
        asked.append(len(batch))
        return softmax(model_of().logits(batch))

    with pytest.raises(MissingCapability, match="Saliency needs a Differentiable model"):
        evaluate_explanations([Saliency(), GradCAM()], score, cases, ["deletion"])
    assert not asked


def test_a_curve_has_an_area():
    assert isinstance(Curve(np.array([0.0, 1.0]), np.array([1.0, 0.0])).area, float)


def test_shuffled_labels_go_by_subject_and_keep_their_number(cases):
    shuffled = cases.with_shuffled_labels(seed=1)
    assert [c.id for c in shuffled] == [c.id for c in cases]
    assert np.array_equal(np.sort(shuffled.labels), np.sort(cases.labels))
    assert not np.array_equal(shuffled.labels, cases.labels)
    for subject in set(cases.subjects):
        assert len({c.label for c in shuffled if c.subject == subject}) == 1
    assert np.array_equal(cases.with_shuffled_labels(1).labels, shuffled.labels)


def test_a_case_without_a_mask_is_told_by_a_metric_of_the_explainer_too(cases):
    def alone(explainer, image, region):
        return float(region.sum())

    some = [replace(cases[0], mask=None), *cases[1:]]
    metric = Metric("alone", alone, "lower", ("image", "region"), "explainer")
    found = evaluate_explanations(["saliency"], model_of(), some, [metric])
    first, *others = [row.failure for row in found.rows]
    assert first.sentence == "the case has no mask"
    assert others == [None] * (len(cases) - 1)


def test_caveats_are_counted_by_method_and_printed(cases):
    flat = replace(cases[0], source=np.ones_like(np.asarray(cases[0].source)))
    found = evaluate_explanations(
        ["saliency", "eigencam"], model_of(), [flat, *cases[1:]], ["entropy", "sparseness"]
    )
    assert {name: each.get("constant_image") for name, each in found.caveats.items()} == {
        "saliency": 1, "eigencam": 1,
    }  # fmt: skip
    assert found.caveats["eigencam"]["class_independent"] == len(cases)
    assert "class_independent" not in found.caveats["saliency"]
    assert "\n  eigencam: class_independent" in str(found)
    assert found.to_dict()["caveats"] == found.caveats


def test_what_is_told_as_json_types_has_no_number_that_json_has_not(cases):
    endless = Metric("endless", lambda explanations: np.full(len(explanations), np.inf), "lower")
    found = evaluate_explanations(["saliency"], model_of(), cases, [endless])
    assert all(np.isnan(row.value) for row in found.rows)
    told = found.to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert {row["value"] for row in told["rows"]} == {None}


@pytest.mark.skipif(sys.platform != "linux", reason="pipes")
def test_cases_that_cannot_be_read_change_no_figure_and_are_counted(tmp_path, monkeypatch):
    """Means and intervals are those without them, though one is the only case of its subject."""
    bar(monkeypatch)
    whole = cases_of(tmp_path, 7)
    mixed = with_unreadable(whole, tmp_path)
    model = LinearClassifier.random((12, 10, 1), classes=2)
    methods, measures = ["saliency", "input_x_gradient"], ["deletion", "sparseness"]
    plain = evaluate_explanations(model=model, methods=methods, cases=whole, metrics=measures)
    found = evaluate_explanations(model=model, methods=methods, cases=mixed, metrics=measures)
    for one, two in zip(found.summary, plain.summary, strict=True):
        assert one == replace(two, failures=8)
        assert not math.isnan(one.estimate.low)
    assert found.differences == plain.differences
    assert [failure.name for failure in found.unread] == [case.id for case in mixed if "bad" in case.id]
    assert plain.unread == ()
    assert "8 of 22 cases can't be read and are left out: ill/bad-cut.png, " in str(found)
    assert "can't be read" not in str(plain)

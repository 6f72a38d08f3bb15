"""What a report tells, in sentences: its own figures, and that they are too good where they are."""

import json

import numpy as np
import pytest

from xaimri.card.fact import Fact
from xaimri.card.results import result_facts
from xaimri.evaluation import evaluate


@pytest.fixture(scope="module")
def report():
    """20 subjects of two images each; a quarter of them wrong."""
    truth = np.repeat([0, 1], 20)
    right = np.tile([0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.2, 0.2], 5)
    p = np.stack([np.where(truth == 0, right, 1 - right), np.where(truth == 1, right, 1 - right)], axis=1)
    subjects = [str(i // 2) for i in range(40)]
    made = evaluate(p, truth, subjects, ["well", "ill"]).to_dict()
    made["model"] = {"sha256": "a" * 64, "temperature": 1.0, "cases": {"test": 40}}
    return json.loads(json.dumps(made))


def texts(found, name):
    return [fact.text for fact in found.get(name, ())]


def test_figures_are_the_reports_own(report):
    found = result_facts(report, "r.json")
    assert all(
        isinstance(fact, Fact) and fact.source == "r.json" for facts in found.values() for fact in facts
    )
    (subject, image) = texts(found, "performance")
    told = report["subject"]["accuracy"]
    assert subject.startswith("By subject: balanced accuracy 0.75 [")
    assert f"accuracy 0.75 [{told['low']:.2f}, {told['high']:.2f}]" in subject
    assert image.startswith("By slice: balanced accuracy 0.75")
    rows = dict(zip(report["classes"], report["subject"]["confusion"], strict=True))
    assert f"By subject, truly ill, predicted: well {rows['ill'][0]}, ill {rows['ill'][1]}." in texts(
        found, "confusion"
    )
    recall = report["slice"]["classes"]["ill"]["recall"]
    (ill,) = [line for line in texts(found, "accuracy") if line.startswith("By slice, ill")]
    assert f"(20 images of 10 subjects): sensitivity {recall['value']:.2f} [" in ill
    assert texts(found, "internal")[-1] == "By the recorded split: 40 cases of the test part."
    assert "external" not in found
    ece = report["subject"]["calibration"]["top"]["ece"]["value"]
    assert f"error of the most probable class {ece:.2f}" in texts(found, "calibration")[0]


def test_figures_on_cases_of_training_or_validation_are_said_to_be_too_good(report):
    for part, words in (("train", "3 cases of the training part"), ("validation", "of the validation part")):
        found = result_facts(
            {**report, "model": {**report["model"], "cases": {"test": 37, part: 3}}}, "r.json"
        )
        for line in texts(found, "performance"):
            assert "Too good: 3 cases" in line
            assert words in line


def test_cases_of_no_part_are_external(report):
    found = result_facts({**report, "model": {**report["model"], "cases": {"none": 40}}}, "r.json")
    assert texts(found, "external")[0] == "Evaluated on 40 images of 20 subjects."
    assert "internal" not in found


def test_a_report_that_names_no_network_is_said_to(report):
    found = result_facts({**report, "model": None}, "r.json")
    assert "The report does not say of which network it is." in texts(found, "limitations")
    assert texts(found, "internal")[-1] == "Which of the recorded parts the cases are of is not recorded."
    assert "The report" not in " ".join(texts(result_facts(report, "r.json"), "limitations"))


def test_what_is_not_estimable_is_said(report):
    p = np.tile([0.7, 0.3], (3, 1))
    few = json.loads(json.dumps(evaluate(p, [0, 0, 1], ["a", "b", "c"]).to_dict()))
    found = result_facts(few, "r.json")
    assert "not estimable" in texts(found, "accuracy")[0]
    assert "nan" not in str(found).lower()
    assert "None" not in str(found)

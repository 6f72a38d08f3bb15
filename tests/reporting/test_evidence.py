"""What a report says of the network itself: the files beside it, or those given, and only of this network."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import xaimri
from xaimri.documents.document import document
from xaimri.documents.picture import picture
from xaimri.errors import InvalidInput
from xaimri.reporting.evidence import evidence_of

FIGURE = {"value": 0.75, "low": 0.6, "high": 0.9}
CLASS = {
    "precision": FIGURE, "recall": FIGURE, "f1": FIGURE, "auroc": {"value": None, "low": None, "high": None},
    "average_precision": FIGURE, "images": 1200, "subjects": 30, "note": None, "auroc_note": None,
}  # fmt: skip
LEVEL = {
    "accuracy": FIGURE, "balanced_accuracy": FIGURE, "macro": CLASS, "confusion": [[1, 2], [3, 4]],
    "classes": {"<b>no</b>": CLASS, "yes": {**CLASS, "note": "too few subjects"}},
}  # fmt: skip
REPORT = {
    "classes": ["<b>no</b>", "yes"], "images": 2400, "subjects": 60, "slice": LEVEL, "subject": LEVEL,
    "confidence": 0.95, "notes": ["Few <i>."],
}  # fmt: skip
SPLIT = {
    "verdict": "unsafe", "reason": "A <subject> on both sides.", "images": {"train": 9, "test": 4},
    "controls": {"nearest": FIGURE, "balanced": FIGURE, "shuffled": FIGURE}, "counts": {"near": 3},
    "notes": ["n"], "pairs": [],
}  # fmt: skip
NETWORK = {
    "headline": "By its rim.", "findings": ["Rim."], "untold": ["Site."],
    "effects": [{"title": "blurred", "before": FIGURE, "after": FIGURE, "drop": FIGURE, "p": 0.0004},
                {"title": "mirrored", "before": FIGURE, "after": None, "drop": None, "p": None}],
}  # fmt: skip


def written(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return {name: folder / f"{name}.json" for name in files}


def test_files_are_shown_with_their_intervals(tmp_path):
    found = evidence_of(None, **written(tmp_path, evaluation=REPORT, split_audit=SPLIT, model_audit=NETWORK))
    assert found.card is None
    (_, heads, rows), _ = found.evaluation["tables"]
    assert dict(zip(heads, rows[0], strict=True)) == {
        "class": "<b>no</b>", "sensitivity": "0.75 [0.60, 0.90]", "precision": "0.75 [0.60, 0.90]",
        "F1": "0.75 [0.60, 0.90]", "AUROC": "not estimable", "average precision": "0.75 [0.60, 0.90]",
        "images": "1,200", "subjects": "30",
    }  # fmt: skip
    assert rows[1][:3] == ["yes", "too few subjects", ""]
    assert "By subject: balanced accuracy 0.75 [0.60, 0.90]" in found.evaluation["performance"][0]
    assert (found.split["verdict"], found.split["kind"]) == ("unsafe", "bad")
    assert found.split["counts"][0][1] == "3"
    assert found.split["worth"][0] == ["as the split is", *["0.75 [0.60, 0.90]"] * 3]
    assert found.network["effects"][0] == ["blurred", *["0.75 [0.60, 0.90]"] * 3, "< 0.001"]
    assert found.network["effects"][1][-1] == ""
    page = document("report.html", "A report", evidence=found, run=None)
    for words in (
        "A &lt;subject&gt; on both sides.",
        "&lt;b&gt;no&lt;/b&gt;",
        "Few &lt;i&gt;.",
        "By its rim.",
        "Site.",
    ):
        assert words in page
    assert "<script" not in page


def test_pictures_that_an_audit_has_kept_are_shown_and_the_first_pairs_named(tmp_path):
    sheets = [picture(Figure(figsize=(1, 1)), f"Pair <{n}>", f"caption <{n}>", dpi=20 + n) for n in range(8)]
    pairs = [{"kind": "copy", "test": f"<t{n}>", "train": f"r{n}", "similarity": 0.9, "certain": n > 0}
             for n in range(30)]  # fmt: skip
    pairs.insert(2, {**pairs[1], "kind": "subject"})
    twice = [*sheets[:3], replace(sheets[1], caption="for another reason"), *sheets[3:]]
    kept = {"pictures": [each.to_dict() for each in twice]}
    audits = {"split_audit": {**SPLIT, "pairs": pairs, **kept, "remedy": "Split `people`."},
              "model_audit": {**NETWORK, **kept}}  # fmt: skip
    found = evidence_of(None, **written(tmp_path, **audits))
    assert found.split["pictures"] == found.network["pictures"] == sheets
    assert len(found.split["pairs"]) == 10
    assert found.split["pairs"][0][0].endswith(" (uncertain)")
    assert found.split["pairs"][1][1:] == ["<t1>", "r1", "0.900"]
    assert found.split["pairs"][1][0].count("; ") == 1
    assert found.split["pairs"][9][1] == "<t9>"
    page = document("report.html", "A report", evidence=found, run=None)
    assert page.count("data:image/png;base64,") == 16
    assert page.count("<summary>2 more</summary>") == 2
    for words in ("caption &lt;7&gt;", 'alt="Pair &lt;0&gt;"', "&lt;t1&gt;", "Split people."):
        assert words in page
    assert "&lt;t10&gt;" not in page
    assert "Its pictures are not in the file" not in page


def test_an_audit_of_before_says_that_it_has_no_pictures(tmp_path):
    pair = {"kind": "copy", "test": "t", "train": "r", "similarity": None}
    found = evidence_of(
        None, **written(tmp_path, split_audit={**SPLIT, "pairs": [pair]}, model_audit=NETWORK)
    )
    assert found.split["pictures"] is None
    page = document("report.html", "A report", evidence=found, run=None)
    assert page.count("Its pictures are not in the file") == 2


@pytest.mark.parametrize(
    "kept",
    [["x"], "x", [{"png": "AAAA", "alt": "a", "caption": ""}], [{"png": "<", "alt": "a", "caption": ""}],
     [{"png": 3, "alt": "a", "caption": ""}], [{"png": "", "alt": "", "caption": ""}]],
)  # fmt: skip
def test_pictures_that_are_none_are_refused(tmp_path, kept):
    files = written(tmp_path, split_audit={**SPLIT, "pictures": kept})
    with pytest.raises(InvalidInput, match=r"split_audit\.json` has pictures that can't be read: .*Make it"):
        evidence_of(None, **files)


def test_nothing_known_is_said_to_be_nothing():
    page = document("report.html", "A report", evidence=evidence_of(None), run=None)
    for words in ("No evaluation was given", "Not evaluated here", "Not audited here", "No card"):
        assert words in page


@pytest.mark.tensorflow
def test_what_lies_beside_a_network_is_taken_and_must_be_its_own(tmp_path):
    from xaimri import training
    from xaimri.data import phantom, split

    data = phantom.make(subjects=8, slices=1, size=(26, 22), seed=1)
    network = training.build_resnet50(data.classes, size=(32, 32), weights=None)
    folder = training.save(tmp_path / "network", network, data.classes, split=split(data, seed=0).record())
    report = {**REPORT, "classes": list(data.classes), "model": {"sha256": training.load(folder).sha256}}
    level = {**LEVEL, "classes": dict.fromkeys(data.classes, CLASS), "confusion": [[1] * 4] * 4}
    report |= {"subject": level, "slice": level}
    written(folder, report=report, split_audit=SPLIT)
    found = evidence_of(folder)
    assert found.sources == ("report.json", "split_audit.json")
    assert found.card is not None
    page = xaimri.report(folder, tmp_path / "network.html").read_text()
    assert "<h1>Report of network</h1>" in page
    assert "CLAIM 2024" in page
    assert "0.75 [0.60, 0.90]" in page
    assert "<script" not in page
    with pytest.raises(InvalidInput, match="has no cases: leave `training` out"):
        xaimri.report(folder, tmp_path / "network.html", training=data)
    pytest.importorskip("pyarrow")
    images = {case.id.replace("/", " "): case.source for case in data[:2]}
    cohort = xaimri.explain_cohort(folder, images, "saliency", out=tmp_path / "cohort")
    page = xaimri.report(cohort, tmp_path / "cohort.html").read_text()
    assert "CLAIM 2024" in page, "the network is found where it was read"
    assert "could not be told" in page, "its images were in memory"
    of = {"sha256": training.load(folder).sha256, "temperature": 2.0}
    written(folder, report={**report, "model": of})
    page = xaimri.report(folder, tmp_path / "before.html").read_text()
    assert "with intervals in brackets" not in page, "it is of another temperature"
    assert "was made at the temperature 2, and this bundle&#39;s is 1" in page
    with pytest.raises(InvalidInput, match=r"temperature 2.*again by `xaimri evaluate`"):
        xaimri.report(folder, tmp_path / "before.html", evaluation=folder / "report.json")
    written(folder, report={**report, "model": {"sha256": "0" * 64}})
    with pytest.raises(InvalidInput, match="another network"):
        xaimri.report(folder, tmp_path / "network.html")


def test_files_of_other_classes_are_refused_where_a_cohort_alone_tells_the_classes(tmp_path):
    files = written(tmp_path, evaluation=REPORT)
    assert evidence_of(None, **files, classes=REPORT["classes"]).evaluation is not None
    with pytest.raises(InvalidInput, match=r"tells of the classes <b>no</b>, yes, and this network has a, b"):
        evidence_of(None, **files, classes=("a", "b"))
    images = {f"{n}.png": np.random.default_rng(n).random((8, 8)) for n in range(2)}
    network = xaimri.LinearClassifier.random((8, 8, 1), classes=2, seed=0)
    cohort = xaimri.explain_cohort(network, images, "saliency", out=tmp_path / "cohort")
    with pytest.raises(InvalidInput, match="tells of the classes"):
        xaimri.report(cohort, tmp_path / "report.html", model=network, **files)
    own = written(tmp_path, evaluation={**REPORT, "classes": list(cohort.manifest.classes)})
    page = xaimri.report(cohort, tmp_path / "report.html", model=network, **own).read_text()
    assert "whether it is the one of evaluation.json" in page

"""`xaimri audit split`: which sides are read from what, the exit code, and what is written."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from xaimri.data import phantom, read_folder, write_subjects
from xaimri.data.splits import split

SIZE = (52, 44)
SUBJECT = ("--subject", "(?P<subject>S[0-9]+)_")


@pytest.fixture(scope="module")
def people():
    return phantom.make(subjects=12, slices=2, size=SIZE)


def write(dataset, folder):
    for case in dataset:
        file = folder / dataset.classes[case.label] / f"{case.id.replace('/slice ', '_')}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(case.source)).save(file)
    return folder


@pytest.fixture
def folder(tmp_path, people):
    """Return a folder with train/ and test/ that share no subject."""
    write(people.take(range(16)), tmp_path / "both" / "train")
    write(people.take(range(16, 24)), tmp_path / "both" / "Test")
    return tmp_path / "both"


def test_a_folder_with_both_sides_is_safe_by_subject_and_says_less_without(run, folder, tmp_path):
    out = tmp_path / "audit.json"
    code, told, error = run("audit", "split", folder, *SUBJECT, "-o", out, "-o", tmp_path / "audit.html")
    assert (code, error) == (0, "")
    assert told.startswith("subject-safe")
    assert json.loads(out.read_text())["images"] == {"train": 16, "test": 8, "without subject": 0}
    assert "Is the split honest?" in (tmp_path / "audit.html").read_text()
    code, told, _ = run("audit", "split", folder)
    assert code == 0
    assert told.startswith("no leak found")
    code, _, error = run("audit", "split", folder, "-o", out)
    assert code == 1
    assert "there already" in error


def test_two_folders_that_share_a_subject_end_with_another_code(run, people, tmp_path):
    sides = [write(people.take(range(start, 24, 2)), tmp_path / str(start)) for start in (0, 1)]
    code, told, _ = run("audit", "split", *sides, *SUBJECT)
    assert code == 2
    assert told.startswith("unsafe: 12 of 12 test images")


def test_tables_are_read_with_their_subjects(run, people, folder, tmp_path):
    for name, cases in (("train", people.cases[:16]), ("Test", (*people.cases[16:], people.cases[0]))):
        rows = [
            f"{'train' if case is people.cases[0] else name}/{people.classes[case.label]}/"
            f"{case.id.replace('/slice ', '_')}.png;{people.classes[case.label]};{case.subject}"
            for case in cases
        ]
        (folder / f"{name}.csv").write_text(
            "\n".join(["Path;Diagnosis;Patient", *rows]), encoding="utf-8-sig"
        )
    code, told, _ = run("audit", "split", folder / "train.csv", folder / "Test.csv")
    assert code == 2
    assert "1 by files of equal bytes, 1 by images of one subject" in told
    code, _, error = run("audit", "split", folder / "train.csv", folder / "Test.csv", *SUBJECT)
    assert code == 1
    assert "leave --subject" in error


def test_a_recorded_split_is_taken_from_its_file_and_from_a_bundle(run, people, tmp_path):
    data, record = write(people, tmp_path / "data"), split(people, 0.0, 0.3).record()
    file = tmp_path / "split.json"
    file.write_text(json.dumps(record))
    assert run("audit", "split", data, file, *SUBJECT)[0] == 0
    bundle = tmp_path / "model"
    bundle.mkdir()
    origin = {"maker": "folder", "subject": SUBJECT[1], "classes": None}
    (bundle / "bundle.json").write_text(json.dumps({"split": record, "origin": origin}))
    code, told, _ = run("audit", "split", data, bundle)
    assert code == 0
    assert told.startswith("subject-safe")


def test_who_of_a_recorded_split_is_not_looked_at_is_told(run, people, tmp_path):
    subjects = list(dict.fromkeys(people.subjects))
    record = {"by": "subject", "train": subjects[:6], "validation": subjects[6:7], "test": subjects[7:9]}
    file, out = tmp_path / "split.json", tmp_path / "audit.json"
    file.write_text(json.dumps({**record, "test": [*record["test"], "S777", "S778"]}))
    code, told, _ = run("audit", "split", write(people, tmp_path / "data"), file, *SUBJECT, "-o", out)
    assert (code, told.split(":")[0]) == (0, "subject-safe")
    notes = json.loads(out.read_text())["notes"]
    assert notes == [
        "2 of 4 held-out subjects are there; missing: S777, S778.",
        notes[1],
        "The 2 images of the validation part were compared with neither side.",
    ]
    assert notes[1].startswith("6 of 24 cases are in no part of the record and are left out: ")
    assert all(note in told.splitlines() for note in notes)


def test_a_folder_that_is_neither_side_is_told(run, people, folder):
    write(people.take(range(2)), folder / "Val")
    code, told, _ = run("audit", "split", folder, *SUBJECT)
    assert (code, told.splitlines()[-1]) == (0, "The folder Val/ was compared with neither side.")


def test_a_split_by_subjects_of_a_table_is_audited_with_it(run, people, tmp_path):
    data = write(people, tmp_path / "data")
    nameless = read_folder(data)
    table = write_subjects(
        replace(nameless, cases=tuple(replace(c, subject=c.id.split("/")[1][:4]) for c in nameless)),
        tmp_path / "subjects.csv",
    )
    file = tmp_path / "split.json"
    file.write_text(json.dumps(split(people, 0.0, 0.3).record()), encoding="utf-8-sig")
    code, told, _ = run("audit", "split", data, file, "--subjects", table)
    assert code == 0
    assert told.startswith("subject-safe")
    code, _, error = run("audit", "split", data, data, "--subjects", table)
    assert code == 1
    assert "give tables" in error
    for gone in (tmp_path / "gone.json", tmp_path / "gone"):
        code, _, error = run("audit", "split", data, gone, "--subjects", table)
        assert code == 1
        assert f"there is no file or folder `{gone}`" in error


@pytest.mark.parametrize("part", [None, "abc", [1], {}])
def test_a_record_that_is_no_split_ends_in_a_sentence(run, folder, tmp_path, part):
    for held in (record := {"by": "subject", "train": part, "validation": [], "test": []}, {"split": record}):
        (tmp_path / "split.json").write_text(json.dumps(held))
        code, _, error = run("audit", "split", folder / "train", tmp_path / "split.json")
        assert code == 1
        assert "lists of names" in error


def test_what_is_no_split_is_refused(run, folder, tmp_path):
    for words, sentence in (
        ([folder / "train"], "no folders train/ and test/"),
        ([tmp_path / "none"], "no file or folder"),
        ([folder / "train" / "none.csv"], "no file or folder"),
        ([folder, folder, folder], "two paths"),
        ([folder, "-o", "audit.txt"], "must end in .html or .json"),
    ):
        code, _, error = run("audit", "split", *words)
        assert code == 1
        assert sentence in error

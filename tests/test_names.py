"""A name is found as people write it, and a slip is never taken for another name."""

import json
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri.data import (
    Case,
    Dataset,
    Split,
    attach_masks,
    read_folder,
    read_split,
    split,
    with_subjects,
    write_subjects,
)
from xaimri.errors import InvalidInput
from xaimri.names import known_name, stated

METHODS = list(xaimri.EXPLAINERS)

WAYS = [("NFD", "NFC"), ("NFC", "NFD")]
"""How accents are written: in the names of files, and in what is held against them."""

PEOPLE = [f"Zoë {number}" for number in "12345678"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("gradcam", "gradcam"), ("Grad-CAM", "gradcam"), ("GRADCAM++", "gradcam++"), ("Score cam", "scorecam"),
     ("input x gradient", "input_x_gradient"), ("Integrated-Gradients", "integrated_gradients")],
)  # fmt: skip
def test_case_and_strokes_do_not_count(given, meant):
    assert known_name(given, METHODS, "method") == meant
    assert xaimri.explainers.build(given).name == meant


@pytest.mark.parametrize(("given", "near"), [("gradcma", "gradcam"), ("limes", "lime"), ("SHPA", "shap")])
def test_a_slip_is_asked_about(given, near):
    with pytest.raises(InvalidInput, match=rf"^the method '{given}' is not known: did you mean '{near}'\?$"):
        known_name(given, METHODS, "method")


@pytest.mark.parametrize("given", ["", "zzz", "\n", "a" * 10_000])
def test_what_is_near_to_nothing_lists_all(given):
    with pytest.raises(InvalidInput, match=r"use 'gradcam', .*'lime'") as told:
        known_name(given, METHODS, "method")
    assert len(str(told.value)) <= 300


def test_two_names_that_differ_in_case_alone_are_never_mixed_up():
    assert known_name("ab", ["AB", "ab"], "class") == "ab"
    with pytest.raises(InvalidInput, match="is not known"):
        known_name("Ab", ["AB", "ab"], "class")


def test_what_tables_mark_as_missing_is_none_and_a_whole_number_is_one_name():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"s": ["S1", None, "", " "], "n": [7, np.nan, 8, 9], "i": pd.array([1, None, 2, 3])})
    assert [stated(one) for one in table["s"]] == ["S1", None, None, None]
    assert [stated(one) for one in table["n"]] == [7, None, 8, 9]
    assert [stated(one) for one in table["i"]] == [1, None, 2, 3]
    assert [str(stated(one)) for one in (7, 7.0, np.int64(7), np.float32(7))] == ["7"] * 4
    assert stated(("a", 1)) == ("a", 1)
    assert stated(pd.NaT) is None
    assert [stated(one) for one in table["n"].astype(str)] == ["7.0", None, "8.0", "9.0"]
    assert [stated(str(one)) for one in (None, pd.NA, pd.NaT, "n/a", "nana")] == [None] * 4 + ["nana"]


@pytest.fixture(params=WAYS, ids="-".join)
def ways(request):
    return request.param


def scans(root, way):
    """Write a scan of each person."""
    for number, name in enumerate(PEOPLE):
        folder = root / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (6, 8), np.uint8)
        Image.fromarray(pixels).save(folder / normalize(way, f"{name}_T1.png"))
    return root


def retold(file, way):
    file.write_text(normalize(way, file.read_text("utf-8")), "utf-8")
    return file


def test_one_person_on_both_sides_of_a_split_is_seen(ways):
    sides = [
        Dataset(("a",), (Case(normalize(way, f"é{way}"), 0, normalize(way, "Zoë"), np.full((6, 8), n)),))
        for n, way in enumerate(ways)
    ]
    audit = xaimri.audit_split(*sides)
    assert audit.verdict == "unsafe"
    assert [pair.kind for pair in audit.pairs] == ["subject"]
    with pytest.raises(InvalidInput, match="is in both train and test"):
        Split(sides[0], sides[0].take([]), sides[1])


def test_folders_tables_masks_and_recorded_splits_fit(tmp_path, ways):
    from xaimri.audit.covariates import columns_of

    here, there = ways
    found = read_folder(scans(tmp_path / "scans", here), subject=r"(?P<subject>[\w ]+)_T1")
    assert sorted(found.subjects) == PEOPLE
    assert all(case.source.exists() for case in found)
    plain = read_folder(tmp_path / "scans")
    table = retold(write_subjects(found, tmp_path / "subjects.csv"), there)
    assert with_subjects(plain, table).subjects == found.subjects
    parts = split(found, 0.25, 0.25)
    file = tmp_path / "split.json"
    file.write_text(normalize(there, json.dumps(parts.record(), ensure_ascii=False)), "utf-8")
    record = read_split(file)
    again = Split.from_record(found, record)
    assert [[case.id for case in part] for _, part in again.parts()] == [
        [case.id for case in part] for _, part in parts.parts()
    ]
    assert again.notes == parts.notes
    aged = tmp_path / "ages.csv"
    aged.write_text("who,age\n" + "".join(f"{normalize(there, name)},{n}\n" for n, name in enumerate(PEOPLE)))
    assert columns_of(aged, found)["age"] == [PEOPLE.index(name) for name in found.subjects]
    masked = attach_masks(plain, scans(tmp_path / "masks", there))
    assert all(case.mask is not None for case in masked)


def test_a_cohort_is_asked_in_either_way(tmp_path, ways):
    here, there = ways
    pytest.importorskip("pyarrow")
    folder = scans(tmp_path / "scans", here)
    rows = "".join(f"{file},{file.stem.split('_')[0]}\n" for file in sorted(folder.rglob("*.png")))
    table = tmp_path / "cases.csv"
    table.write_text(f"path,subject\n{rows}", "utf-8")
    model = xaimri.LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    for cases, case in [(folder, "a/Zoë 1_T1.png"), (table, f"{folder}/a/Zoë 1_T1.png")]:
        cohort = xaimri.explain_cohort(model, cases, "saliency", out=tmp_path / f"out {cases.name}")
        assert cohort.explanation(normalize(there, case)).values.shape == (6, 8)
    assert len(cohort.filter(subject=normalize(there, "Zoë 1"))) == 1

"""Which cases a cohort has, by every way of giving them."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort.cases import digest, listed_cases
from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.images.intake import Intake


@pytest.fixture
def folder(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / name)
    return tmp_path


def told(cases):
    return [(one.about.case, one.about.subject, one.about.label) for one in cases]


def test_a_folder_is_told_by_paths(folder):
    found = listed_cases(folder, Intake())
    assert told(found) == [("a/1.png", None, None), ("a/2.png", None, None), ("b/1.png", None, None)]
    assert found[0].about.source == str(folder / "a" / "1.png")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_table_tells_paths_subjects_and_labels(folder, ending):
    heads, lines = (
        ["path", "subject", "label", "age"],
        [["a/1.png", "p1", "ill", "7"], ["b/1.png", "", "", ""]],
    )
    table = folder / f"list.{ending}"
    if ending == "parquet":
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(
            pa.table({h: [line[n] or None for line in lines] for n, h in enumerate(heads)}), table
        )
    else:
        mark = "," if ending == "csv" else "\t"
        table.write_text("\ufeff" + "\n".join(mark.join(line) for line in (heads, *lines)) + "\n")
    found = listed_cases(table, Intake())
    assert told(found) == [("a/1.png", "p1", "ill"), ("b/1.png", None, None)]
    assert found[1].image == folder / "b" / "1.png"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("file;subject\na.png;p\n", "needs a column `path` and rows, and has file, subject"),
        ("path\n", "and has no rows"),
        ("", "and has no rows"),
        ("path,subject\na.png,p\n,q\n", "row 2 of .* has no path"),
        ("path,case\na.png,x\nb.png,x\n", "several cases are called x"),
        ("path,subject,label\na,b.png,S1,AD\n", "row 2 of .* has 4 cells, and the first line 3"),
        ("path,label,Label\na.png,AD,CN\n", "several columns called `label`"),
        ("sep=;\npath;subject\na.png;p\n", "row 2 of .* has 2 cells, and the first line 1"),
    ],
)
def test_a_table_that_can_t_be_used_is_refused(tmp_path, content, sentence):
    table = tmp_path / "list.csv"
    table.write_text(content)
    with pytest.raises(InvalidInput, match=sentence):
        listed_cases(table, Intake())


def test_what_gives_images_one_by_one_can_t_go_on_after_a_stop():
    with pytest.raises(InvalidInput, match="must be known beforehand"):
        listed_cases((np.ones((3, 4)) for _ in range(3)), Intake())
    with pytest.raises(InvalidInput, match=r"there is no table"):
        listed_cases("missing.csv", Intake())


def test_the_digest_tells_names_subjects_labels_and_their_order(folder):
    found = listed_cases(folder, Intake())
    assert digest(found) == digest(listed_cases(folder, Intake()))
    assert len({digest(found), digest(found[::-1]), digest(found[:2])}) == 3


def test_what_is_missing_in_a_table_is_missing_and_a_number_is_a_name(tmp_path):
    import pyarrow
    from pyarrow import parquet

    nan = float("nan")
    columns = {"path": ["a.png", "b.png"], "subject": [7.0, nan], "label": [nan, 1.0]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    (tmp_path / "t.tsv").write_text("path\tsubject\tlabel\na.png\t7\tn/a\nb.png\tn/a\t1\n")
    (tmp_path / "t.csv").write_text('path,subject,label\na.png,7,\n"b.png",,1\n')
    for kind in ("parquet", "tsv", "csv"):
        found = listed_cases(tmp_path / f"t.{kind}", Intake())
        assert [(one.about.subject, one.about.label) for one in found] == [("7", None), (None, "1")]
    (tmp_path / "lines.csv").write_text('path,case\n"a\u2028b.png","two\nlines"\n', encoding="utf-8")
    (one,) = listed_cases(tmp_path / "lines.csv", Intake())
    assert (one.about.case, one.image.name) == ("two\nlines", "a\u2028b.png")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_names_that_are_no_utf_8_are_written_as_escapes(tmp_path):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "scans"
    folder.mkdir()
    pixels = np.random.default_rng(0).random((6, 8))
    np.save(folder / "plain.npy", pixels)
    odd = os.fsdecode(b"odd \xff.npy")
    (folder / "plain.npy").rename(folder / odd)
    np.save(folder / "plain.npy", pixels)
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    cohort = xaimri.explain_cohort(model, folder, "saliency", out=tmp_path / "run")
    assert cohort.table(["case"])["case"].to_pylist() == ["odd \\udcff.npy", "plain.npy"]
    assert xaimri.explain_cohort(model, folder, "saliency", out=tmp_path / "run").done == 2
    given = cohort.explanation("odd \\udcff.npy", image=folder / odd)
    np.testing.assert_array_equal(given.values, cohort.explanation("plain.npy").values)
    case = Case(odd, 0, odd, folder / odd)
    told = listed_cases(Dataset(("a\udcff",), (case,)), Intake())[0].about
    assert (told.case, told.subject, told.label) == ("odd \\udcff.npy", "odd \\udcff.npy", "a\\udcff")


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_what_programs_write_for_a_missing_value_is_no_person_and_no_class(folder, ending):
    mark = {"csv": ",", "tsv": "\t"}[ending]
    lines = ["path,subject,label", "a/1.png,NA,nan", "a/2.png,n/a,ill", "b/1.png,NaN,NA", "b/2.png,None,none"]
    table = folder / f"cases.{ending}"
    table.write_text("\n".join(line.replace(",", mark) for line in lines))
    assert [(subject, label) for _, subject, label in told(listed_cases(table, Intake()))] == [
        (None, None), (None, "ill"), (None, None), (None, "none")
    ]  # fmt: skip


def test_columns_are_known_in_any_case_and_with_spaces(tmp_path):
    (tmp_path / "t.csv").write_text("Path, Subject, LABEL\na.png, 7.0, AD\n")
    assert told(listed_cases(tmp_path / "t.csv", Intake())) == [("a.png", "7", "AD")]


def test_a_parquet_file_of_paths_may_hold_bytes_and_no_lists(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"Path": [b"a.png"]}), tmp_path / "t.parquet")
    assert told(listed_cases(tmp_path / "t.parquet", Intake())) == [("a.png", None, None)]
    for value, what in ([["a.png"], "a list in a cell"], [b"\xff", "bytes that are no text"]):
        parquet.write_table(pyarrow.table({"path": ["a.png"], "label": [value]}), tmp_path / "t.parquet")
        with pytest.raises(InvalidInput, match=f"row 1 of .* holds {what}"):
            listed_cases(tmp_path / "t.parquet", Intake())

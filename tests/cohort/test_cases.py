"""Which cases a cohort has, by every way of giving them."""

import numpy as np
import pytest
from PIL import Image

from xaimri.cohort.cases import digest, listed_cases
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

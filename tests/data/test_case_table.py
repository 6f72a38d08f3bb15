"""Tables of cases."""

import pytest

from xaimri.data.case_table import read_cases
from xaimri.errors import InvalidInput


@pytest.fixture
def write(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")

    def table(text, name="cases.csv", encoding="utf-8"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return table


def test_columns_are_known_by_several_names_and_separators(write, tmp_path):
    for text, name in (
        ("file,label,subject,slice\na.png,ill,p1,7\n", "a.csv"),
        ("\ufeffImage;Class;Patient_ID;Slice\r\na.png; ill ;p1;7\r\n", "b.csv"),
        ("path\tdiagnosis\tpatient\tslice\na.png\till\tp1\t7\n", "c.tsv"),
    ):
        dataset = read_cases(write(text, name))
        case = dataset[0]
        assert dataset.classes == ("ill",)
        assert (case.id, case.label, case.subject, case.slice) == ("a.png", 0, "p1", 7)
        assert case.source == tmp_path / "a.png"


def test_what_is_not_said_is_not_known(write):
    assert read_cases(write("file,label\na.png,ill\n"))[0].subject is None
    case = read_cases(write("file,label,subject,slice\na.png,ill,,\n"))[0]
    assert (case.subject, case.slice) == (None, None)
    for words in ("NA", "n/a", "nan", "None", "<NA>"):  # as programs write it; no person has this name
        assert read_cases(write(f"file,label,subject\na.png,ill,{words}\n"))[0].subject is None


def test_a_whole_number_is_one_name_in_both_tables(write):
    whole = read_cases(write("file,label,subject\na.png,ill,7\n"))[0].subject
    beside_missing = read_cases(write("file,label,subject\na.png,ill,7.0\n"))[0].subject
    assert whole == beside_missing == "7"
    assert read_cases(write("file,label,subject\na.png,ill,7.5\n"))[0].subject == "7.5"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,stage\na.png,ill\n", "no column `label`"),
        ("file,label\nb.png,ill\n", "`b.png`, which is not there"),
        ("file,label\n,ill\n", "``, which is not there"),
        ("file,label\n", "lists no case"),
        ("file,label,subject\na.png,,p\n", "row 2 of .*cases.csv` has no label"),
        ("file,label,subject\na.png,NA,p\n", "row 2 of .*cases.csv` has no label"),
        ("file,label,subject\na.png,ill,p,q\n", "row 2 of .*cases.csv` has 4 cells, and the first line 3"),
        ("file,label,subject\na.png,ill\n", "row 2 of .*cases.csv` has 2 cells, and the first line 3"),
        ("file,label,Label\na.png,ill,well\n", "several columns called 'label'"),
        ("", "lists no case"),
        ("file,label\na.png,ill\na.png,ill\n", "ids must be unique"),
    ],
)
def test_a_table_that_is_none_is_refused(write, text, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read_cases(write(text))


def test_other_encodings_and_classes_are_refused(write):
    with pytest.raises(InvalidInput, match="no text in UTF-8"):
        read_cases(write("file,label\na.png,kränklich\n", encoding="latin-1"))
    with pytest.raises(InvalidInput, match="none of well"):
        read_cases(write("file,label\na.png,ill\n"), classes=("well",))

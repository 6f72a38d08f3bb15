"""Text that is given as a file: what can't be read as such ends in a sentence."""

import pytest

from xaimri.errors import InvalidInput
from xaimri.text_file import cells_of, mark_of, text_of


def test_the_mark_before_a_text_is_none_of_it(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes("\ufeffcase;grün\r\n".encode())
    assert text_of(file) == "case;grün\r\n"


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"a\xff", "no text in UTF-8"), (b"x" * 2**20 + b"y", "larger than 1 MB")]
)
def test_what_is_no_text_or_has_no_end_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        text_of(tmp_path / "a.csv", most=2**20)
    with pytest.raises(InvalidInput, match="give a table"):
        text_of(tmp_path / "missing.csv", "give a table.")


@pytest.mark.parametrize(
    ("name", "text", "mark"),
    [
        ("a.csv", "a,b;c,d", ","),
        ("a.csv", "a;b;c\n1,2,3,4", ";"),
        ("a.TSV", "a,b", "\t"),
        ("a.csv", "", ","),
        ("a.csv", "\na\tb;c\td", "\t"),
    ],
)
def test_cells_are_told_apart_by_the_first_line_or_the_ending(tmp_path, name, text, mark):
    assert mark_of(text, tmp_path / name) == mark


def test_no_cell_is_taken_for_one_of_another_column(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('\n\n path , who,,\n,,\n"a,b.png",p,,,\nc.png,\n')
    assert cells_of(file) == [["path", "who"], ["a,b.png", "p"], ["c.png", ""]]
    file.write_text("")
    assert cells_of(file) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("path,who\na,b.png,p\n", "row 2 of .* has 3 cells, and the first line 2"),
        ("path,who\na.png,p\nb.png\n", "row 3 of .* has 1 cells"),
        ('path,who\n"a.png,p\nb.png,q\n', "row 2 of .* has 1 cells"),
        ('path,who\n"' + "a.png,p\n" * 20_000, "is no table .*: see that each quotation mark"),
    ],
)
def test_a_line_with_other_cells_than_the_first_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InvalidInput, match=sentence):
        cells_of(tmp_path / "a.csv")

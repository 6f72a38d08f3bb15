"""Text that is given as a file: what can't be read as such ends in a sentence."""

import pytest

from xaimri.errors import InvalidInput
from xaimri.text_file import mark_of, text_of


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
    [("a.csv", "a,b;c,d", ","), ("a.csv", "a;b;c\n1,2,3,4", ";"), ("a.TSV", "a,b", "\t"), ("a.csv", "", ",")],
)
def test_cells_are_told_apart_by_the_first_line_or_the_ending(tmp_path, name, text, mark):
    assert mark_of(text, tmp_path / name) == mark

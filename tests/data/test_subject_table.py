"""Tables of subjects and files of splits: what is wrong with one is said in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from xaimri.data import (
    Case,
    Dataset,
    Split,
    read_split,
    split,
    with_subjects,
    write_split,
    write_subjects,
)
from xaimri.errors import InvalidInput


def cases(*subjects):
    made = [Case(f"a/{i}.png", i % 2, who, np.full((2, 3), i)) for i, who in enumerate(subjects)]
    return Dataset(("ill", "well"), tuple(made))


@pytest.fixture
def table(tmp_path):
    def write(text):
        file = tmp_path / "subjects.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_what_was_written_comes_back(tmp_path):
    true = cases("p, one", "q", 'the "third"', "ü")
    file = write_subjects(true, tmp_path / "s.csv")
    assert with_subjects(cases(None, None, None, None), file).subjects == true.subjects


@pytest.mark.parametrize(
    "text",
    [
        "case,subject\na/0.png,p\na/1.png,q\n",
        "\ufeffcase,subject\r\na/0.png,p\r\na/1.png,q\r\n",
        "Subject;age;Case\np;71;a/0.png\nq;;a/1.png\n",
        "case\tsubject\na/0.png\t p \n\na/1.png\tq\n",
    ],
)
def test_tables_as_spreadsheets_write_them(table, text):
    assert with_subjects(cases(None, None), table(text)).subjects == ("p", "q")


def test_a_case_without_a_row_or_a_subject_has_none_and_is_told(table):
    found = with_subjects(cases(None, None, None), table("case,subject\na/0.png,p\na/1.png,\n"))
    assert found.subjects == ("p", None, None)
    assert "2 cases have no subject" in found.notes[-1]
    for words in ("NA", "n/a", "nan", "None", "<NA>"):  # as programs write it; no person has this name
        rows = f"case,subject\na/0.png,{words}\na/1.png,p\na/2.png,{words}\n"
        assert with_subjects(cases(None, None, None), table(rows)).subjects == (None, "p", None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "one column `case`"),
        ("id,subject\na/0.png,p\n", "one column `case`"),
        ("case,who\na/0.png,p\n", "one column `subject`"),
        ("case,subject,subject\na/0.png,p,q\n", "one column `subject`"),
        ("case,subject\na/0.png,p\na/0.png,q\n", "several rows for `a/0.png`"),
        ("case,subject\nb/9.png,p\n", "names 1 cases that the data have not"),
        ("case,subject\na/0.png,\n", "names no subject"),
        ("case,subject\na/0.png\n", "row 2 of"),
        ("case,subject\n,p\n", "has no case"),
        (b"case,subject\na/0.png,\xff\n", "no text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(table, text, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        with_subjects(cases(None, None), table(text))


def test_a_table_that_contradicts_the_data_is_refused(table):
    with pytest.raises(InvalidInput, match="keep one"):
        with_subjects(cases("x", None), table("case,subject\na/0.png,p\n"))


def test_a_split_comes_back(tmp_path):
    made = cases(*"abcdefgh")
    parts = split(made, 0.25, 0.25, seed=1)
    again = Split.from_record(made, read_split(write_split(parts, tmp_path / "split.json")))
    assert [[c.id for c in p] for _, p in again.parts()] == [[c.id for c in p] for _, p in parts.parts()]


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"by": "subject", "train": ["a"], "validation": [], "test": ["a"]}, "`a` in both train and test"),
        ({"by": "person", "train": [], "validation": [], "test": []}, "is no split"),
        ({"by": "subject", "train": "abc", "validation": [], "test": []}, "lists of names"),
        ({"by": "subject", "train": [1], "validation": [], "test": []}, "lists of names"),
        ({"by": "subject", "train": []}, "lists of names"),
        ([1, 2], "lists of names"),
    ],
)
def test_what_is_wrong_with_a_split_is_said(tmp_path, record, sentence):
    file = tmp_path / "split.json"
    file.write_text(json.dumps(record))
    with pytest.raises(InvalidInput, match=sentence):
        read_split(file)


def test_what_is_no_json_is_said(tmp_path):
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(InvalidInput, match="is no JSON"):
        read_split(tmp_path / "split.json")
    with pytest.raises(InvalidInput, match=r"is a folder: .*`xaimri.open_model\(folder\).split`"):
        read_split(tmp_path)

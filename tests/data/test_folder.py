from __future__ import annotations

import re

import pytest

from xaimri.data import read_folder
from xaimri.errors import InvalidInput


def grow(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_classes_and_cases_in_a_stable_order(tmp_path):
    grow(
        tmp_path,
        "b/2.PNG",
        "b/10.jpg",
        "a/x/1.tif",
        "a/.hidden.png",
        "a/notes.txt",
        ".git/c.png",
        "a/.d/e.png",
    )
    dataset = read_folder(tmp_path)
    assert dataset.classes == ("a", "b")
    assert [case.id for case in dataset] == ["a/x/1.tif", "b/10.jpg", "b/2.PNG"]
    assert dataset.labels.tolist() == [0, 1, 1]
    assert dataset.subjects == (None, None, None)
    assert dataset[0].source == tmp_path / "a/x/1.tif"


def test_subjects_by_expression_and_by_function(tmp_path):
    grow(tmp_path, "a/p7_s03.png", "b/p7_s11.png")
    pattern = r"(?P<subject>p\d+)_s(?P<slice>\d+)"
    for subject in (pattern, re.compile(pattern)):
        dataset = read_folder(str(tmp_path), subject=subject)
        assert [(case.subject, case.slice) for case in dataset] == [("p7", 3), ("p7", 11)]
    by_path = read_folder(tmp_path, subject=lambda file: f"{file.parent.name}/{file.stem[:2]}")
    assert by_path.subjects == ("a/p7", "b/p7")


def test_classes_can_be_named(tmp_path):
    grow(tmp_path, "a/1.png", "b/1.png", "c/1.png", "c/2.png")
    (tmp_path / "empty").mkdir()
    dataset = read_folder(tmp_path, classes=["c", "empty", "a"])
    assert dataset.classes == ("c", "empty", "a")
    assert dataset.labels.tolist() == [0, 0, 2]


@pytest.mark.parametrize(
    ("names", "options", "sentence"),
    [
        ([], {}, "has no class folders"),
        (["1.png"], {}, "has no class folders"),
        (["a/1.txt"], {}, "holds no image"),
        (["a/1.png", "b/1.txt"], {}, "`.*b` holds no image"),
        (["train/1.png", "test/2.png"], {}, "parts of a split"),
        (["a/1.png"], {"classes": ["a", "z"]}, "no folder `z`"),
        (["a/1.txt"], {"classes": ["a"]}, "hold no image"),
        (["a/1.png"], {"subject": "p[0-9"}, "no regular expression"),
        (["a/1.png"], {"subject": "p[0-9]"}, "needs a group"),
        (["a/1.png"], {"subject": "(?P<subject>p[0-9])"}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, names, options, sentence):
    grow(tmp_path, *names)
    with pytest.raises(InvalidInput, match=sentence):
        read_folder(tmp_path, **options)


def test_missing_folder(tmp_path):
    with pytest.raises(InvalidInput, match="there is no folder"):
        read_folder(tmp_path / "nowhere")

"""A data set says how it was made, and can be made so again."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from xaimri.data import Dataset, alzheimer, phantom, read_folder, remake
from xaimri.errors import InvalidInput


def same(one, two):
    assert one.classes == two.classes
    for a, b in zip(one, two, strict=True):
        assert (a.id, a.label, a.subject, a.slice) == (b.id, b.label, b.subject, b.slice)
        assert np.array_equal(a.source, b.source)


@pytest.mark.parametrize("size", [(26, 22), (17, 16, 18)])
def test_the_phantom_is_made_again_to_the_last_byte(size):
    made = phantom.make(subjects=3, slices=2 if len(size) == 2 else 1, size=size, seed=5)
    origin = json.loads(json.dumps(dict(made.origin)))
    again = remake(origin)
    same(again, made)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(again, made, strict=True))
    assert again.origin == made.origin


def test_a_phantom_in_which_one_structure_changes_is_made_again():
    made = phantom.make(subjects=3, slices=2, size=(26, 22), change="ventricles", stages=(0, 3))
    again = remake(json.loads(json.dumps(dict(made.origin))))
    same(again, made)
    assert (again.origin["change"], list(again.origin["stages"])) == ("ventricles", [0, 3])
    old = {name: value for name, value in made.origin.items() if name not in ("change", "stages")}
    same(remake(old), phantom.make(subjects=3, slices=2, size=(26, 22)))


def test_a_part_knows_how_the_whole_was_made_and_other_labels_do_not():
    made = phantom.make(subjects=4, slices=1, size=(26, 22))
    for part in (
        made[1:3],
        made.take([2]),
        replace(made, cases=made.cases[:1]),
        pickle.loads(pickle.dumps(made)),
    ):
        assert part.origin == made.origin
    assert made.with_shuffled_labels(seed=1).origin is None
    assert Dataset(("a",), ()).origin is None
    with pytest.raises(TypeError):
        made.origin["seed"] = 9


def test_a_folder_is_read_again_in_the_same_way_wherever_it_lies(tmp_path):
    for home in ("here", "there"):
        for name in ("ill/p1-3.png", "well/p2-4.png", "notes/p3-1.png"):
            file = tmp_path / home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((4, 5), np.uint8)).save(file)
    read = read_folder(tmp_path / "here", subject=r"(?P<subject>p\d)-(?P<slice>\d)", classes=("well", "ill"))
    again = remake(json.loads(json.dumps(dict(read.origin))), tmp_path / "there")
    assert again.classes == ("well", "ill")
    assert [(c.id, c.subject, c.slice) for c in again] == [(c.id, c.subject, c.slice) for c in read]
    assert str(tmp_path) not in json.dumps(dict(read.origin))
    with pytest.raises(InvalidInput, match="give the folder where they lie now"):
        remake(read.origin)


def test_what_a_function_told_can_not_be_written_down(tmp_path):
    (tmp_path / "ill").mkdir()
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "ill" / "p1.png")
    assert read_folder(tmp_path, subject=lambda file: file.stem).origin is None


def test_the_alzheimer_slices_are_recognised_again(tmp_path):
    (tmp_path / "train" / "MildDemented").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "train" / "MildDemented" / "27 (5).jpg")
    loaded = alzheimer.load(tmp_path)
    assert remake(loaded.origin, tmp_path)[0].subject == "MildDemented/5"


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [({}, "made by None can't be made again"), ({"maker": "phantom", "fields": 3}, "names `fields`")],
)
def test_a_record_that_is_none_is_refused(origin, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        remake(origin)

from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
import types
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from xaimri.data import alzheimer, load_images, split
from xaimri.data.copies import find_copies
from xaimri.errors import InvalidInput, MissingExtra, XaimriError

PEOPLE = {"MildDemented": 28, "ModerateDemented": 2, "NonDemented": 100, "VeryMildDemented": 70}
PREFIX = {"MildDemented": "mildDem", "ModerateDemented": "moderateDem"}
PREFIX |= {"NonDemented": "nonDem", "VeryMildDemented": "verymildDem"}
IN_TRAIN = {"MildDemented": 717, "ModerateDemented": 52, "NonDemented": 2560, "VeryMildDemented": 1792}


def published(name):
    """Name every slice as its makers did: sort the names as text, slice by slice, and number the first ones.

    Nothing of the package is used. Slice 26 is cut in the order of the *numbers* 2, 3, 4, ..., and
    numbered in the order of the text.
    """
    people = range(1, PEOPLE[name] + 1)
    numbered, k = {}, 0
    for position in range(1, 27):
        left = IN_TRAIN[name] - k
        chosen = people if left >= len(people) else [*people][1 : 1 + left]
        text = {f"{position} ({s}).jpg" if s > 1 else f"{position}.jpg": s for s in chosen}
        for key in sorted(text):
            numbered[(text[key], position)] = f"train/{name}/{PREFIX[name]}{k}.jpg"
            k += 1
    assert k == IN_TRAIN[name]
    for position in range(1, 33):
        for s in people:
            bare = f"test/{name}/{position}.jpg" if s == 1 else f"test/{name}/{position} ({s}).jpg"
            numbered.setdefault((s, position), bare)
    return numbered


PUBLISHED = {name: published(name) for name in PEOPLE}


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    root = tmp_path_factory.mktemp("kaggle")
    for half in ("train", "test"):
        for name in PEOPLE:
            (root / half / name).mkdir(parents=True)
    for places in PUBLISHED.values():
        for path in places.values():
            (root / path).touch()
    return root


def merged(halves, root):
    for name in PEOPLE:
        (root / name).mkdir(parents=True)
        for half in ("train", "test"):
            for file in (halves / half / name).iterdir():
                (root / name / file.name).touch()
    return root


def table(dataset):
    return [(case.id, case.label, case.subject, case.slice) for case in dataset]


def test_every_name_gives_its_subject_and_slice(halves):
    dataset = alzheimer.load(halves)
    found = {(case.subject, case.slice): case.source.relative_to(halves).as_posix() for case in dataset}
    expected = {(f"{name}/{s}", p): f for name, of in PUBLISHED.items() for (s, p), f in of.items()}
    assert found == expected
    assert len(dataset) == 6400
    assert Counter(dataset.labels.tolist()) == {0: 896, 1: 64, 2: 3200, 3: 2240}


def test_names_read_by_hand():
    place = alzheimer.place
    assert place("MildDemented", "27") == (1, 27)
    assert place("MildDemented", "mildDem0") == (10, 1)  # "1 (10)" is the first text, "1" the last
    assert place("MildDemented", "mildDem27") == (1, 1)
    assert place("MildDemented", "mildDem28") == (10, 2)
    assert place("NonDemented", "nonDem0") == (10, 1)
    assert place("NonDemented", "nonDem1") == (100, 1)
    assert place("ModerateDemented", "moderateDem50") == (2, 26)
    assert place("ModerateDemented", "moderateDem51") == (1, 26)
    assert place("MildDemented", "mildDem700") == (10, 26)
    assert place("MildDemented", "mildDem716") == (9, 26)


@pytest.mark.parametrize(
    "stem", ["mildDem717", "nonDem3", "33", "0", "3 (29)", "3 (0)", "mildDem", "mildDem1 (2)", "a1b2-c3"]
)
def test_foreign_names(stem):
    assert alzheimer.place("MildDemented", stem) is None


@pytest.mark.slow
def test_layouts_give_the_same_cases(halves, tmp_path):
    expected = table(alzheimer.load(halves))
    root = merged(halves, tmp_path / "some" / "OriginalDataset")
    for folder in (root, root.parent.parent):
        assert table(alzheimer.load(folder)) == expected


@pytest.mark.slow
def test_halves_and_holes(halves, tmp_path):
    shutil.copytree(halves / "test", tmp_path / "test")
    shutil.rmtree(tmp_path / "test" / "NonDemented")
    (tmp_path / "test" / "MildDemented" / "27 (5).jpg").unlink()
    dataset = alzheimer.load(tmp_path)
    known = {row[0]: row for row in table(alzheimer.load(halves))}
    assert table(dataset) == [known[case.id] for case in dataset]
    assert Counter(dataset.labels.tolist()) == {0: 178, 1: 12, 3: 448}
    assert dataset.classes == alzheimer.CLASSES


@pytest.mark.slow
def test_the_shipped_halves_share_nearly_all_subjects(halves):
    train, test = (set(alzheimer.load(halves / half).subjects) for half in ("train", "test"))
    assert test <= train
    assert len(test) == 200


@pytest.mark.slow
def test_a_stray_file_and_a_second_copy_are_named(halves, tmp_path):
    root = merged(halves, tmp_path / "original")
    stray = root / "MildDemented" / "copy of 27.jpg"
    stray.touch()
    with pytest.raises(InvalidInput, match="copy of 27"):
        alzheimer.load(root)
    stray.unlink()
    (root / "MildDemented" / "1.jpg").touch()
    with pytest.raises(InvalidInput, match="both slice 1 of MildDemented/1"):
        alzheimer.load(root)


def test_no_slices(tmp_path):
    (tmp_path / "MildDemented").mkdir()
    with pytest.raises(InvalidInput, match="holds no slices"):
        alzheimer.load(tmp_path)
    with pytest.raises(InvalidInput, match="there is no folder"):
        alzheimer.load(tmp_path / "nowhere")


@pytest.fixture
def augmented(tmp_path):
    folder = tmp_path / "AugmentedAlzheimerDataset"
    names = ["0007b1d7-63b2-4bb3-9a1c-5dc04aaa1b57", "fa3c0d1b9e", "27ab"]
    for i, name in enumerate(PEOPLE):
        (folder / name).mkdir(parents=True)
        for stem, size in zip(names, [(180, 180), (200, 190), (200, 190)], strict=True):
            Pillow.new("L", size, i).save(folder / name / f"{stem}.jpg")
    return folder


def test_augmented_copy_is_loaded_and_not_split(augmented):
    dataset = alzheimer.load(augmented)
    assert len(dataset) == 12
    assert dataset.labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert set(dataset.subjects) == {None}
    assert load_images(dataset, (6, 5)).shape == (12, 6, 5, 1)
    for options in ({}, {"independent": True}):
        with pytest.raises(InvalidInput, match="several altered versions of every slice"):
            split(dataset, **options)
    grouped = split(dataset, groups=range(12))
    assert [len(part) for _, part in grouped.parts()] == [4, 4, 4]


def test_names_of_ones_own_are_not_taken_for_the_augmented_copy(augmented):
    for number, file in enumerate(sorted(augmented.rglob("*.jpg"))):
        last = file.rename(file.with_name(f"img_{number}.jpg"))
    dataset = alzheimer.load(augmented)
    assert (dataset.no_split, set(dataset.subjects)) == (None, {None})
    assert "subjects_from_pixels" in dataset.notes[-1]
    with pytest.raises(InvalidInput, match="12 of 12 cases have no subject"):
        split(dataset)
    last.rename(last.with_name("0007b1d7-63b2-4bb3-9a1c-5dc04aaa1b57.jpg"))
    assert alzheimer.load(augmented).no_split


@pytest.fixture
def kagglehub(monkeypatch, halves, augmented):
    fake = types.ModuleType("kagglehub")
    fake.asked = []

    def dataset_download(handle):
        fake.asked.append(handle)
        return str(halves if handle.startswith("tourist55/") else augmented.parent)

    fake.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    return fake


def test_fetch_downloads_announces_and_loads(kagglehub, halves, capsys):
    assert table(alzheimer.fetch()) == table(alzheimer.load(halves))
    assert "ODbL" in capsys.readouterr().out
    said = []
    alzheimer.fetch("augmented", announce=said.append)
    assert said == [alzheimer.NOTICE]
    assert kagglehub.asked == [
        "tourist55/alzheimers-dataset-4-class-of-images",
        "uraninjo/augmented-alzheimer-mri-dataset",
    ]


@pytest.mark.slow
def test_fetch_takes_the_augmented_folder_where_both_are(kagglehub, augmented, halves):
    merged(halves, augmented.parent / "OriginalDataset")
    assert alzheimer.fetch("augmented", announce=str).no_split
    assert alzheimer.load(augmented.parent).no_split is None


def test_fetch_without_kagglehub_network_or_sense(kagglehub, monkeypatch):
    def refuse(handle):
        raise ConnectionError("no route to host")

    kagglehub.dataset_download = refuse
    with pytest.raises(XaimriError, match=r"no route to host.*by hand"):
        alzheimer.fetch(announce=str)
    with pytest.raises(InvalidInput, match="`which`"):
        inspect.unwrap(alzheimer.fetch)("both")  # past the type checker of the tests
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingExtra, match=r"xaimri\[download\]"):
        alzheimer.fetch(announce=str)


@pytest.fixture(scope="module")
def shared():
    folder = Path(os.environ.get("XAIMRI_SHARED", Path(__file__).parents[2].parent / "shared"))
    if not (folder / "data" / "alzheimer").is_dir():
        pytest.skip(f"the real slices are not at {folder}/data/alzheimer (set XAIMRI_SHARED)")
    return folder


@pytest.mark.real
def test_real_set_has_200_subjects_of_32_slices(shared):
    dataset = alzheimer.load(shared / "data" / "alzheimer")
    slices = {}
    for case in dataset:
        slices.setdefault(case.subject, []).append(case.slice)
    assert Counter(subject.split("/")[0] for subject in slices) == PEOPLE
    assert all(sorted(of) == list(range(1, 33)) for of in slices.values())
    named = {name: {p.split("/", 1)[1] for p in of.values()} for name, of in PUBLISHED.items()}
    assert {case.id for case in dataset} == set().union(*named.values())


@pytest.mark.real
def test_real_set_holds_no_copies_and_can_be_split(shared):
    dataset = alzheimer.load(shared / "data" / "alzheimer")
    assert find_copies(dataset.cases) == ()
    assert sum(len(part) for _, part in split(dataset).parts()) == 6400


@pytest.mark.real
def test_real_names_of_subjects(shared):
    recorded = shared / "models" / "test_subjects.json"
    if not recorded.is_file():
        pytest.skip(f"{recorded} is missing")
    subjects = set(alzheimer.load(shared / "data" / "alzheimer").subjects)
    assert set(json.loads(recorded.read_text())["test_subjects"]) <= subjects


@pytest.mark.real
def test_the_most_similar_next_slice_is_the_same_persons(shared):
    dataset = alzheimer.load(shared / "data" / "alzheimer")
    for position in (25, 26):  # the numbering changes at 26
        pair = [
            dataset.take([i for i, case in enumerate(dataset) if case.slice == position + step])
            for step in (0, 1)
        ]
        assert pair[0].subjects == pair[1].subjects
        a, b = (load_images(one, (52, 44)).reshape(len(one), -1) for one in pair)
        correlation = np.corrcoef(a, b)[: len(a), len(a) :]
        assert (correlation.argmax(axis=1) == np.arange(len(a))).all()

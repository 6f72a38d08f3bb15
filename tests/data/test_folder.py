from __future__ import annotations

import os
import re

import pytest

from frameworks import on_first_use
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
        (["a/1.png"], {"subject": "(?P<subject>)"}, "finds an empty name in the file name of `.*1.png`"),
        (["a/1.png"], {"subject": "(?P<subject>p[0-9])?"}, "finds an empty name"),
        (["a/1.png"], {"subject": lambda path: 1 / 0}, r"fails on `.*1.png` \(ZeroDivisionError: "),
        (["a/1.png"], {"classes": ["a", "a"]}, "`classes` must be folders that differ"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, names, options, sentence):
    grow(tmp_path, *names)
    with pytest.raises(InvalidInput, match=sentence):
        read_folder(tmp_path, **options)


def test_missing_folder(tmp_path):
    with pytest.raises(InvalidInput, match="there is no folder"):
        read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "names",
    [
        ["Train_set/a/1.png", "Test_set/a/1.png"],
        ["fold1/a/1.png", "fold2/a/1.png", "fold3/a/1.png"],
        ["Training/a/1.png", "Testing/a/1.png", "Pred/1.png"],
        ["01_train/a/1.png", "02_val/a/1.png", "03_testing_data/a/1.png"],
        ["train/a/1.png", "test/a/1.png", "chest/train/a/1.png"],
        ["a/1.png", "b/1.png", "TEST-images/2.png"],
        ["data/train/a/1.png", "data/test/a/1.png"],
        ["chest_xray/train/a/1.png", "chest_xray/val/a/1.png"],
        ["x/y/Trainingsdaten/a/1.png", "x/y/Testdaten/a/1.png"],
        ["split_1/a/1.png", "split_2/a/1.png"],
        ["train/1.png"],
    ],
)
def test_parts_of_a_split_are_never_classes(tmp_path, names):
    with pytest.raises(InvalidInput, match=r"parts? of a split.*`classes=`"):
        read_folder(grow(tmp_path, *names))


def test_a_refused_part_can_be_read_as_the_sentence_says(tmp_path):
    grow(tmp_path, "Train_set/images/a/1.png", "Train_set/images/b/1.png", "Test_set/images/a/2.png")
    with pytest.raises(InvalidInput, match=r"read one, such as `.*Train_set`"):
        read_folder(tmp_path)
    assert read_folder(tmp_path / "Train_set").classes == ("a", "b")
    assert read_folder(tmp_path, classes=["Test_set", "Train_set"]).labels.tolist() == [0, 1, 1]


def test_names_that_only_remind_of_a_part_are_classes(tmp_path):
    names = ("valid", "invalid", "test_positive", "test_negative", "testis", "grade2", "contrast", "latest")
    assert read_folder(grow(tmp_path, *(f"{name}/1.png" for name in names))).classes == tuple(sorted(names))


@pytest.mark.parametrize(
    "wrapper", ["data", "Brain_Tumor_Dataset", "archive (1)", "train", "Dataset/Dataset", "images/Training"]
)
def test_a_folder_around_the_classes_is_entered_and_told(tmp_path, wrapper):
    dataset = read_folder(grow(tmp_path, f"{wrapper}/a/1.png", f"{wrapper}/b/2.png"))
    assert dataset.classes == ("a", "b")
    assert [case.id for case in dataset] == ["a/1.png", "b/2.png"]
    assert dataset.notes == (f"The classes are the folders of `{wrapper}`.",)
    assert dataset.notes[0] in dataset.describe()
    assert dataset[:1].notes == dataset.notes


def test_a_folder_that_may_be_a_class_is_asked_about_and_both_answers_work(tmp_path):
    grow(tmp_path, "glioma/p1/1.png", "glioma/p2/1.png")
    with pytest.raises(InvalidInput, match=r"only folder.*p1, p2.*read `.*glioma`.*classes=\['glioma'\]"):
        read_folder(tmp_path)
    assert read_folder(tmp_path, classes=["glioma"]).classes == ("glioma",)
    assert read_folder(tmp_path / "glioma").classes == ("p1", "p2")
    assert read_folder(tmp_path, classes=["p2", "p1"]).labels.tolist() == [0, 1]
    grow(tmp_path, "glioma/p3.png")
    assert read_folder(tmp_path).classes == ("glioma",)  # it holds an image itself


def test_parts_inside_the_classes_are_read_together_and_told(tmp_path):
    dataset = read_folder(grow(tmp_path, "a/train/1.png", "a/test/2.png", "b/train/1.png"))
    assert (dataset.classes, len(dataset)) == (("a", "b"), 3)
    assert dataset.notes == (
        "The class folders hold parts of a split (test, train), which are read together.",
    )


def test_folders_that_all_hold_the_same_folders(tmp_path):
    sites = grow(tmp_path / "sites", "one/ill/1.png", "one/well/1.png", "two/ill/2.png", "two/well/2.png")
    assert "if these are the classes, read one folder deeper" in read_folder(sites).notes[0]
    for names in (
        ("OriginalDataset", "AugmentedDataset"),
        ("seg_train", "seg_test"),
        ("AlzheimerTrain", "AlzheimerTest"),
    ):
        copies = grow(tmp_path / names[0], *(f"{name}/{c}/1.png" for name in names for c in ("ill", "well")))
        with pytest.raises(InvalidInput, match=r"hold the same folders \(ill, well\): read one"):
            read_folder(copies)


def test_what_is_passed_over_is_counted_and_told(tmp_path):
    grow(
        tmp_path,
        "a/1.png",
        "a/.DS_Store",
        "a/.x/2.png",
        "a/s.doc",
        "a/t.doc",
        "b/1.png",
        "b/LICENSE",
        "3.png",
    )
    (tmp_path / "b/gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "b/again").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / os.fsdecode(b"a/scan\xff.png")).touch()
    (tmp_path / "a/ein Bild\u202f1.png").touch()  # as screenshots are named
    dataset = read_folder(tmp_path)
    assert len(dataset) == 3
    assert dataset.notes == (
        "Passed over: 1 beside the class folders, 2 hidden, 1 linked folders, 1 no regular file, "
        "1 with a name that can't be read, 3 no image by the ending (2 .doc, 1 without ending).",
    )
    with pytest.raises(
        InvalidInput, match=r"holds no image \(Passed over: 1 no image by the ending \(1 .doc"
    ):
        read_folder(grow(tmp_path / "c", "x/1.doc"))


def test_nothing_is_told_of_an_ordinary_folder(tmp_path):
    assert read_folder(grow(tmp_path, "a/p1/1.png", "a/p2/1.png", "b/p3/1.png")).notes == ()


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["1", "2", "10", "11", "3"], ("1", "10", "11", "2", "3")),
        (["b", "A", "a", "B"], ("A", "B", "a", "b")),
        (
            ["Non Demented", "mild", "Ärzte", "zebra", "_other"],
            ("Non Demented", "_other", "mild", "zebra", "Ärzte"),
        ),
        (["000", "0", "00"], ("0", "00", "000")),
        (["m", "a", ".ipynb_checkpoints"], ("a", "m")),
    ],
)
def test_classes_have_the_order_of_keras(tmp_path, names, order):
    """So a network that was trained on Keras' own labels of a folder is judged by the same ones."""
    with on_first_use():
        import keras
        from keras.src.legacy.preprocessing.image import ImageDataGenerator
    from PIL import Image

    for name in names:
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "1.png")
    ours = read_folder(tmp_path)
    assert ours.classes == order
    assert [case.label for case in ours] == list(range(len(order)))
    shown = {"image_size": (8, 8), "shuffle": False, "verbose": False}
    theirs = keras.utils.image_dataset_from_directory(tmp_path, **shown)
    assert tuple(theirs.class_names) == order
    if ".ipynb_checkpoints" not in names:  # the older reader takes hidden folders for classes
        flow = ImageDataGenerator().flow_from_directory(tmp_path, target_size=(8, 8), shuffle=False)
        assert flow.class_indices == {name: label for label, name in enumerate(order)}

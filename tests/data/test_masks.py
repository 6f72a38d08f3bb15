"""Masks in files are found by the name of their image, and what is missing or too many is counted."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from xaimri import LinearClassifier, evaluate_explanations
from xaimri.data import attach_masks, phantom, read_folder
from xaimri.errors import InvalidInput


def grow(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def masks_of(dataset, root):
    return {case.id: case.mask and case.mask.relative_to(root).as_posix() for case in dataset}


@pytest.mark.parametrize(
    ("masks", "where"),
    [
        (["answers/ill/p1/1.png"], "answers"),
        (["answers/ill/p1/1_mask.tif"], "answers"),
        (["answers/ill/p1/1.npy"], "answers"),
        (["answers/ill/masks/p1/1.png"], "answers"),
        (["data/masks/ill/p1/1.png"], None),
        (["data/Masks/ill/p1/1_mask.png"], None),
        (["data/ill/masks/p1/1.png"], None),
        (["data/ill/p1/1_mask.png"], None),
        (["data/ill/p1/mask/1.png"], None),
        (["data/seg/ill/p1/1.png"], "data/seg"),
        (["data/ill/seg/ill/p1/1.png"], "data/ill/seg"),
    ],
)
def test_a_mask_is_called_as_its_image(tmp_path, masks, where):
    """And is neither a case nor a class, wherever it lies."""
    grow(tmp_path, "data/ill/p1/1.jpg", "data/well/2.png", *masks)
    dataset = read_folder(tmp_path / "data", masks=None if where is None else tmp_path / where)
    assert dataset.classes == ("ill", "well")
    assert masks_of(dataset, tmp_path) == {"ill/p1/1.jpg": masks[0], "well/2.png": None}
    assert dataset.notes == ("Masks: 1 of 2 images have one.",)


def test_images_and_masks_in_folders_of_every_class_or_around_the_classes(tmp_path):
    inner = grow(
        tmp_path / "a", "ill/images/1.png", "ill/masks/1.png", "well/images/1.png", "well/masks/1.png"
    )
    outer = grow(
        tmp_path / "b", "images/ill/1.png", "images/well/1.png", "masks/ill/1.png", "masks/well/1.png"
    )
    for root in (inner, outer):
        dataset = read_folder(root)
        assert dataset.classes == ("ill", "well")
        assert [case.source.parts[-2 if root == outer else -3] for case in dataset] == ["ill", "well"]
        assert all("images" in case.source.parts and "masks" in case.mask.parts for case in dataset)
        assert all(("ill" in case.mask.parts) == (case.label == 0) for case in dataset)
        assert "Masks: 2 of 2 images have one." in dataset.notes


def test_a_name_alone_makes_no_mask(tmp_path):
    dataset = read_folder(grow(tmp_path, "ill/1_mask.png", "ill/2.png", "well/3.png"))
    assert [case.id for case in dataset] == ["ill/1_mask.png", "ill/2.png", "well/3.png"]
    assert not dataset.notes
    faces = read_folder(grow(tmp_path / "faces", "mask/1.png", "no_mask/2.png"), classes=["mask", "no_mask"])
    assert [case.id for case in faces] == ["mask/1.png", "no_mask/2.png"]
    with pytest.raises(InvalidInput, match=r"none of 1 masks in .*`classes="):
        read_folder(tmp_path / "faces")


def test_masks_without_an_image_are_counted(tmp_path):
    grow(tmp_path / "data", "ill/1.png", "ill/2.png", "well/3.png")
    grow(tmp_path / "masks", "ill/1.png", "ill/9.png", "old/1.png", "notes.txt")
    dataset = read_folder(tmp_path / "data")
    found = attach_masks(dataset, tmp_path / "masks")
    assert found.notes == (
        "Masks: 1 of 3 images have one.",
        "Masks of no image, passed over: 2, such as `1.png`.",
    )
    assert found.describe().endswith("\n".join(found.notes))
    assert all(case.mask is None for case in dataset)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "there is no folder .* of masks"),
        (["masks/readme.txt"], "holds no mask"),
        (
            ["masks/1.png"],
            r"none of 1 masks in .* is called as an image: that of `ill/1.png` must be `ill/1.\*`",
        ),
        (["masks/ill/1.png", "masks/ill/1_mask.png"], "are both called as the mask of `ill/1`"),
        (["masks/ill/1.png", "masks/ill/1.npy"], "are both called as the mask of `ill/1`"),
    ],
)
def test_masks_that_cannot_be_told_apart_are_one_sentence(tmp_path, names, sentence):
    grow(tmp_path, "data/ill/1.png", "data/well/2.png", *names)
    for read in (
        lambda: read_folder(tmp_path / "data", masks=tmp_path / "masks"),
        lambda: attach_masks(read_folder(tmp_path / "data"), tmp_path / "masks"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            read()


def test_numbers_from_files_are_those_from_arrays(tmp_path):
    cases = phantom.make(subjects=5, slices=1, size=(26, 22), seed=3)
    mask = np.zeros((26, 22), bool)
    mask[4:12, 6:16] = True
    for number, case in enumerate(cases):
        for kind, pixels in (("scans", case.source), ("masks", mask * np.uint8(255))):
            file = tmp_path / kind / cases.classes[case.label] / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
    read = read_folder(tmp_path / "scans", masks=tmp_path / "masks")
    model = LinearClassifier.random((13, 11, 1), classes=4, seed=1)
    found = evaluate_explanations(["input_x_gradient"], model, read, ["iou"], independent=True)
    expected = [case for n in range(5) for case in read if case.id.endswith(f"/{n}.png")]
    arrays = [replace(case, mask=mask) for case in expected]
    same = evaluate_explanations(["input_x_gradient"], model, arrays, ["iou"], independent=True)
    assert {row.case: row.value for row in found.rows} == {row.case: row.value for row in same.rows}
    assert not found.failures

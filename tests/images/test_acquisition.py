from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from scans import of_world
from xaimri.data import Case, Dataset, stack_images
from xaimri.images.acquisition import NEAR, Acquisition, axes_of
from xaimri.images.intake import Intake
from xaimri.images.picture import Picture

RAS = np.diag([1.0, 1.0, 1.0, 1.0])


def of(*edges, affine=None):
    pixels = np.zeros((4, 5, 6)[: len(edges)])
    return Picture(pixels, None if affine is not None else edges, affine)


def volume(*edges, signs=(1, 1, 1), tilt=0.0):
    """Return a volume of these voxels, turned about the first axis by a tilt in degrees."""
    angle = np.deg2rad(tilt)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(np.multiply(edges, signs))
    return Picture(np.zeros((4, 5, 6)), edges, affine)


def names(acquisition, image):
    return [caveat.name for caveat in acquisition.differences(image)]


def test_what_is_gathered_are_ranges_over_the_images_that_know():
    made = Acquisition.of([volume(1, 1, 1), volume(1, 1, 3), of(2.0, 1.0, 1.0), Picture(np.zeros((4, 5, 6)))])
    assert made == Acquisition(((1.0, 2.0), (1.0, 1.0), (1.0, 3.0)), (1.0, 3.0), ("RAS",))
    assert made.describe() == "1 to 2 x 1 x 1 to 3 mm"
    assert Acquisition.from_record(json.loads(json.dumps(made.record()))) == made
    assert Acquisition.of([Picture(np.zeros((4, 5, 6)))]) is None
    assert Acquisition.of([]) is None


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        ((1, 1, 1), []),
        ((1 + NEAR / 2, 1 - NEAR / 2, 1), []),
        ((1, 1, 1.2), ["other_spacing"]),
        ((1, 1, 5), ["other_spacing"]),
        ((0.8, 1, 1), ["other_spacing"]),
        ((2, 2, 2), ["other_spacing"]),
    ],
)
def test_another_spacing_is_told_beyond_a_few_percent(edges, told):
    assert names(Acquisition.of([volume(1, 1, 1), volume(1, 1, 1.02)]), volume(*edges)) == told


def test_shapes_of_pixels_that_no_training_image_had_are_told_within_the_ranges():
    cubes = Acquisition.of([volume(1, 1, 1), volume(3, 3, 3)])
    assert names(cubes, volume(2, 2, 2)) == []
    assert names(cubes, volume(1, 1, 3)) == ["other_spacing"]
    plates = Acquisition.of([volume(1, 1, 3), volume(3, 3, 9)])
    assert names(plates, volume(2, 2, 6)) == []
    assert names(plates, volume(3, 3, 3)) == ["other_spacing"]


def test_nothing_is_told_of_what_is_not_known():
    known = Acquisition.of([volume(1, 1, 1)])
    assert names(known, Picture(np.zeros((4, 5, 6)))) == []
    assert names(known, of(1.0, 1.0, 1.0)) == []
    assert names(Acquisition.of([of(1.0, 1.0, 1.0)]), volume(1, 1, 1, signs=(-1, 1, 1))) == []


def test_another_orientation_is_told_with_both():
    known = Acquisition.of([volume(1, 1, 1)])
    (caveat,) = known.differences(volume(1, 1, 1, signs=(-1, -1, 1)))
    assert caveat.name == "other_orientation"
    assert "the patient's right, front and top, and those of this one to left, back and top" in caveat.text
    both = Acquisition.of([volume(1, 1, 1), volume(1, 1, 1, signs=(-1, -1, 1))])
    assert both.orientations == ("LPS", "RAS")
    assert names(both, volume(1, 1, 1, signs=(-1, -1, 1))) == []
    assert names(both, volume(1, 1, 1, signs=(1, -1, 1))) == ["other_orientation"]


@pytest.mark.parametrize("tilt", [-47, -45, -20, 0, 20, 45, 47])
def test_oblique_scans_are_no_false_alarm_up_to_halfway(tilt):
    assert names(Acquisition.of([volume(1, 1, 1)]), volume(1, 1, 1, tilt=tilt)) == []
    assert names(Acquisition.of([volume(1, 1, 1)]), volume(1, 1, 1, tilt=90 + tilt / 4)) == [
        "other_orientation"
    ]


def test_axes_of_slices_are_those_of_their_plane():
    for plane, letters in (((0, 1), "RA"), ((1, 2), "AS"), ((2, 0), "SR")):
        affine = np.eye(4)
        affine[:3, :2] = np.eye(3)[:, plane]
        assert axes_of(affine, 2) == letters
        affine[:3, 1] *= -2
        assert axes_of(affine, 2) == letters[0] + {"A": "P", "S": "I", "R": "L"}[letters[1]]
    assert axes_of(np.zeros((4, 4))) is None


def test_slices_of_another_plane_are_told():
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    axial, coronal = (
        Picture(np.zeros((4, 5)), affine=affine),
        Picture(np.zeros((4, 5)), affine=affine[[0, 2, 1, 3]]),
    )
    intake = Intake((4, 5, 1), acquisition=Acquisition.of([Picture(np.zeros((4, 5)), (1, 1), affine)]))
    assert [caveat.name for caveat in intake.take(axial).caveats] == []
    assert [caveat.name for caveat in intake.take(coronal).caveats] == ["other_orientation"]


def test_scans_in_files_are_turned_by_themselves(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    shape = (6, 7, 8)
    affine = np.diag([-1.5, -1.5, 1.5, 1.0])
    files = {}
    for name, grid in {
        "lps": affine,
        "ras": np.diag([1.5, 1.5, 1.5, 1.0]),
        "thick": np.diag([1.5, 1.5, 6, 1]),
    }.items():
        files[name] = tmp_path / f"{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(of_world(grid, shape), grid), files[name])
    bare = nibabel.Nifti1Image(of_world(affine, shape), None)
    bare.header["pixdim"][1:4] = 1.5
    nibabel.save(bare, tmp_path / "bare.nii")
    data = Dataset(("a",), (Case("x", 0, None, files["lps"]), Case("y", 0, None, np.ones(shape))))
    acquisition = stack_images(data, shape).acquisition
    assert acquisition == Acquisition(((1.5, 1.5),) * 3, (1.0, 1.0), ("RAS",))
    intake = Intake((*shape, 1), acquisition=acquisition)
    told = {
        name: [caveat.name for caveat in intake.take(source).caveats]
        for name, source in {**files, "bare": tmp_path / "bare.nii", "array": np.ones(shape)}.items()
    }
    assert told == {
        "lps": [], "ras": [], "thick": ["other_spacing"], "bare": ["other_orientation"], "array": []
    }  # fmt: skip
    given = Picture(nibabel.load(files["lps"]).get_fdata(), affine=affine)
    assert [caveat.name for caveat in intake.take(given).caveats] == ["other_orientation"]


def test_scans_that_were_not_turned_are_told_where_others_were(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    shape = (6, 7, 8)
    for name, affine in (("a", np.diag([-1.0, 1.0, 1.0, 1.0])), ("b", None), ("c", None)):
        nibabel.save(nibabel.Nifti1Image(of_world(np.eye(4), shape), affine), tmp_path / f"{name}.nii")
    cases = [Case(name, 0, None, tmp_path / f"{name}.nii") for name in "abc"]
    with pytest.warns(UserWarning, match="2 of 3 scans, such as `b`, don't say how they lie"):
        stack_images(Dataset(("x",), tuple(cases)), shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stack_images(Dataset(("x",), tuple(cases[1:])), shape)
        stack_images(Dataset(("x",), (cases[0], Case("array", 0, None, np.ones(shape)))), shape)

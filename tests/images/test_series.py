"""A series of slices: sorted by place, on the scanner's axes, and refused where it isn't one stack."""

import numpy as np
import pytest

import xaimri
from scans import TILT, content, file_of, of_world, placed, series_of, value_at
from xaimri import InvalidInput, UnusableImage
from xaimri.data import Case
from xaimri.data.copies import find_copies
from xaimri.images import read_series

pydicom = pytest.importorskip("pydicom")
nib = pytest.importorskip("nibabel")


SHAPE = (6, 7)


def series(
    folder, places=range(5), *, along=(1, 0, 0), down=(0, 1, 0), spacing=(0.5, 0.75), step=2.0, **elements
):
    """Write slices whose values are those of their places in the world."""
    folder.mkdir(parents=True, exist_ok=True)
    along, down = np.array(along, float), np.array(down, float)
    normal = np.cross(along, down)
    rows, columns = np.indices(SHAPE)
    for number, place in enumerate(places):
        origin = np.array([-12.0, 8.0, 40.0]) + normal * place * step
        world = (
            origin[:, None, None]
            + down[:, None, None] * rows * spacing[0]
            + along[:, None, None] * columns * spacing[1]
        )
        stored = np.round(5000 + 100 * value_at(-world[0], -world[1], world[2]))
        made = file_of(
            stored, PixelSpacing=list(spacing), ImagePositionPatient=origin.tolist(),
            ImageOrientationPatient=[*along, *down], RescaleSlope=0.01, RescaleIntercept=-50,
            InstanceNumber=99 - number, **elements,
        )  # fmt: skip
        (folder / f"{(7 * number) % 13:03d}.dcm").write_bytes(content(made))
    return folder


@pytest.mark.parametrize(
    ("along", "down"),
    [
        ((1, 0, 0), (0, 1, 0)), ((0, 1, 0), (0, 0, -1)), ((1, 0, 0), (0, 0, -1)), ((-1, 0, 0), (0, 1, 0)),
        (TILT, (0, 1, 0)),
    ],
    ids=["axial", "sagittal", "coronal", "mirrored", "oblique"],
)  # fmt: skip
def test_each_voxel_keeps_its_place(along, down, tmp_path):
    found = read_series(series(tmp_path / "s", along=along, down=down))
    expected = of_world(found.affine, found.pixels.shape[:3])
    np.testing.assert_allclose(found.pixels[..., 0], expected, atol=0.006)
    assert (np.abs(found.affine[:3, :3]).argmax(axis=0) == [0, 1, 2]).all()
    assert (np.diag(found.affine[:3, :3]) > 0).all()
    assert sorted(found.spacing) == pytest.approx([0.5, 0.75, 2.0])


def test_one_slice_is_as_thick_as_it_says(tmp_path):
    found = read_series(series(tmp_path / "s", places=[0], SliceThickness=3.5))
    assert found.spacing == pytest.approx((0.75, 0.5, 3.5))


def write(folder, name, dataset):
    (folder / name).write_bytes(content(dataset))
    return folder


def test_damaged_slices_and_foreign_files_are_named(tmp_path):
    cut = series(tmp_path / "cut")
    (cut / "001.dcm").write_bytes((cut / "001.dcm").read_bytes()[:300])
    empty = series(tmp_path / "empty")
    (empty / "x.dcm").touch()
    nested = series(tmp_path / "nested")
    series(nested / "more")
    for folder, name in ((cut, "001.dcm"), (empty, "x.dcm"), (nested, "more")):
        with pytest.raises(UnusableImage, match=rf"no DICOM image beside its slices \({name}\)|damaged"):
            read_series(folder)


@pytest.mark.parametrize("fields", [{"BitsStored": None}, {"Rows": 99}, {"PixelData": b"12"}])
def test_a_broken_slice_is_one_sentence(fields, tmp_path):
    folder = series(tmp_path / "s")
    made = file_of(np.ones(SHAPE), ImagePositionPatient=[-12, 8, 50], PixelSpacing=[0.5, 0.75],
                   ImageOrientationPatient=[1, 0, 0, 0, 1, 0])  # fmt: skip
    for name, value in fields.items():
        setattr(made, name, value)
    (folder / "x.dcm").write_bytes(content(made))
    with pytest.raises(UnusableImage, match=r"^[^\n]+\.$"):
        read_series(folder)


def test_a_slice_that_is_shifted_in_its_plane_is_told(tmp_path):
    folder = series(tmp_path / "s")
    import pydicom

    file = folder / "007.dcm"
    dataset = pydicom.dcmread(file)
    x, y, z = map(float, dataset.ImagePositionPatient)
    dataset.ImagePositionPatient = [x + 50, y, z]
    file.write_bytes(content(dataset))
    with pytest.raises(UnusableImage, match="shifted against each other"):
        read_series(folder)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([0, 1, 3, 4], "has 4 slices 2 mm apart, but 4 mm between"),
        ([0, 1, 1, 2], "holds two slices in one place"),
    ],
)
def test_gaps_and_doubles_are_told(places, said, tmp_path):
    with pytest.raises(UnusableImage, match=said):
        read_series(series(tmp_path / "s", places=places))


@pytest.mark.parametrize(("step", "digits"), [(1.25, 1), (0.625, 2), (0.9375, 2)])
def test_places_that_a_scanner_has_rounded_are_one_stack(step, digits, tmp_path):
    values, origins = placed((40, 5, 4), step=step)
    found = read_series(series_of(values, np.round(origins, digits)))
    assert found.pixels.shape == (4, 5, 40, 1)
    assert found.spacing[2] == pytest.approx(step, abs=2 * 10.0**-digits / 39)
    expected = of_world(found.affine, found.pixels.shape[:3])
    np.testing.assert_allclose(found.pixels[..., 0], expected, atol=10.0**-digits)  # less than 1 a mm


def test_two_stacks_of_nearly_one_spacing_are_told():
    values, origins = placed((20, 5, 4), step=3.0)
    origins[10:, 2] = origins[9, 2] + 3.2 * np.arange(1, 11)
    with pytest.raises(UnusableImage, match="shifted against each other"):
        read_series(series_of(values, origins))


def test_what_is_not_one_stack_is_listed(tmp_path):
    two = series(tmp_path / "two")
    other = series(tmp_path / "other", places=[9], SliceThickness=1.0) / "000.dcm"
    (two / "x.dcm").write_bytes(other.read_bytes().replace(b"1.2.3\0", b"1.2.4\0"))
    with pytest.raises(
        UnusableImage, match=r"holds 2 series \(0 of 5 slices of 6 x 7, 1 of 1 slice of 6 x 7\)"
    ):
        read_series(two)
    for which in (0, "1.2.3"):
        assert read_series(two, series=which).pixels.shape == (7, 6, 5, 1)
    assert read_series(two, series=1).spacing[2] == 1
    for which in (2, -1, "1.2.5"):
        with pytest.raises(InvalidInput, match=r"`series` must be .* \(0 of 5 slices"):
            read_series(two, series=which)
    bare = write(series(tmp_path / "bare"), "x.dcm", file_of(np.ones(SHAPE)))
    with pytest.raises(UnusableImage, match=r"holds 1 slice without a place \(x.dcm\): give"):
        read_series(bare)
    mixed = write(series(tmp_path / "mixed"), "x.dcm", file_of(np.ones((3, 4))))
    with pytest.raises(UnusableImage, match="holds slices of 5 of 6 x 7 x 1, 1 of 3 x 4 x 1 values"):
        read_series(mixed)
    turned = series(series(tmp_path / "turned"), places=[20], along=(0, 1, 0), down=(0, 0, -1))
    with pytest.raises(UnusableImage, match="several directions or spacings"):
        read_series(turned)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    for folder, said in (("empty", "holds no DICOM image"), ("gone", "there is no folder")):
        with pytest.raises(UnusableImage, match=said):
            read_series(tmp_path / folder)
    series(tmp_path / "export" / "study 1" / "T1")
    series(tmp_path / "export" / "study 2")
    with pytest.raises(UnusableImage, match="the slices lie deeper, give one of study 1/T1, study 2"):
        read_series(tmp_path / "export")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PatientID", "Doe-9", "of 2 patients"), ("StudyInstanceUID", "1.9.8", "of 2 studies"),
        ("FrameOfReferenceUID", "1.9.7", "of 2 frames of reference"), ("Modality", "PT", "of 2 modalities"),
        ("SeriesNumber", 0, "of 2 series numbers"),
    ],
)  # fmt: skip
def test_slices_that_no_series_can_share_are_told(name, value, said, tmp_path):
    """Where UIDs were taken away or replaced by one, slices of two people can make an even stack."""
    folder = series(tmp_path / "s", FrameOfReferenceUID="1.2.9", Modality="MR", SeriesNumber=3)
    files = sorted(folder.iterdir())
    assert read_series(folder).pixels.shape == (7, 6, 5, 1)
    one = pydicom.dcmread(files[2])
    setattr(one, name, value)
    files[2].write_bytes(content(one))
    with pytest.raises(UnusableImage, match=f"^`[^`]*` holds slices {said}: ") as told:
        read_series(folder)
    assert str(value) not in str(told.value).removeprefix(f"`{folder}`") or name == "SeriesNumber"
    delattr(one, name)  # not said: nothing to be told
    files[2].write_bytes(content(one))
    assert read_series(folder).pixels.shape == (7, 6, 5, 1)


def test_a_map_of_a_series_is_written_where_the_series_lies(tmp_path):
    picture = read_series(series(tmp_path / "s"))
    found = xaimri.explain(
        lambda images: np.tile([0.3, 0.7], (len(images), 1)), picture, "occlusion", regions=3
    )
    written = nib.load(found.to_nifti(tmp_path / "map.nii.gz"))
    np.testing.assert_allclose(written.affine, picture.affine, atol=1e-5)
    assert written.shape == picture.pixels.shape[:3]


class Volumes(xaimri.LinearClassifier):
    """A classifier of volumes of 5 x 6 x 7, and no other."""


def of_volumes():
    return Volumes(np.random.default_rng(0).normal(size=(2, 7, 6, 5, 1)).astype(np.float32))


def one(model, image, **settings):
    return xaimri.explain(model, image, "saliency", **settings)


def test_a_folder_or_a_list_of_slices_is_one_image(tmp_path):
    import pydicom

    folder = series(tmp_path / "s")
    expected = one(of_volumes(), read_series(folder))
    listed = [pydicom.dcmread(file) for file in sorted(folder.iterdir())]
    for source in (folder, str(folder), listed, Case("a", 0, None, folder)):
        found = one(of_volumes(), source)
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.affine, expected.affine)
    seen = []

    def score(images):
        seen.append(images.shape[1:])
        return np.tile([0.3, 0.7], (len(images), 1))

    assert xaimri.explain(score, folder, "occlusion", regions=2).values.shape == (7, 6, 5)
    assert seen[0] == (7, 6, 5, 1)
    seen.clear()
    series(tmp_path / "t" / "u")
    for several, names in ((folder, ["s"]), (listed, ["0"]), (tmp_path, ["s", "t/u"])):
        assert xaimri.explain_all(score, several, "occlusion", regions=2).names == tuple(names)
    assert {shape for shape in seen if shape} == {(7, 6, 5, 1)}
    for each in (folder, listed):
        with pytest.raises(InvalidInput, match="one image is explained here"):
            one(xaimri.LinearClassifier.random((6, 7, 1)), each)


def test_folders_of_slices_are_images_beside_others(tmp_path):
    root = tmp_path / "all"
    first, second = series(root / "p1" / "MR1"), series(root / "p2" / "MR1", step=3.0)
    for file in second.iterdir():
        file.rename(file.with_suffix(""))  # as scanners name them
    two = series(root / "p3")
    other = series(tmp_path / "other", places=[9]) / "000.dcm"
    (two / "x.dcm").write_bytes(other.read_bytes().replace(b"1.2.3\0", b"1.2.4\0"))
    picture = read_series(first)
    nib.save(nib.Nifti1Image(picture.pixels[..., 0], picture.affine), root / "z.nii.gz")
    found = xaimri.explain_all(of_volumes(), root, "saliency")
    assert list(found.names) == ["p1/MR1", "p2/MR1", "z.nii.gz"]
    assert found[1].spacing == pytest.approx((0.75, 0.5, 3))
    assert "holds 2 series" in str(found.failures["p3"])
    assert found.notes == ()
    np.testing.assert_allclose(found[0].values, found[2].values, rtol=1e-5)
    assert list(xaimri.explain_all(of_volumes(), first, "saliency").names) == ["MR1"]
    assert len(xaimri.explain_all(of_volumes(), [first, second], "saliency")) == 2
    slices = xaimri.explain_all(xaimri.LinearClassifier.random((6, 7, 1)), first, "saliency")
    assert list(slices.names) == [file.name for file in sorted(first.iterdir())]


def test_a_folder_of_pictures_is_several_images_as_before(tmp_path):
    from PIL import Image

    Image.fromarray(np.zeros((6, 7), np.uint8)).save(tmp_path / "a.png")
    for model in (of_volumes(), xaimri.LinearClassifier.random((6, 7, 1))):
        with pytest.raises(InvalidInput, match="a folder can hold several: use `explain_all`"):
            one(model, tmp_path)


def test_copies_of_a_series_are_found_by_their_voxels(tmp_path):
    first, second = series(tmp_path / "a"), series(tmp_path / "b", SliceThickness=2.0)
    picture = read_series(first)
    nib.save(nib.Nifti1Image(picture.pixels[..., 0], picture.affine), tmp_path / "z.nii.gz")
    other = series(tmp_path / "c", step=3.0)
    cases = [
        Case(str(at), 0, None, file) for at, file in enumerate((first, other, second, tmp_path / "z.nii.gz"))
    ]
    assert find_copies(cases) == ((0, 2, 3),)

"""NIfTI scans: each voxel keeps its place in the world, in every orientation, there and back."""

import contextlib
import gzip
import io
import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import xaimri
from scans import of_world
from xaimri import InvalidInput, MissingExtra, UnusableImage
from xaimri.data.copies import find_copies
from xaimri.explanations import file_stems
from xaimri.images import Picture, nifti, nifti_maps, read_mask, read_picture

nib = pytest.importorskip("nibabel")

SHAPE = (5, 6, 7)
DIRECTION = np.array([0.3, -0.2, 0.5])
ORIENTATIONS = [
    np.array([[a, f] for a, f in zip(axes, flips, strict=True)], float)
    for axes in itertools.permutations(range(3))
    for flips in itertools.product((1, -1), repeat=3)
]


def rotated(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def affine_of(orientation, angle=0.0, spacing=(1.0, 2.0, 3.5)):
    """Return an affine whose axes point as told, turned by an angle, and not of one spacing."""
    matrix = np.zeros((4, 4))
    for axis, (world, flip) in enumerate(orientation):
        matrix[int(world), axis] = flip * spacing[axis]
    matrix[:3, :3] = rotated(angle) @ matrix[:3, :3]
    matrix[:3, 3], matrix[3, 3] = (-40.0, 12.5, 7.0), 1
    return matrix


def saved(path, affine, kind=nib.Nifti1Image, dtype=np.float32, **header):
    image = kind(of_world(affine, SHAPE).astype(dtype), affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def explained(source):
    """Return a map that is the scan itself: each pixel's intensity."""

    class Mean:
        classes = ("a", "b")

        def logits(self, images, /):
            flat = images.reshape(len(images), -1).mean(axis=1)
            return np.stack([flat, -flat], axis=1)

        def gradient(self, images, objective, /):
            raise NotImplementedError

    return xaimri.explain(Mean(), source, xaimri.Occlusion(window=1, absent=0.0), of="logit", target=0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_voxel_keeps_its_place_in_every_orientation(orientation, tmp_path):
    for angle in (0.0, 0.2):
        affine = affine_of(orientation, angle)
        path = saved(tmp_path / f"{angle}.nii.gz", affine)
        found = read_picture(path, 3)
        np.testing.assert_allclose(
            found.pixels[..., 0], of_world(found.affine, found.pixels.shape[:3]), atol=1e-4
        )
        assert (np.abs(found.affine[:3, :3]).argmax(axis=0) == [0, 1, 2]).all()
        assert (np.diag(found.affine[:3, :3]) > 0).all()
        np.testing.assert_allclose(found.spacing, np.linalg.norm(found.affine[:3, :3], axis=0))
        back = tmp_path / "back.nii"
        nib.save(nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "map"), back)
        again, first = nib.load(back), nib.load(path)
        assert again.shape == SHAPE
        np.testing.assert_array_equal(again.affine, first.affine)
        np.testing.assert_array_equal(again.get_fdata(), first.get_fdata())


@pytest.mark.parametrize("forms", [(1, 0), (0, 1), (4, 1), (0, 0)])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_the_form_of_the_header_is_kept(forms, kind, tmp_path):
    affine = affine_of(ORIENTATIONS[5], 0.1)
    image = kind(of_world(affine, SHAPE), affine)
    image.header["descrip"], image.header["aux_file"] = b"Doe, Jane", b"/home/doe"
    image.set_sform(affine, forms[0])
    image.set_qform(affine, forms[1])
    nib.save(image, tmp_path / "scan.nii")
    found = read_picture(tmp_path / "scan.nii", 3)
    assert (found.affine is None) == (forms == (0, 0))
    assert sorted(found.spacing) == pytest.approx([1.0, 2.0, 3.5], rel=1e-5)
    target = tmp_path / "map.nii"
    nib.save(nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "map"), target)
    again = nib.load(target)
    assert type(again) is kind
    assert (int(again.header["sform_code"]), int(again.header["qform_code"])) == forms
    np.testing.assert_allclose(again.affine, nib.load(tmp_path / "scan.nii").affine, atol=1e-5)
    np.testing.assert_array_equal(again.get_fdata(), image.get_fdata())
    assert again.header.get_zooms() == pytest.approx(image.header.get_zooms())
    assert b"Doe" not in target.read_bytes()


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_lengths_are_millimetres_whatever_the_file_s_unit(unit, factor, tmp_path):
    affine = affine_of(ORIENTATIONS[0])
    image = nib.Nifti1Image(of_world(affine, SHAPE), affine)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "scan.nii")
    found = read_picture(tmp_path / "scan.nii", 3)
    np.testing.assert_allclose(found.spacing, np.array([1.0, 2.0, 3.5]) * factor, rtol=1e-6)
    np.testing.assert_allclose(found.affine[:3], affine[:3] * factor, rtol=1e-6)
    nib.save(nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "map"), tmp_path / "map.nii")
    assert nib.load(tmp_path / "map.nii").header.get_xyzt_units()[0] == unit
    np.testing.assert_allclose(nib.load(tmp_path / "map.nii").affine, affine, rtol=1e-6)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_a_map_of_a_scan_without_orientation_has_the_sides_of_its_voxels(unit, factor, tmp_path):
    image = nib.Nifti1Image(of_world(np.eye(4), SHAPE), np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header.set_xyzt_units(unit)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "scan.nii")
    found = read_picture(tmp_path / "scan.nii", 3)
    assert found.affine is None
    assert found.spacing == pytest.approx((2 * factor, 3 * factor, 4 * factor))
    nib.save(nifti_maps.image_of(found.pixels[..., 0], None, found.scan, "map"), tmp_path / "map.nii")
    again = nib.load(tmp_path / "map.nii").header
    assert again.get_zooms() == pytest.approx((2, 3, 4))
    assert again.get_xyzt_units()[0] == unit


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_are_scaled_as_the_header_says(dtype, order, tmp_path):
    stored = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
    image = nib.Nifti1Image(stored, np.eye(4), header)
    image.header.set_slope_inter(2.0, -3.0)
    for ending in nifti.SUFFIXES:
        path = tmp_path / f"scan{ending}"
        nib.save(image, path)
        content = path.read_bytes()
        for source in (path, content, nib.load(path)):
            np.testing.assert_allclose(read_picture(source, 3).pixels[..., 0], nib.load(path).get_fdata())


def test_a_map_lies_on_its_scan(tmp_path):
    """The strongest voxel of the map is that of the scan, in millimetres of the scanner."""
    affine = affine_of(ORIENTATIONS[29], 0.3)
    voxels = np.ones(SHAPE, np.float32)
    voxels[1, 4, 5] = 50
    nib.save(nib.Nifti1Image(voxels, affine), tmp_path / "scan.nii.gz")
    found = explained(tmp_path / "scan.nii.gz")
    path = found.to_nifti(tmp_path / "map.nii.gz")
    written = nib.load(path)
    assert np.unravel_index(written.get_fdata().argmax(), SHAPE) == (1, 4, 5)
    np.testing.assert_array_equal(written.affine, nib.load(tmp_path / "scan.nii.gz").affine)
    peak = np.unravel_index(found.values.argmax(), found.values.shape)
    np.testing.assert_allclose(found.affine @ [*peak, 1], affine @ [1, 4, 5, 1], atol=1e-4)
    record = json.loads((tmp_path / "map.json").read_text())
    assert (record["target_class"], record["scan"]["shape"]) == ("a", list(SHAPE))
    kept = xaimri.load(found.store(tmp_path / "kept"))
    again = kept.to_nifti(tmp_path / "again.nii")
    np.testing.assert_array_equal(nib.load(again).get_fdata(), written.get_fdata())


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("ending", nifti.SUFFIXES)
def test_a_map_is_written_over_a_map_and_over_nothing_else(kind, ending, tmp_path):
    path = saved(tmp_path / f"scan{ending}", affine_of(ORIENTATIONS[2]), kind)
    before = path.read_bytes()
    found = explained(path)
    with pytest.raises(InvalidInput, match="is there already, and is no map of xaimri: give another name"):
        found.to_nifti(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    target = found.to_nifti(tmp_path / f"map{ending}")
    assert found.to_nifti(target) == target
    (tmp_path / "map.json").write_text('{"RepetitionTime": 2}')
    with pytest.raises(InvalidInput, match=r"map.json` is there already"):
        found.to_nifti(target)
    assert (tmp_path / "map.json").read_text() == '{"RepetitionTime": 2}'


def test_standard_errors_go_beside_the_map(tmp_path):
    affine = affine_of(ORIENTATIONS[3])
    path = saved(tmp_path / "scan.nii", affine)
    found = xaimri.explain(
        lambda images: np.stack([0.5 + (m := images.mean(axis=(1, 2, 3, 4)) / 99), 0.5 - m], axis=1),
        path, "lime", samples=30, regions=5, absent=0.0,
    )  # fmt: skip
    assert found.errors is not None
    found.to_nifti(tmp_path / "map.nii")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["map.json", "map.nii", "map_errors.nii", "scan.nii"]
    orientation = nib.orientations
    turn = orientation.io_orientation(affine)
    errors = nib.load(tmp_path / "map_errors.nii").get_fdata()
    np.testing.assert_allclose(orientation.apply_orientation(errors, turn), found.errors, rtol=1e-6)


def test_both_forms_of_a_header_are_written_as_they_were(tmp_path):
    first, second = affine_of(ORIENTATIONS[0]), affine_of(ORIENTATIONS[0], spacing=(2.0, 2.0, 3.5))
    second[:3, 3] += 50
    image = nib.Nifti1Image(of_world(first, SHAPE), first)
    image.set_sform(first, 4)
    image.set_qform(second, 1)
    nib.save(image, tmp_path / "scan.nii")
    found = read_picture(tmp_path / "scan.nii", 3)
    nib.save(nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "map"), tmp_path / "map.nii")
    scan, map_ = nib.load(tmp_path / "scan.nii"), nib.load(tmp_path / "map.nii")
    np.testing.assert_allclose(map_.get_qform(), scan.get_qform(), atol=1e-4)
    np.testing.assert_allclose(map_.get_sform(), scan.get_sform(), atol=1e-4)
    assert map_.header.get_zooms() == pytest.approx(scan.header.get_zooms())


def test_an_image_of_nibabel_is_where_its_affine_says(tmp_path):
    image = nib.load(saved(tmp_path / "scan.nii", np.diag([1.0, 2.0, 3.0, 1.0])))
    image.affine[0, 3] = 100
    assert read_picture(image, 3).affine[0, 3] == 100
    with pytest.raises(UnusableImage, match="one real number a voxel"):
        read_picture(nib.Nifti1Image(np.ones(SHAPE, np.complex64), np.eye(4)), 3)


def test_errors_of_another_map_do_not_stay_beside_a_map(tmp_path):
    found = explained(Picture(np.ones(SHAPE), affine=np.eye(4)))
    target = replace(found, errors=np.ones(SHAPE, np.float32)).to_nifti(tmp_path / "map.nii")
    assert (tmp_path / "map_errors.nii").exists()
    replace(found, errors=None).to_nifti(target)
    assert not (tmp_path / "map_errors.nii").exists()
    (tmp_path / "map_errors.nii").mkdir()
    with pytest.raises(InvalidInput, match="is there already"):
        found.to_nifti(target)


def test_spacing_is_that_of_the_affine():
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    assert read_picture(Picture(np.ones(SHAPE), affine=affine), 3).spacing == (1.0, 2.0, 3.0)
    with pytest.raises(
        UnusableImage, match="has a spacing of 5 x 5 x 5 mm, and by its affine of 1 x 2 x 3 mm"
    ):
        read_picture(Picture(np.ones(SHAPE), spacing=(5, 5, 5), affine=affine), 3)


def test_a_mask_must_lie_where_its_scan_lies(tmp_path):
    affine = affine_of(ORIENTATIONS[4])
    scan = saved(tmp_path / "scan.nii", affine)
    inside = np.zeros(SHAPE, np.uint8)
    inside[1:3, 2:4, 3:5] = 1
    nib.save(nib.Nifti1Image(inside, affine), tmp_path / "mask.nii")
    nib.save(nib.Nifti1Image(inside, affine + np.eye(4) * [[0], [0], [0], [0]]), tmp_path / "same.nii")
    moved = affine.copy()
    moved[0, 3] += 30
    nib.save(nib.Nifti1Image(inside, moved), tmp_path / "moved.nii")
    image = read_picture(scan, 3)
    space = image.pixels.shape[:3]
    turned = nib.as_closest_canonical(nib.load(tmp_path / "mask.nii")).get_fdata() > 0
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.nii", space, image=image), turned)
    with pytest.raises(InvalidInput, match="another affine than its image"):
        read_mask(tmp_path / "moved.nii", space, image=image)
    with pytest.raises(InvalidInput, match="is an array, and its scan was turned"):
        read_mask(inside.reshape(space), space, image=image)


def test_one_scan_in_several_files_is_a_copy(tmp_path):
    affine = affine_of(ORIENTATIONS[0])
    saved(tmp_path / "a.nii", affine)
    saved(tmp_path / "b.nii.gz", affine)
    flipped = nib.load(tmp_path / "a.nii").as_reoriented(np.array([[2, 1], [0, -1], [1, 1]]))
    nib.save(flipped, tmp_path / "c.nii")
    saved(tmp_path / "d.nii", affine_of(ORIENTATIONS[0], 0.2))
    cases = [xaimri.data.Case(n, 0, n, tmp_path / n) for n in ("a.nii", "b.nii.gz", "c.nii", "d.nii")]
    assert find_copies(cases) == ((0, 1, 2),)


def test_a_picture_with_an_affine_is_written_by_it(tmp_path):
    affine = affine_of(ORIENTATIONS[0], 0.1)
    found = explained(Picture(of_world(affine, SHAPE), affine=affine, spacing=(1.0, 2.0, 3.5)))
    written = nib.load(found.to_nifti(tmp_path / "map.nii"))
    np.testing.assert_allclose(written.affine, affine, atol=1e-5)
    np.testing.assert_array_equal(written.get_fdata(), found.values)
    with pytest.raises(InvalidInput, match="where the pixels of this explanation lie is not known"):
        explained(Picture(np.ones((4, 5)))).to_nifti(tmp_path / "other.nii")
    with pytest.raises(InvalidInput, match=r"must end in .nii or .nii.gz"):
        found.to_nifti(tmp_path / "map.png")
    assert {p.name for p in tmp_path.iterdir()} == {"map.json", "map.nii", "map_errors.nii"}


def broken(tmp_path, **fields):
    path = tmp_path / "scan.nii"
    content = bytearray(saved(path, affine_of(ORIENTATIONS[0])).read_bytes())
    header = nib.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(header.binaryblock + bytes(content[348:]))
    return path


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1]}, "unfolds to 27,000,000,000,000 pixels"),
        ({"dim": [3, -5, 6, 7, 1, 1, 1, 1]}, "says that it holds -5 x 6 x 7 voxels"),
        ({"dim": [3, 0, 6, 7, 1, 1, 1, 1]}, "says that it holds 0 x 6 x 7 voxels"),
        ({"dim": [9, 5, 6, 7, 1, 1, 1, 1]}, "scan.nii"),
        ({"dim": [4, 5, 6, 3, 2, 1, 1, 1]}, "holds 2 volumes"),
        ({"vox_offset": 1e9}, "voxels begin at byte 1000000000"),
        ({"vox_offset": -4}, "voxels begin at byte -4"),
        ({"vox_offset": np.nan}, "voxels begin at byte nan"),
        ({"datatype": 128}, "must hold one real number a voxel"),
        ({"datatype": 32}, "must hold one real number a voxel"),
        ({"datatype": 12345}, "holds voxels of no known kind"),
        ({"srow_x": [np.nan] * 4}, "has an affine that"),
        ({"srow_x": [1e30, 0, 0, 0]}, r"voxels of 1e\+30 x .* mm by its affine: mend"),
        ({"bitpix": 64}, "says that a voxel has 64 bits"),
        ({"srow_x": [0, 0, 0, 0]}, "has an affine that"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": 5.0}, "has no valid orientation"),
        ({"xyzt_units": 5}, r"doesn't know \(xyzt_units 5\)"),
        ({"magic": b"ni1"}, "is a header without its voxels"),
    ],
)  # fmt: skip
def test_a_hostile_header_is_refused_before_its_voxels_are_read(fields, said, tmp_path, capfd):
    with pytest.raises(UnusableImage, match=said) as refusal:
        read_picture(broken(tmp_path, **fields), 3)
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", nifti.SUFFIXES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_what_is_cut_short_is_refused(ending, share, tmp_path):
    path = saved(tmp_path / f"scan{ending}", affine_of(ORIENTATIONS[0]))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnusableImage, match=r"cut short|no image that can be read"):
        read_picture(path, 3)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_header_is_read_or_refused_in_a_sentence(data):
    affine = affine_of(ORIENTATIONS[7], 0.1)
    content = bytearray(nib.Nifti1Image(of_world(affine, SHAPE), affine).to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(40, 347))] = data.draw(st.integers(0, 255))
    source = gzip.compress(bytes(content), 1) if data.draw(st.booleans()) else bytes(content)
    with contextlib.suppress(UnusableImage):
        assert np.isfinite(read_picture(source, 3).pixels).all()


def test_files_that_others_wrote():
    folder = Path(nib.__file__).parent / "tests" / "data"
    names = ["anatomical.nii", "standard.nii.gz"]
    there = [folder / name for name in names if (folder / name).is_file()]
    if not there:
        pytest.skip("nibabel was installed without its test files")
    for path in there:
        found, theirs = read_picture(path, 3), nib.as_closest_canonical(nib.load(path))
        np.testing.assert_allclose(found.pixels[..., 0], theirs.get_fdata(), rtol=1e-6)
        np.testing.assert_allclose(found.affine, theirs.affine)


def test_a_function_gets_a_scan_whole_however_it_is_given(tmp_path):
    path = saved(tmp_path / "scan.nii.gz", affine_of(ORIENTATIONS[3]))
    content, given = path.read_bytes(), []

    def network(images):
        given.append(images.shape[1:])
        return np.tile([0.25, 0.75], (len(images), 1))

    with path.open("rb") as opened:
        opened.seek(7)
        for source in (path, nib.load(path), content, bytearray(content), memoryview(content), opened):
            found = xaimri.explain(network, source, xaimri.Occlusion(window=9), target=0)
            assert found.affine is not None
            assert set(given) == {(*found.values.shape, 1)}
    assert len(found.values.shape) == 3
    flat = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(flat, "PNG")
    assert xaimri.explain(network, flat, xaimri.Occlusion(window=9), target=0).values.shape == (8, 8)


def test_slices_and_a_missing_package_are_one_sentence(tmp_path, monkeypatch):
    path = saved(tmp_path / "scan.nii", affine_of(ORIENTATIONS[0]))
    with pytest.raises(UnusableImage, match="is a volume of 5 x 6 x 7 voxels, and the model takes slices"):
        read_picture(path, 2)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(MissingExtra, match=r'run `pip install "xaimri\[neuro\]"`'):
        read_picture(path, 3)


def test_an_mgh_image_is_taken_with_its_affine():
    affine = affine_of(ORIENTATIONS[11], 0.1)
    image = nib.MGHImage(of_world(affine, SHAPE), affine)
    found = read_picture(image, 3)
    np.testing.assert_allclose(
        found.pixels[..., 0], of_world(found.affine, found.pixels.shape[:3]), atol=1e-3
    )


def test_folders_list_scans(tmp_path):
    for kind in ("ill", "well"):
        (tmp_path / kind).mkdir()
        for name in ("sub-1.nii.gz", "sub-2.nii"):
            saved(tmp_path / kind / f"{kind}_{name}", affine_of(ORIENTATIONS[0]))
    data = xaimri.data.read_folder(tmp_path, subject=r"(?P<subject>\w+_sub-\d)")
    assert [case.subject for case in data] == ["ill_sub-1", "ill_sub-2", "well_sub-1", "well_sub-2"]
    assert file_stems(["a/sub-1.nii.gz"]) == ["a_sub-1"]


def test_map_errors_and_record_are_written_together_or_not_at_all(tmp_path, monkeypatch):
    found = xaimri.explain(
        xaimri.LinearClassifier.random((*SHAPE, 1), classes=2),
        Picture(np.ones(SHAPE), affine=np.eye(4)),
        "saliency",
    )
    first = replace(found, errors=np.ones(SHAPE, np.float32))
    target = first.to_nifti(tmp_path / "map.nii")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    other = replace(found, values=found.values + 1, errors=np.zeros(SHAPE, np.float32), target=1)
    save, calls = nib.save, []

    for end in (KeyboardInterrupt(), OSError(28, "No space left on device")):

        def dies(image, place, end=end):
            calls.append(place)
            if len(calls) % 2 == 0:
                raise end
            save(image, place)

        monkeypatch.setattr(nib, "save", dies)
        with pytest.raises(type(end)) as stop:
            other.to_nifti(target)
        assert "partial" not in str(stop.value)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    monkeypatch.undo()
    for name in ("x" * 243 + ".nii.gz", "x" * 246 + ".nii"):  # the name of the errors is longer
        with pytest.raises(InvalidInput, match="give a shorter one"):
            first.to_nifti(tmp_path / name)

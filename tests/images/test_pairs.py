"""Scans in two files: by either of them, and without sides where the format has none."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from scans import of_world
from xaimri import UnusableImage
from xaimri.data import read_folder
from xaimri.data.case import Case
from xaimri.data.copies import find_copies
from xaimri.images import nifti_maps, read_picture
from xaimri.images.files import holds_volume, scan_shape

nib = pytest.importorskip("nibabel")

AFFINE = np.array([[0, 0, 2.5, -10], [-1.5, 0, 0, 20], [0, -3.5, 0, 5], [0, 0, 0, 1.0]])
SHAPE = (5, 6, 7)
GIVEN = Path(nib.__file__).parent / "tests" / "data"
VALUES = of_world(AFFINE, SHAPE)
BOTH = [nib.Nifti1Pair, nib.Nifti2Pair]
ANALYZE = [nib.AnalyzeImage, nib.Spm99AnalyzeImage, nib.Spm2AnalyzeImage]


def saved(folder, kind, ending=".img", name="scan", values=VALUES):
    image = kind(values, AFFINE if kind in BOTH else np.diag([-1.5, 3.5, 2.5, 1]))
    nib.save(image, folder / f"{name}{ending}")
    for told in (".mat", ".mat.gz"):  # of SPM, which may say where the voxels lie
        (folder / f"{name}{told}").unlink(missing_ok=True)
    return folder / f"{name}{ending.replace('img', 'hdr')}", folder / f"{name}{ending}"


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("ending", [".img", ".img.gz"])
def test_a_pair_of_nifti_is_read_by_either_file(kind, ending, tmp_path):
    for path in saved(tmp_path, kind, ending):
        found = read_picture(path, 3)
        expected = of_world(found.affine, found.pixels.shape[:3])
        np.testing.assert_allclose(found.pixels[..., 0], expected, atol=1e-3)
        assert holds_volume(path)
        assert scan_shape(path) == SHAPE
        nib.save(
            nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "x"), tmp_path / "map.nii"
        )
        written = nib.load(tmp_path / "map.nii")
        np.testing.assert_allclose(written.affine, AFFINE, atol=1e-6)
        np.testing.assert_allclose(written.get_fdata(), VALUES, atol=1e-5)


@pytest.mark.parametrize("kind", ANALYZE)
@pytest.mark.parametrize("ending", [".img", ".img.gz"])
def test_analyze_has_a_spacing_and_no_sides(kind, ending, tmp_path):
    if kind is nib.AnalyzeImage and ending != ".img":
        pytest.skip("nibabel writes it unpacked alone")
    both = saved(tmp_path, kind, ending)
    for path in (*both, nib.load(both[1])):
        found = read_picture(path, 3)
        np.testing.assert_allclose(found.pixels[..., 0], VALUES, atol=1e-5)
        assert found.spacing == (1.5, 3.5, 2.5)
        assert found.affine is None
        nib.save(
            nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "x"), tmp_path / "map.nii"
        )
        written = nib.load(tmp_path / "map.nii")
        np.testing.assert_allclose(written.get_fdata(), VALUES, atol=1e-5)
        assert (written.header["sform_code"], written.header["qform_code"]) == (0, 0)
        assert written.header.get_zooms() == (1.5, 3.5, 2.5)


def test_an_affine_that_somebody_gave_an_analyze_image_is_kept():
    found = read_picture(nib.Spm99AnalyzeImage(VALUES, AFFINE), 3)
    expected = of_world(found.affine, found.pixels.shape[:3])
    np.testing.assert_allclose(found.pixels[..., 0], expected, atol=1e-3)


@pytest.mark.parametrize("unit", [b"", b"mm", b"cm", b"odd"])
def test_units_of_analyze(unit, tmp_path):
    header, _ = saved(tmp_path, nib.AnalyzeImage)
    content = bytearray(header.read_bytes())
    content[56:60] = unit.ljust(4, b"\0")
    header.write_bytes(content)
    factor = {b"cm": 10, b"odd": None}.get(unit, 1)
    wanted = None if factor is None else (1.5 * factor, 3.5 * factor, 2.5 * factor)
    assert read_picture(header, 3).spacing == wanted


def test_big_ends_and_scales(tmp_path):
    header = nib.Spm2AnalyzeHeader(endianness=">")
    whole = np.arange(210, dtype=">i2").reshape(SHAPE, order="F")
    header.set_data_dtype(np.int16)
    header.set_data_shape(SHAPE)
    header["scl_slope"], header["pixdim"][1:4] = 0.5, (1, 2, 3)
    (tmp_path / "a.HDR").write_bytes(header.binaryblock)
    (tmp_path / "a.IMG").write_bytes(whole.tobytes(order="F"))
    for path in (tmp_path / "a.HDR", tmp_path / "a.IMG"):
        np.testing.assert_array_equal(read_picture(path, 3).pixels[..., 0], whole * 0.5)


@pytest.mark.parametrize("name", ["analyze.hdr", "nifti1.hdr", "nifti2.hdr"])
def test_headers_that_others_wrote_have_no_voxels_beside_them(name, tmp_path):
    shutil.copy(GIVEN / name, tmp_path / name)
    for source in (tmp_path / name, (tmp_path / name).read_bytes()):
        with pytest.raises(UnusableImage, match="without its voxels"):
            read_picture(source, 3)
    (tmp_path / name).with_suffix(".img").write_bytes(b"\0" * 10)
    with pytest.raises(UnusableImage):  # cut short
        read_picture(tmp_path / name, 3)


def test_voxels_without_a_header(tmp_path):
    header, voxels = saved(tmp_path, nib.AnalyzeImage)
    header.unlink()
    with pytest.raises(UnusableImage, match="its header is not there"):
        read_picture(voxels, 3)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (42, np.array([30000] * 3, "<i2").tobytes(), "27,000,000,000,000 "),
        (42, np.array([-5], "<i2").tobytes(), "-5"),
        (42, np.array([50] * 3, "<i2").tobytes(), "damaged"),
        (42, np.array([5, 6, 7, 3], "<i2").tobytes(), "voxels|volumes|damaged"),
        (70, np.array([999], "<i2").tobytes(), "no known kind"),
        (108, np.array([np.nan], "<f4").tobytes(), "begin at byte nan"),
        (108, np.array([1e30], "<f4").tobytes(), "begin at byte"),
        (108, np.array([-4], "<f4").tobytes(), "begin at byte -4"),
    ],
)
def test_broken_headers_are_refused(place, value, words, tmp_path):
    header, _ = saved(tmp_path, nib.AnalyzeImage)
    content = bytearray(header.read_bytes())
    content[place : place + len(value)] = value
    if len(value) == 8:
        content[40:42] = (4).to_bytes(2, "little")
    header.write_bytes(content)
    with pytest.raises(UnusableImage, match=words):
        read_picture(header, 3)


def test_sides_that_are_no_numbers_are_not_known(tmp_path):
    header, _ = saved(tmp_path, nib.AnalyzeImage)
    content = bytearray(header.read_bytes())
    content[80:84] = np.float32(np.nan).tobytes()
    header.write_bytes(content)
    found = read_picture(header, 3)
    assert found.spacing is None
    nib.save(nifti_maps.image_of(found.pixels[..., 0], found.affine, found.scan, "x"), tmp_path / "map.nii")


def test_a_voxel_file_that_ends_within_its_packing(tmp_path):
    header, voxels = saved(tmp_path, nib.Nifti1Pair, ".img.gz")
    voxels.write_bytes(gzip.compress(gzip.decompress(voxels.read_bytes()))[:-20])
    with pytest.raises(UnusableImage, match="damaged"):
        read_picture(header, 3)


def test_a_folder_counts_a_pair_once_and_tells_scans_apart(tmp_path):
    for number, kind in enumerate(("ill", "well")):
        (tmp_path / kind).mkdir()
        saved(tmp_path / kind, nib.AnalyzeImage, name=kind, values=VALUES + number)
    data = read_folder(tmp_path, subject=r"(?P<subject>\w+)")
    assert [case.source.name for case in data] == ["ill.hdr", "well.hdr"]
    assert not find_copies(data)
    shutil.copy(tmp_path / "ill" / "ill.img", tmp_path / "well" / "well.img")
    cases = [Case(case.id, case.label, None, case.source) for case in data]
    assert find_copies(cases)

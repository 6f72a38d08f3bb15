"""MGH volumes: each voxel keeps its place, and broken files are one sentence."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

import xaimri
from scans import of_world
from xaimri import UnusableImage
from xaimri.data import read_folder
from xaimri.images import read_picture
from xaimri.images.files import holds_volume, scan_shape
from xaimri.images.mgh import is_mgh

nib = pytest.importorskip("nibabel")

AFFINE = np.array([[0, 0.3, 2.9, -10], [-1.1, 0.1, 0, 20], [0, -1.9, 0.4, 5], [0, 0, 0, 1.0]])
SHAPE = (5, 6, 7)
GIVEN = Path(nib.__file__).parent / "tests" / "data" / "test.mgz"


def volume(dtype=np.float32):
    return nib.MGHImage(of_world(AFFINE, SHAPE).astype(dtype), AFFINE)


def changed(place, value):
    """Return the bytes of a file with others at a place."""
    whole = bytearray(volume().to_bytes())
    whole[place : place + len(value)] = value
    return bytes(whole)


def explained(source):
    class Mean:
        classes = ("a", "b")

        def logits(self, images, /):
            flat = images.reshape(len(images), -1).mean(axis=1)
            return np.stack([flat, -flat], axis=1)

        def gradient(self, images, objective, /):
            raise NotImplementedError

    return xaimri.explain(Mean(), source, xaimri.Occlusion(window=1, absent=0.0), of="logit", target=0)


@pytest.mark.parametrize("ending", [".mgh", ".mgz", ".png"])
def test_each_voxel_keeps_its_place(tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    held = volume().to_bytes()
    path.write_bytes(gzip.compress(held) if ending == ".mgz" else held)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes()), volume()):
        found = read_picture(source, 3)
        expected = of_world(found.affine, found.pixels.shape[:3])
        np.testing.assert_allclose(found.pixels[..., 0], expected, atol=1e-3)
        lengths = sorted(np.linalg.norm(AFFINE[:3, :3], axis=0))
        np.testing.assert_allclose(sorted(found.spacing), lengths, rtol=1e-6)
    assert holds_volume(path)
    assert scan_shape(path) == SHAPE


def test_a_map_lies_on_the_grid_of_the_volume(tmp_path):
    path = tmp_path / "scan.mgz"
    nib.save(volume(), path)
    explanation = explained(path)
    explanation.to_nifti(tmp_path / "map.nii.gz")
    written = nib.load(tmp_path / "map.nii.gz")
    assert written.shape == SHAPE
    assert written.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(written.affine, AFFINE, atol=1e-5)
    own = nib.load(path).get_fdata()
    np.testing.assert_allclose(written.get_fdata(), 2 * own / 2 / own.size, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_kinds_of_voxels_are_read_as_nibabel_reads_them(dtype):
    image = volume(dtype)
    found = read_picture(image.to_bytes(), 3).pixels[..., 0]
    np.testing.assert_array_equal(found, nib.as_closest_canonical(image).get_fdata(dtype=np.float32))


def test_a_file_that_others_wrote():
    with pytest.raises(UnusableImage, match="holds 2 volumes"):
        read_picture(GIVEN, 3)
    image = nib.load(GIVEN)
    first = nib.MGHImage(np.asarray(image.dataobj)[..., 0], image.affine, image.header)
    found = read_picture(first.to_bytes(), 3)
    wanted = nib.as_closest_canonical(first)
    np.testing.assert_array_equal(found.pixels[..., 0], wanted.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(found.affine, wanted.affine, atol=1e-5)


@pytest.mark.parametrize("flag", [0, -1])
def test_without_a_good_flag_the_place_is_not_known(flag, tmp_path):
    path = tmp_path / "scan.mgh"
    path.write_bytes(changed(28, flag.to_bytes(2, "big", signed=True)))
    found = read_picture(path, 3)
    assert found.affine is None
    assert found.spacing is None
    np.testing.assert_array_equal(found.pixels[..., 0], of_world(AFFINE, SHAPE))
    explained(path).to_nifti(tmp_path / "map.nii")
    written = nib.load(tmp_path / "map.nii")
    assert written.shape == SHAPE
    assert (written.header["sform_code"], written.header["qform_code"]) == (0, 0)


def big(number):
    return np.array(number, ">i4").tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(4, big([10**6] * 3)), "1,000,000,000,000,000,000 "),
        (changed(4, big(-5)), "-5"),
        (changed(4, big([400, 400, 400])), "damaged"),
        (changed(20, big(9)), "no known kind"),
        (changed(30, np.array(np.nan, ">f4").tobytes()), "affine"),
        (changed(30, np.array(0, ">f4").tobytes()), "affine"),
        (changed(42, np.zeros(9, ">f4").tobytes()), "affine"),
        (volume().to_bytes()[:500], "damaged"),
        (volume().to_bytes()[:60], "damaged"),
        (gzip.compress(volume().to_bytes())[:-200], "damaged"),
        (gzip.compress(changed(4, big([10**6] * 3))), "1,000,000,000,000,000,000 "),
    ],
)
def test_broken_files_are_refused_in_a_sentence(content, words, tmp_path):
    path = tmp_path / "scan.mgz"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(UnusableImage) as refusal:
            read_picture(source, 3)
        assert words in str(refusal.value)


def test_a_file_of_many_zeros_is_not_unpacked():
    header = changed(4, big([10**4, 10**4, 10**3]))[:284]
    with pytest.raises(UnusableImage, match="100,000,000,000 "):
        read_picture(gzip.compress(header + b"\0" * 10**6), 3)


def test_others_are_no_volumes():
    for content in (b"", b"\0\0\0\1", b"\0\1\0\0" * 80, b"\0" * 300, gzip.compress(b"\0" * 300)):
        assert not is_mgh(io.BytesIO(content))


def test_folders_list_volumes(tmp_path):
    for kind in ("ill", "well"):
        (tmp_path / kind).mkdir()
        nib.save(volume(), tmp_path / kind / f"{kind}.mgz")
    assert len(read_folder(tmp_path, subject=r"(?P<subject>\w+)")) == 2

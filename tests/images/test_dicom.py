"""DICOM files: values as the file means them, geometry as it says, and no patient in what is kept."""

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest

import xaimri
from scans import content, file_of
from xaimri import MissingExtra, UnusableImage
from xaimri.images import read_picture

pydicom = pytest.importorskip("pydicom")

OTHERS = Path(pydicom.__file__).parent / "data" / "test_files"


STORED = np.arange(20).reshape(4, 5) * 100


def test_values_are_rescaled_and_geometry_is_of_the_scanner(tmp_path):
    made = file_of(
        STORED, RescaleSlope=2, RescaleIntercept=-1024, PixelSpacing=[0.5, 0.75],
        ImagePositionPatient=[-10, 20, 30], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )  # fmt: skip
    (tmp_path / "a.dcm").write_bytes(content(made))
    for source in (tmp_path / "a.dcm", content(made), made):
        found = read_picture(source)
        np.testing.assert_array_equal(found.pixels[..., 0], STORED * 2.0 - 1024)
        assert found.spacing == (0.5, 0.75)
        # row 3, column 2: 1.5 mm to the right of the first along x of DICOM, 1.5 mm to the back
        np.testing.assert_allclose(found.affine @ [3, 2, 0, 1], [10 - 1.5, -20 - 1.5, 30, 1])


def test_signed_values_and_white_as_the_smallest():
    signed = file_of(STORED - 700, signed=True, bits=12)
    np.testing.assert_array_equal(read_picture(signed).pixels[..., 0], STORED - 700)
    inverse = file_of(STORED, bits=12, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_picture(inverse).pixels[..., 0], 4095 - STORED)
    both = file_of(STORED - 700, signed=True, bits=12, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_picture(both).pixels[..., 0], -1 - (STORED - 700))


def test_slope_and_intercept_hold_apart_and_nonsense_is_refused():
    np.testing.assert_array_equal(read_picture(file_of(STORED, RescaleSlope=2)).pixels[..., 0], STORED * 2)
    np.testing.assert_array_equal(
        read_picture(file_of(STORED, RescaleIntercept=-5)).pixels[..., 0], STORED - 5
    )
    with pytest.raises(UnusableImage, match="slope or intercept"):
        read_picture(file_of(STORED, RescaleSlope=0, RescaleIntercept=0))
    with pytest.raises(UnusableImage, match="holds HSV values"):
        read_picture(file_of(STORED, PhotometricInterpretation="HSV"))


def test_bits_that_lie_elsewhere_are_refused():
    with pytest.raises(UnusableImage, match="up to bit 15, and by the standard 12 bits lie up to bit 11"):
        read_picture(file_of(STORED << 4, bits=12, HighBit=15))
    held = file_of(STORED | 0xF000, bits=12)  # an overlay in the bits above, as old files have it
    np.testing.assert_array_equal(read_picture(held).pixels[..., 0], STORED)
    del held.HighBit
    np.testing.assert_array_equal(read_picture(held).pixels[..., 0], STORED)
    packed = file_of(STORED << 4, bits=12, HighBit=15)
    packed.compress(pydicom.uid.RLELossless)
    with pytest.raises(UnusableImage, match="up to bit 15"):
        read_picture(packed)


def test_a_data_set_without_its_preamble_is_told(tmp_path):
    whole = content(file_of(STORED))
    bare = whole[132 + 12 + int.from_bytes(whole[140:144], "little") :]
    (tmp_path / "IM1").write_bytes(bare)
    with pytest.raises(UnusableImage, match=r"DICOM without the 132 bytes .*: .*`dcmconv` of dcmtk"):
        read_picture(tmp_path / "IM1")
    (tmp_path / "IM2").write_bytes(b"no image at all" * 20)
    with pytest.raises(
        UnusableImage, match=r"is no image that can be read: give .*, NIfTI, MGH or DICOM, or"
    ):
        read_picture(tmp_path / "IM2")


def test_a_mosaic_of_slices_is_no_slice():
    with pytest.raises(UnusableImage, match="is a mosaic, whose slices lie side by side"):
        read_picture(file_of(STORED, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]))
    assert read_picture(file_of(STORED, ImageType=["ORIGINAL", "PRIMARY"])).pixels.shape == (4, 5, 1)


def test_frames_are_a_volume_and_no_slice():
    frames = np.arange(60).reshape(3, 4, 5)
    made = file_of(frames, NumberOfFrames=3)
    np.testing.assert_array_equal(read_picture(made, 3).pixels[..., 0], frames)
    with pytest.raises(UnusableImage, match="holds 3 frames, and the model takes slices"):
        read_picture(made)


def test_what_is_wrong_is_one_sentence(tmp_path, monkeypatch, capfd):
    cut = content(file_of(STORED))[:-10]
    bare = file_of(STORED)
    del bare.PixelData
    wide = file_of(STORED)
    wide.Rows = wide.Columns = 60000
    for source, said in (
        (cut, "is damaged, cut short"),
        (bare, "without pixels that can be shown"),
        (wide, "unfolds to 3,600,000,000 pixels"),
        (content(wide), "unfolds to 3,600,000,000 pixels"),
    ):
        with pytest.raises(UnusableImage, match=said) as refusal:
            read_picture(source)
        assert "\n" not in str(refusal.value)
        assert "ecret" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match=r'run `pip install "xaimri\[neuro\]"`'):
        read_picture(content(file_of(STORED)))


def test_no_patient_is_in_what_is_kept(tmp_path):
    (tmp_path / "a.dcm").write_bytes(content(file_of(STORED, PixelSpacing=[1, 1])))
    found = xaimri.explain(
        lambda images: np.tile([0.3, 0.7], (len(images), 1)), tmp_path / "a.dcm", "occlusion", regions=4
    )
    found.store(tmp_path / "kept")
    found.save(tmp_path / "a.png")
    kept = b"".join(
        file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.suffix != ".dcm"
    )
    assert b"ecret" not in kept
    assert "ecret" not in repr(found)


def test_files_that_others_wrote(capfd):
    if not OTHERS.is_dir():
        pytest.skip("pydicom was installed without its test files")
    read = 0
    for file in sorted(OTHERS.glob("*.dcm")):
        with contextlib.suppress(UnusableImage):
            assert np.isfinite(read_picture(file).pixels).all()
            read += 1
    assert read > 30
    assert capfd.readouterr() == ("", "")
    small = pydicom.dcmread(OTHERS / "CT_small.dcm")
    np.testing.assert_array_equal(
        read_picture(OTHERS / "CT_small.dcm").pixels[..., 0],
        small.pixel_array * float(small.RescaleSlope) + float(small.RescaleIntercept),
    )

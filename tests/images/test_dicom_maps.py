"""Maps as DICOM: on the planes of the source slices, of its patient, and read by others without complaint."""

import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import xaimri
from scans import TILT, content, enhanced_of, file_of, of_patient, placed, series_of
from xaimri import InvalidInput, MissingExtra
from xaimri.images import Picture, read_picture, read_series

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom")
nib = pytest.importorskip("nibabel")


def explained(picture, method=None):
    """Explain by a function whose map has a value of its own in each region."""
    image = read_picture(picture, 3) if not isinstance(picture, Picture) else picture
    weights = np.linspace(-1, 1, image.pixels.size).reshape(image.pixels.shape)

    def score(images):
        p = 1 / (1 + np.exp(-(images * weights).mean(axis=tuple(range(1, images.ndim)))))
        return np.stack([1 - p, p], axis=1)

    return xaimri.explain(score, image, method or xaimri.Occlusion(window=2), target=1)


def planes_of(written):
    """Return the place of each frame of a written map, and its values."""
    groups = written.PerFrameFunctionalGroupsSequence
    places = [tuple(map(float, each.PlanePositionSequence[0].ImagePositionPatient)) for each in groups]
    return dict(
        zip(
            places, np.atleast_3d(written.pixel_array.reshape(-1, written.Rows, written.Columns)), strict=True
        )
    )


CASES = {
    "axial": {}, "sagittal": {"along": (0, 1, 0), "down": (0, 0, -1)}, "oblique": {"along": TILT},
    "mirrored": {"along": (-1, 0, 0)}, "anisotropic": {"spacing": (0.4, 1.3), "step": 7.0},
}  # fmt: skip


@pytest.mark.parametrize("form", ["series", "enhanced"])
@pytest.mark.parametrize("case", CASES)
def test_each_value_lies_on_its_slice(case, form, tmp_path):
    geometry = dict(CASES[case])
    values, origins = placed((3, 6, 7), **geometry)
    geometry.pop("step", None)
    if form == "series":
        source = series_of(values, origins, **geometry)
    else:
        source = [of_patient(enhanced_of(values, origins, order=[2, 0, 1], **geometry))]
    found = explained(read_series(source))
    file = found.to_dicom(tmp_path / "map.dcm", source=source)
    written = pydicom.dcmread(file)
    assert written.SOPClassUID.name == "Parametric Map Storage"
    planes = planes_of(written)
    np.testing.assert_allclose(sorted(planes), sorted(map(tuple, origins)), atol=1e-8)
    shared = written.SharedFunctionalGroupsSequence[0]
    down, along = (
        np.array(geometry.get(k, v), float) for k, v in (("down", (0, 1, 0)), ("along", (1, 0, 0)))
    )
    np.testing.assert_allclose(shared.PlaneOrientationSequence[0].ImageOrientationPatient, [*along, *down])
    spacing = geometry.get("spacing", (0.5, 0.75))
    np.testing.assert_allclose(shared.PixelMeasuresSequence[0].PixelSpacing, spacing, rtol=1e-9)
    for origin, plane in planes.items():  # every pixel through the map's own affine, in canonical indices
        rows, columns = np.indices(plane.shape)
        world = np.array(origin)[:, None, None]
        world = (
            world
            + np.multiply.outer(down * spacing[0], rows)
            + np.multiply.outer(along * spacing[1], columns)
        )
        ras = np.stack([-world[0], -world[1], world[2], np.ones_like(world[0])])
        at = np.einsum("ij,j...->i...", np.linalg.inv(found.affine), ras)[:3]
        np.testing.assert_allclose(at, np.round(at), atol=1e-6)
        index = tuple(np.round(at).astype(int))
        np.testing.assert_array_equal(plane, found.values.astype(np.float32)[index])


def test_a_map_read_again_is_the_map(tmp_path):
    values, origins = placed((4, 6, 7), TILT)
    source = series_of(values, origins, TILT)
    found = explained(read_series(source))
    again = read_picture(found.to_dicom(tmp_path / "map.dcm", source=source), 3)
    np.testing.assert_array_equal(again.pixels[..., 0], found.values.astype(np.float32))
    np.testing.assert_allclose(again.affine, found.affine, atol=1e-6)


def test_the_object_belongs_to_its_patient_and_says_what_it_is(tmp_path):
    values, origins = placed((3, 6, 7))
    source = series_of(values, origins)
    before = [content(each) for each in source]
    regions = np.arange(7 * 6 * 3).reshape(7, 6, 3) % 4
    found = explained(read_series(source), method=xaimri.LIME(samples=40, regions=regions))
    file = found.to_dicom(tmp_path / "map.dcm", source=source)
    written = pydicom.dcmread(file)
    for name in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "StudyInstanceUID",
        "AccessionNumber",
        "StudyDate",
    ):
        assert written[name].value == source[0][name].value
    assert written.SeriesInstanceUID != source[0].SeriesInstanceUID
    held = {
        each.ReferencedSOPInstanceUID
        for each in written.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert held == {each.SOPInstanceUID for each in source}
    assert written.ReferencedSeriesSequence[0].SeriesInstanceUID == source[0].SeriesInstanceUID
    mapping = written.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeMeaning == found.unit
    errors = pydicom.dcmread(tmp_path / "map_errors.dcm")
    assert errors.ContentLabel == "STANDARD_ERROR"
    assert errors.SeriesInstanceUID != written.SeriesInstanceUID
    np.testing.assert_allclose(
        np.sort(errors.pixel_array, axis=None), np.sort(found.errors.astype(np.float32), axis=None)
    )
    assert [content(each) for each in source] == before
    replace(found, errors=None).to_dicom(tmp_path / "map.dcm", source=source)  # over a map, whose errors go
    assert not (tmp_path / "map_errors.dcm").exists()


def checked(file):
    """Return what dciodvfy and dcmdump complain of."""
    missing = [name for name in ("dciodvfy", "dcmdump") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} are not installed (Debian: dicom3tools, dcmtk)")
    verified = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True)
    dumped = subprocess.run(["dcmdump", "-q", str(file)], capture_output=True, text=True)
    lines = [*verified.stdout.splitlines(), *verified.stderr.splitlines(), *dumped.stderr.splitlines()]
    assert dumped.returncode == 0
    return [line for line in lines if line.startswith(("Error", "Warning", "E:", "W:"))]


def test_other_programs_read_it_without_complaint(tmp_path):
    values, origins = placed((3, 6, 7), TILT)
    regions = np.arange(7 * 6 * 3).reshape(7, 6, 3) % 4
    source = series_of(values, origins, TILT)
    found = explained(read_series(source), xaimri.LIME(samples=40, regions=regions))
    single = explained(read_picture(source[1]))
    enhanced = [of_patient(enhanced_of(values, origins, TILT))]
    other = explained(read_series(enhanced))
    bare = of_patient(file_of(np.arange(42).reshape(6, 7)))
    for file in (
        explained(read_picture(bare)).to_dicom(tmp_path / "b.dcm", source=bare, kind="secondary_capture"),
        found.to_dicom(tmp_path / "map.dcm", source=source),
        tmp_path / "map_errors.dcm",
        found.to_dicom(tmp_path / "figure.dcm", source=source, kind="secondary_capture"),
        single.to_dicom(tmp_path / "slice.dcm", source=source),
        other.to_dicom(tmp_path / "enhanced.dcm", source=enhanced),
    ):
        assert checked(file) == [], file.name


def test_a_picture_is_a_secondary_capture(tmp_path):
    values, origins = placed((3, 6, 7))
    source = series_of(values, origins, BurnedInAnnotation="YES")
    found = explained(read_series(source))
    file = found.to_dicom(
        tmp_path / "f.dcm", source=source, kind="secondary_capture", style="mosaic", footnote=False
    )
    written = pydicom.dcmread(file)
    assert written.SOPClassUID.name == "Secondary Capture Image Storage"
    assert written.PhotometricInterpretation == "RGB"
    assert written.PatientID == source[0].PatientID
    assert written.BurnedInAnnotation == "YES"  # what is in the scan's pixels is in the picture
    assert len(written.SourceImageSequence) == 3
    drawn = written.pixel_array
    assert drawn.shape[2] == 3
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20
    with pytest.raises(InvalidInput, match="`style` is of pictures"):
        found.to_dicom(tmp_path / "g.dcm", source=source, style="mosaic")


def test_only_the_scan_that_was_explained_is_its_source(tmp_path):
    values, origins = placed((3, 6, 7))
    source = series_of(values, origins)
    found = explained(read_series(source))
    target = tmp_path / "map.dcm"
    for other, said in (
        (series_of(values + 1, origins), "its values are others"),  # another contrast in the same place
        (series_of(values, origins + np.array([0, 0, 5])), "it lies elsewhere in the scanner"),
        (series_of(values, origins, spacing=(0.5, 0.8)), "it lies elsewhere in the scanner"),
        (series_of(*placed((4, 6, 7))), "it has 7 x 6 x 4 voxels, and the explained one 7 x 6 x 3"),
        (source[:2], "it has 7 x 6 x 2 voxels"),
        (tmp_path, "holds no DICOM image"),
        (tmp_path / "gone.dcm", "there is no file or folder"),
        (7, "a series is a folder or a list"),
    ):
        with pytest.raises(InvalidInput, match=said) as refusal:
            found.to_dicom(target, source=other)
        assert "ecret" not in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert not target.exists()
    both = [*series_of(values + 1, origins, number=2), *source, *series_of(*placed((1, 3, 4)), number=3)]
    written = pydicom.dcmread(found.to_dicom(target, source=both))  # the right one of several series
    assert written.ReferencedSeriesSequence[0].SeriesInstanceUID == source[0].SeriesInstanceUID


def test_a_map_is_never_written_among_its_slices(tmp_path):
    series = tmp_path / "series"
    series.mkdir()
    for number, one in enumerate(series_of(*placed((3, 6, 7)))):
        (series / str(number)).write_bytes(content(one))
    found = explained(read_series(series))
    for kind in ("parametric_map", "secondary_capture"):
        with pytest.raises(
            InvalidInput, match=r"would lie among the slices.*: write it into another folder\."
        ):
            found.to_dicom(series / "map.dcm", source=series, kind=kind)
    assert len(list(series.iterdir())) == 3
    assert found.to_dicom(tmp_path / "map.dcm", source=series).exists()


def test_of_a_slice_the_source_is_that_slice(tmp_path):
    values, origins = placed((3, 6, 7), TILT)
    source = series_of(values, origins, TILT)
    found = explained(read_picture(source[2]))
    written = pydicom.dcmread(found.to_dicom(tmp_path / "map.dcm", source=source))
    assert written.SourceImageSequence[0].ReferencedSOPInstanceUID == source[2].SOPInstanceUID
    ((place, plane),) = planes_of(written).items()
    np.testing.assert_allclose(place, origins[0])
    np.testing.assert_array_equal(plane, found.values.astype(np.float32))
    for form, given in (("file", tmp_path / "a.dcm"), ("data set", source[2])):
        (tmp_path / "a.dcm").write_bytes(content(source[2]))
        found.to_dicom(tmp_path / f"{form}.dcm", source=given)
    with pytest.raises(InvalidInput, match="is not the slice that was explained"):
        found.to_dicom(tmp_path / "map.dcm", source=source[:2])


def test_a_slice_without_a_place_has_pictures_alone(tmp_path):
    bare = of_patient(file_of(np.arange(42).reshape(6, 7)))
    found = explained(read_picture(bare))
    with pytest.raises(InvalidInput, match="does not say where it lies in the scanner: write kind="):
        found.to_dicom(tmp_path / "map.dcm", source=bare)
    found.to_dicom(tmp_path / "map.dcm", source=bare, kind="secondary_capture")
    frames = of_patient(file_of(np.arange(126).reshape(3, 6, 7), NumberOfFrames=3))
    cine = explained(read_picture(frames, 3))
    with pytest.raises(InvalidInput, match="does not say where it lies in the scanner"):
        cine.to_dicom(tmp_path / "map.dcm", source=frames)
    cine.to_dicom(tmp_path / "map.dcm", source=frames, kind="secondary_capture")


def test_what_has_no_source_is_told(tmp_path):
    values, origins = placed((3, 6, 7))
    source = series_of(values, origins)
    picture = read_series(source)
    nib.save(nib.Nifti1Image(picture.pixels[..., 0], picture.affine), tmp_path / "scan.nii.gz")
    of_nifti = explained(tmp_path / "scan.nii.gz")
    with pytest.raises(InvalidInput, match="of a NIfTI scan, which has no DICOM series"):
        of_nifti.to_dicom(tmp_path / "map.dcm", source=source)
    plain = explained(Picture(picture.pixels))
    with pytest.raises(InvalidInput, match="where the pixels of this explanation come from is not known"):
        plain.to_dicom(tmp_path / "map.dcm", source=source)
    changed = explained(Picture(picture.pixels * 2, affine=picture.affine))  # the caller's own preparation
    changed.to_dicom(tmp_path / "map.dcm", source=source)
    found = explained(picture)
    with pytest.raises(InvalidInput, match=r"must end in \.dcm"):
        found.to_dicom(tmp_path / "map.nii", source=source)
    (tmp_path / "own.dcm").write_bytes(content(source[0]))
    with pytest.raises(InvalidInput, match="is there already, and is no map of xaimri"):
        found.to_dicom(tmp_path / "own.dcm", source=source)
    with pytest.raises(InvalidInput, match="`kind` must be"):
        found.to_dicom(tmp_path / "map.dcm", source=source, kind="other")


def test_headers_that_lack_what_is_needed(tmp_path, monkeypatch):
    values, origins = placed((3, 6, 7))
    source = series_of(values, origins)
    found = explained(read_series(source))
    for one in source:
        del one.FrameOfReferenceUID
        del one.PatientBirthDate, one.StudyID  # may be empty, so may be missing
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one.PatientSex, one.StudyDate = "unknown", "2024.01.02"  # as of 1993
    with pytest.raises(InvalidInput, match="the source series lacks FrameOfReferenceUID"):
        found.to_dicom(tmp_path / "map.dcm", source=source)
    for one in source:
        one.FrameOfReferenceUID = "1.2.9"
    written = pydicom.dcmread(found.to_dicom(tmp_path / "map.dcm", source=source))
    assert (written.PatientSex, written.StudyDate, written.PatientID) == ("", "", source[0].PatientID)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingExtra, match=r'run `pip install "xaimri\[neuro\]"`'):
        found.to_dicom(tmp_path / "map.dcm", source=source)


def test_the_page_from_a_folder_to_a_viewer_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    slices = Path(pydicom.__file__).parent / "data/test_files/dicomdirtests/98892001/CT5N"
    if not slices.is_dir():
        pytest.skip("pydicom was installed without its test files")
    page = Path(__file__).parents[2] / "docs" / "guide" / "dicom_to_viewer.md"
    monkeypatch.chdir(tmp_path)
    code = "".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"print\(.*\)  # (.+)", code)
    assert {"map.dcm", "map_errors.dcm", "figure.dcm", "map.html", "map.nii.gz"} <= {
        f.name for f in tmp_path.iterdir()
    }

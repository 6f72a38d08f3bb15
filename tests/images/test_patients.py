"""The patient of a DICOM file: a keyed hash where subjects are needed, and no tag anywhere else."""

import logging
import traceback
import warnings

import numpy as np
import pytest

import xaimri
from scans import content, enhanced_of, file_of, of_patient, placed, series_of
from xaimri import InvalidInput, UnusableImage
from xaimri.data import read_folder, remake, split
from xaimri.images import read_picture, read_series
from xaimri.images.patients import hashed_patients

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("nibabel")

MARK = "Zsecretz"
"""Part of every element that tells of the patient."""


def hostile(dataset):
    """Fill every element that may name a patient, with what breaks pages, file names and sentences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.PatientName = f"<script>alert('{MARK}')</script>^../../{MARK}"
        dataset.PatientID, dataset.OtherPatientIDs = f"{MARK}-1", [f"{MARK}-2", f"{MARK}-3"]
        dataset.InstitutionName = dataset.ReferringPhysicianName = f"{MARK}^{MARK}"
        dataset.PatientComments = dataset.ImageComments = f"{MARK}\n{{0}} %s"
        dataset.SeriesDescription = dataset.StudyDescription = dataset.ProtocolName = f"{MARK} & co"
        dataset.StudyID = dataset.AccessionNumber = MARK
        dataset.PatientAddress = dataset.DeviceSerialNumber = MARK
        dataset.add_new((0x0009, 0x0010), "LO", MARK)
        dataset.add_new((0x0009, 0x1001), "LO", MARK)
        dataset.PatientBirthDate = MARK  # no date: pydicom warns of it, with the value
        dataset.BodyPartExamined = MARK  # no code
    return dataset


def score(images):
    p = 1 / (1 + np.exp(-images.mean(axis=tuple(range(1, images.ndim))) / 100))
    return np.stack([1 - p, p], axis=1)


def leaks(folder):
    """Return the files that hold a part of the patient, in any way that text is kept."""
    marks = [MARK.encode(form) for form in ("ascii", "utf-16-le", "utf-16-be")]
    return [
        file.name
        for file in folder.rglob("*")
        if file.is_file() and any(mark in file.read_bytes() for mark in marks)
    ]


def test_no_tag_is_in_what_is_said_or_written(tmp_path, capfd, caplog):
    pytest.importorskip("highdicom")
    caplog.set_level(logging.DEBUG)
    folder, out = tmp_path / "series", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for number, one in enumerate(series_of(*placed((3, 6, 7)))):
        (folder / f"{number}.dcm").write_bytes(content(hostile(one)))
    one = pydicom.dcmread(folder / "1.dcm")
    caplog.clear()  # of what pydicom said of what was made here
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for at, source in enumerate((folder, folder / "0.dcm", one, [one])):
            found = xaimri.explain(score, source, xaimri.Occlusion(window=2))
            found.store(out / f"{at}")
            for form in ("png", "svg", "pdf") if at == 0 else ():
                found.save(out / f"{at}.{form}", heading="a scan")
            found.to_nifti(out / f"{at}.nii")
            if at == 0:
                found.view().save(out / "view.html")
            (out / f"{at}.html").write_text(found._repr_html_() + repr(found) + str(found.to_dict()))
            for kind in ("parametric_map", "secondary_capture")[: 2 if at == 0 else 1]:
                found.to_dicom(tmp_path / f"{at}_{kind}.dcm", source=source, kind=kind)
        several = xaimri.explain_all(score, folder, xaimri.Occlusion(window=2))
        (out / "all.html").write_text(several._repr_html_() + repr(several) + str(several))
        pictures = repr(read_series(folder)) + repr(read_picture(one)) + str(read_picture(one).scan)
    assert leaks(out) == []
    assert MARK not in pictures + "".join(str(each.message) for each in warned) + caplog.text
    assert not any(MARK in text for text in capfd.readouterr())


BROKEN = (
    *("Rows", "BitsStored", "NumberOfFrames", "PixelSpacing", "ImagePositionPatient", "SliceThickness"),
    *("RescaleSlope", "PhotometricInterpretation", "SamplesPerPixel", "SeriesNumber"),
)


def broken():
    """Yield data sets whose elements are no numbers, and quote the patient instead."""
    for name in BROKEN:
        made = hostile(of_patient(file_of(np.arange(42).reshape(6, 7), PixelSpacing=[1, 1])))
        tag = pydicom.datadict.tag_for_keyword(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made[tag] = pydicom.DataElement(tag, "LO", MARK)
        yield made
    cut = hostile(enhanced_of(*placed((3, 6, 7))))
    cut.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence = []
    yield cut
    yield hostile(file_of(np.ones((6, 7)), PixelData=b"12"))


def refusal(read):
    """Return all that is printed of an error, or nothing where there is none."""
    try:
        read()
    except (UnusableImage, InvalidInput) as error:
        return "".join(traceback.format_exception(error))
    return ""


def test_no_error_quotes_the_patient(tmp_path, capfd):
    refused = 0
    for number, made in enumerate(broken()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a.dcm").write_bytes(content(made))
        for read in (
            lambda made=made: read_picture(made),
            lambda folder=folder: read_picture(folder / "a.dcm"),
            lambda folder=folder: read_series(folder),
            lambda made=made: read_picture([made], 3),
            lambda folder=folder: xaimri.explain(score, folder / "a.dcm", xaimri.Occlusion(window=2)),
        ):
            words = refusal(read)
            refused += bool(words)
            assert MARK not in words, number
    assert refused > 30
    assert not any(MARK in text for text in capfd.readouterr())


def dataset(root, patients, *, folders=False):
    """Write slices of these patients into class folders: the class is the parity of the patient."""
    for name, count in patients.items():
        for number in range(count):
            made = of_patient(file_of(np.full((6, 7), 7 * number + ord(name[0]))))
            made.PatientID = f"{MARK}-{name}"
            place = root / ("ill", "well")[ord(name[-1]) % 2] / (f"scan-{name}" if folders else "")
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{name}{number}.dcm").write_bytes(content(made))
    return root


def test_the_subject_is_a_keyed_hash(tmp_path):
    root = dataset(tmp_path / "one", {"a": 2, "b": 2, "c": 1, "d": 3})
    found = read_folder(root)
    of = {case.id: case.subject for case in found}
    assert len({of["well/a0.dcm"], of["well/a1.dcm"]}) == 1
    assert len(set(of.values())) == 4
    assert all(len(name) == 16 and MARK not in name for name in of.values())
    assert read_folder(root).subjects == found.subjects  # the same on every reading
    assert remake(found.origin, root).subjects == found.subjects
    assert MARK not in repr(found) + found.describe() + str(found.origin)
    other = read_folder(dataset(tmp_path / "two", {"a": 1, "b": 1}))
    assert not set(other.subjects) & set(found.subjects)  # another data set, another key
    keyed = [read_folder(tmp_path / name, patient_key="ours") for name in ("one", "two")]
    assert set(keyed[1].subjects) < set(keyed[0].subjects)
    assert not set(keyed[0].subjects) & set(found.subjects)
    assert "ours" not in str(keyed[0].origin)
    with pytest.raises(InvalidInput, match="`subject` and `patient_key` both say"):
        read_folder(root, subject="(?P<subject>.)", patient_key="ours")
    assert read_folder(root, subject=lambda path: None).subjects == (None,) * 8
    parts = split(found, validation=0, test=0.5)
    assert not {c.subject for c in parts.train} & {c.subject for c in parts.test}


def test_one_name_for_all_is_no_name(tmp_path):
    root = dataset(tmp_path, {"a": 2, "b": 2})
    for file in root.rglob("*.dcm"):
        one = pydicom.dcmread(file)
        one.PatientID = "ANON"
        file.write_bytes(content(one))
    found = read_folder(root)
    assert found.subjects == (None,) * 4
    assert "All DICOM files name one patient" in found.notes[-1]
    one.PatientID = ""
    file.write_bytes(content(one))
    assert hashed_patients([file]) == {}


def test_a_folder_of_slices_is_a_case_of_its_patient(tmp_path):
    root = tmp_path / "all"
    for name in "abcd":
        place = root / ("ill", "well")[ord(name) % 2] / f"scan-{name}"
        place.mkdir(parents=True)
        for number, one in enumerate(series_of(*placed((3, 6, 7)))):
            one.PatientID = f"{MARK}-{name}"
            (place / f"IM{number}").write_bytes(content(one))  # as scanners name them
    found = read_folder(root, series=True)
    assert [case.id for case in found] == ["ill/scan-b", "ill/scan-d", "well/scan-a", "well/scan-c"]
    assert len(set(found.subjects)) == 4
    assert found.notes == ()
    assert remake(found.origin, root).subjects == found.subjects
    explained = xaimri.explain(score, found[0], xaimri.Occlusion(window=3))
    assert explained.values.shape == (7, 6, 3)


def test_names_can_not_be_told_where_files_have_no_number(tmp_path):
    """Of files without a number of their own the key is made of what they hold, never of nothing."""
    names = []
    for at in range(2):
        made = file_of(np.full((4, 5), 100 + at))
        del made.SOPInstanceUID
        path = tmp_path / f"{at}.dcm"
        path.write_bytes(content(made))
        names.append(hashed_patients([path])[path])
        assert hashed_patients([path])[path] == names[-1]
    assert len(set(names)) == 2  # one patient, two data sets
    both = hashed_patients([tmp_path / "0.dcm", tmp_path / "1.dcm"])
    assert len(set(both.values())) == 1

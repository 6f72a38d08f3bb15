"""Scans whose every value is decided by its place in the world, and DICOM files made by hand."""

from __future__ import annotations

import io

import numpy as np


def value_at(x, y, z):
    """Return a value that only a place in the world decides, without a symmetry."""
    return 10 * np.sin(0.1 * x) + np.cos(0.07 * y) + 0.01 * z * x + 0.3 * z


def of_world(affine, shape):
    """Return the value of every voxel of a grid."""
    index = np.stack([*np.indices(shape), np.ones(shape)])
    x, y, z, _ = np.einsum("ij,j...->i...", affine, index)
    return value_at(x, y, z).astype(np.float32)


def file_of(stored, *, signed=False, bits=16, **elements):
    """Return a data set with these stored values, of a patient whose name is a secret."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.PatientName, made.PatientID = "Secret^Jane", "secret-7"
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2", "1.2.3"
    made.Rows, made.Columns = stored.shape[-2:]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, bits, bits - 1
    made.PixelRepresentation = int(signed)
    made.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def content(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


TILT = (np.cos(0.3), 0.0, np.sin(0.3))
"""A direction that lies on no axis."""


def placed(shape, along=(1, 0, 0), down=(0, 1, 0), spacing=(0.5, 0.75), step=2.0):
    """Return the voxels ``(slices, rows, columns)`` of a stack by their places, and where slices lie."""
    along, down = np.array(along, float), np.array(down, float)
    origins = np.array([-12.0, 8.0, 40.0]) + np.cross(along, down) * step * np.arange(shape[0])[:, None]
    rows, columns = np.indices(shape[1:])
    plane = np.multiply.outer(down * spacing[0], rows) + np.multiply.outer(along * spacing[1], columns)
    world = origins[:, :, None, None] + plane
    return value_at(-world[:, 0], -world[:, 1], world[:, 2]), origins


def short(numbers):
    """Return numbers of no more than the 16 characters that DICOM has for one."""
    return [float(f"{number:.10g}") for number in numbers]


def enhanced_of(values, origins, along=(1, 0, 0), down=(0, 1, 0), spacing=(0.5, 0.75), order=None, **frames):
    """Return an enhanced MR data set of these frames, each stored by a slope of its own, in a given order.

    ``frames`` are what each frame says in its content sequence, a list of one value each.
    """
    from pydicom import Dataset
    from pydicom.uid import EnhancedMRImageStorage

    order = np.arange(len(values)) if order is None else order
    slopes = 0.01 * (1 + np.arange(len(values)) % 3)
    stored = [np.round((values[at] + 50) / slopes[at]) for at in order]
    made = file_of(np.array(stored), NumberOfFrames=len(values))
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage

    def of(**elements):
        one = Dataset()
        for name, value in elements.items():
            setattr(one, name, value)
        return one

    made.SharedFunctionalGroupsSequence = [
        of(
            PlaneOrientationSequence=[of(ImageOrientationPatient=short([*along, *down]))],
            PixelMeasuresSequence=[of(PixelSpacing=list(spacing), SliceThickness=2.0)],
        )
    ]
    made.PerFrameFunctionalGroupsSequence = [
        of(
            PlanePositionSequence=[of(ImagePositionPatient=short(origins[at]))],
            PixelValueTransformationSequence=[
                of(RescaleSlope=slopes[at], RescaleIntercept=-50, RescaleType="US")
            ],
            FrameContentSequence=[of(**{name: each[at] for name, each in frames.items()})],
        )
        for at in order
    ]
    return made


def of_patient(dataset, number=1):
    """Give a data set what a scanner tells of patient, study and itself, so that a map can belong to it."""
    dataset.PatientBirthDate, dataset.PatientSex = "19410203", "F"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20240102", "101112", "S9"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "A-77", "Secret^Doctor"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.0.1.7", f"1.2.826.0.1.7.{number}"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = "1.2.826.0.1.7.9", None
    dataset.Modality, dataset.SeriesNumber, dataset.BodyPartExamined = "CT", number, "HEAD"
    return dataset


def series_of(values, origins, along=(1, 0, 0), down=(0, 1, 0), spacing=(0.5, 0.75), number=1, **elements):
    """Return the slices of a series as data sets, the last first."""
    made = []
    for plane, origin in list(zip(values, origins, strict=True))[::-1]:
        one = file_of(
            np.round((plane + 50) * 100), PixelSpacing=list(spacing), SliceThickness=1.5,
            ImagePositionPatient=short(origin), ImageOrientationPatient=short([*along, *down]),
            RescaleSlope=0.01, RescaleIntercept=-50, InstanceNumber=len(made) + 1, **elements,
        )  # fmt: skip
        made.append(of_patient(one, number))
    return made

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
    made.SeriesInstanceUID = "1.2.3"
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

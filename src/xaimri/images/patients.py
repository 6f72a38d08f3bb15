"""Who was scanned, by the tags of DICOM files: as keyed hashes, by which no patient can be told."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xaimri.images import dicom, series
from xaimri.images.decoders import Quiet

TAGS = ["PatientID", "SOPInstanceUID"]

LENGTH = 16
"""Hexadecimal digits of a hash: two of a million patients share one with a chance of 1 in 37 million."""


def hashed_patients(sources: Sequence[Path], key: bytes | None = None) -> dict[Path, str]:
    """Return a name for the patient of each DICOM file, and of each folder of slices.

    Parameters
    ----------
    sources
        Files and folders; what is no DICOM, can't be opened or names no patient is left out.
    key
        Of the hash (HMAC-SHA-256). By default one that these sources make by themselves, of the number that
        the scanner gave to one of the files (of the file's content where it has none): of two data sets it is
        the same only where both hold that file,
        so reading again gives the same names, as a rule also with a few files more or fewer; and it can't be
        had without the file.

    Returns
    -------
    mapping
        Source -> name. One patient has one name throughout, and another in what is hashed by another key.
    """
    found = {source: tags for source in sources if (tags := _tags(source)) is not None}
    if key is None:
        key = min((_digest(instance) for _, instance in found.values()), default=b"")
    return {
        source: hmac.new(key, patient.encode(), hashlib.sha256).hexdigest()[:LENGTH]
        for source, (patient, _) in found.items()
        if patient
    }


def _digest(instance: str) -> bytes:
    """Return what stands for a file among others, twice hashed: the key is no hash that others may know."""
    return hashlib.sha256(hashlib.sha256(instance.encode()).digest()).digest()


def _tags(source: Path) -> tuple[str, str] | None:
    """Return the patient's number, and the file's own; of a folder, those of its first slice."""
    try:
        import pydicom
    except ImportError:
        return None  # whoever reads the file says what is missing
    try:
        file = series.first_slice(source) if source.is_dir() else source
        if file is None:
            return None
        with file.open("rb") as stream, Quiet():
            if stream.read(132)[128:] != dicom.MARK:
                return None
            stream.seek(0)
            header: Any = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(TAGS))
            patient, instance = (str(header.get(name) or "").strip() for name in TAGS)
            if not instance:  # taken away with other tags: a key of nothing could be guessed
                stream.seek(0)
                instance = hashlib.file_digest(stream, "sha256").hexdigest()
            return patient, instance
    except Exception:  # a broken file; whoever reads it says so
        return None

"""What a DICOM file says of each of its frames, and of how values are stored."""

from __future__ import annotations

from typing import Any

FRAMES = "PerFrameFunctionalGroupsSequence"
"""Element of enhanced files that tells of every frame."""


def group(dataset: Any, frame: int, sequence: str) -> Any:
    """Return a functional group of a frame: its own, else that of all, else an empty data set."""
    from pydicom import Dataset

    shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    for held in (dataset[FRAMES].value[frame], shared[0]):
        found = held.get(sequence)
        if found:
            return found[0]
    return Dataset()


def white_and_black(dataset: Any, frame: int) -> float | None:
    """Return the sum of a value as read and as it would be if the smallest were not white (MONOCHROME1).

    None where a table of values stands between them.
    """
    scale = group(dataset, frame, "PixelValueTransformationSequence") if FRAMES in dataset else dataset
    if "ModalityLUTSequence" in dataset:
        return None
    slope, intercept = scale.get("RescaleSlope"), scale.get("RescaleIntercept")
    factor, shift = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    return factor * both_ends(dataset) + 2 * shift


def both_ends(dataset: Any) -> int:
    """Return the sum of the smallest and the largest value that can be stored."""
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation", 0))
    return -1 if signed else 2**bits - 1

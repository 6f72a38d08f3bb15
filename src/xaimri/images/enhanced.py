"""Enhanced DICOM files: frames with places and scales of their own, as one volume.

What holds for all frames stands in the shared functional groups, what holds for one in its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import UnusableImage
from xaimri.images import dicom
from xaimri.images.frames import FRAMES, group
from xaimri.images.header_window import window_told
from xaimri.images.picture import Picture
from xaimri.images.stack import Slice, ordered, volume


def is_enhanced(dataset: Any) -> bool:
    """Tell whether the frames of a data set have places of their own."""
    return FRAMES in dataset


def of_dataset(dataset: Any, name: str, rank: int) -> Picture:
    """Read an enhanced data set as a volume ``(*space, 1)`` in canonical orientation, or its only frame.

    Raises
    ------
    UnusableImage
        If it holds several stacks, times or other frames in one place, gaps, or frames without a place: the
        sentence lists what is there. If a model of slices is to have a volume.
    """
    slices = placed(dataset, name)
    if rank == 3:
        values = values_of(dataset, name)
        order = ordered(slices, name)
        return volume(order, np.stack([values[each.frame] for each in order], axis=-1))
    if len(slices) > 1:
        raise UnusableImage(
            f'{name} holds {len(slices)} frames, and the model takes slices: give slices="all", or '
            f"cut one out, as by `xaimri.images.read_image(scan, 3)[:, :, {len(slices) // 2}]`, and give the "
            "array."
        )
    first = slices[0]
    values = values_of(dataset, name)[0]
    affine = dicom.slice_affine((first.origin, first.down, first.along))
    lengths = float(np.linalg.norm(first.down)), float(np.linalg.norm(first.along))
    marks = {**dicom.marks_of([dataset]), "window": window_told([(dataset, 0)])}
    return Picture(values[..., None], lengths, affine).on(dicom.grid(values.shape, affine, marks))


def placed(dataset: Any, name: str) -> list[Slice]:
    """Return where each frame lies, in the order of the file; they are one stack of one time."""
    frames = dicom.frames_of(dataset)
    groups = list(dataset[FRAMES].value)
    if len(groups) != frames:
        raise UnusableImage(
            f"{name} says that it holds {frames} frames, and tells of {len(groups)}: fetch the file again."
        )
    _check_alone(dataset, frames, name)
    slices, bare = [], []
    for number in range(frames):
        measures = group(dataset, number, "PixelMeasuresSequence")
        geometry = dicom.geometry_of(
            group(dataset, number, "PlanePositionSequence"),
            group(dataset, number, "PlaneOrientationSequence"),
            measures,
        )
        if geometry is None:
            bare.append(number + 1)
        else:
            thick = dicom.thickness_of(measures)
            slices.append(Slice(f"frame {number + 1}", dataset, number, *geometry, thick))
    if bare:
        raise UnusableImage(
            f"{name} holds {len(bare)} frames that don't say where they lie (the first is {bare[0]}): give a "
            "file with position, orientation and spacing of each, or an array."
        )
    return slices


def values_of(dataset: Any, name: str) -> Float[Array, "frames rows columns"]:
    """Return the frames in the order of the file, each by its own slope and intercept."""
    frames = dicom.frames_of(dataset)
    scales = [group(dataset, number, "PixelValueTransformationSequence") for number in range(frames)]
    if int(dataset.get("SamplesPerPixel", 1)) > 1 or "PALETTE" in str(dataset.PhotometricInterpretation):
        raise UnusableImage(f"{name} holds frames in colour: give frames of one value a pixel.")
    return dicom.pixels(dataset, name, frames, scales)[..., 0]


LISTS = {
    "stacks": ("FrameContentSequence", "StackID"),
    "times": ("FrameContentSequence", "TemporalPositionIndex"),
    "echoes": ("MREchoSequence", "EffectiveEchoTime"),
    "diffusion weights": ("MRDiffusionSequence", "DiffusionBValue"),
    "segments": ("SegmentIdentificationSequence", "ReferencedSegmentNumber"),
}
"""What frames of one file may differ in beside their places, and where it stands."""


def _check_alone(dataset: Any, frames: int, name: str) -> None:
    """See that frames differ in their places alone."""
    told = [
        f"{len(values)} {what}"
        for what, (sequence, keyword) in LISTS.items()
        if len(values := set(_each(dataset, frames, sequence, keyword))) > 1
    ]
    if told:
        raise UnusableImage(
            f"{name} holds {frames} frames of {', '.join(told)}: give one volume of them, as the program "
            "dcm2niix parts the file, or an array."
        )


def _each(dataset: Any, frames: int, sequence: str, keyword: str) -> Iterator[str]:
    """Yield what each frame says of itself, as words to be counted and never shown."""
    for number in range(frames):
        value = group(dataset, number, sequence).get(keyword)
        if value is not None:
            yield str(value)

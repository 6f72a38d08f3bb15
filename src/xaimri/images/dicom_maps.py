"""Maps as DICOM objects of the patient whose scan was explained: numbers, or a picture of them.

The patient and the study are those of the source series, which the caller gives; nothing of them is kept
elsewhere.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from xaimri.archive import refuse_foreign, write_together
from xaimri.arrays import Array, Map
from xaimri.errors import InvalidInput, MissingExtra, XaimriError
from xaimri.images import dicom
from xaimri.images.decoders import Quiet
from xaimri.images.dicom_source import DicomSource, Origin, Scanned, check_complete, origin_of
from xaimri.images.stack import step_of
from xaimri.images.turn import turned_back

Kind: TypeAlias = Literal["parametric_map", "secondary_capture"]
"""Numbers on the scan's grid, or a picture in colour."""

MAKER = "xaimri"
"""Manufacturer of what is written, by which it is known again."""


@dataclass(frozen=True, eq=False)
class Told:
    """What a map says: values and standard errors, the unit of both, and what was asked in a few words."""

    values: Map
    errors: Map | None
    unit: str
    words: str


def save(
    target: Path,
    scanned: Scanned,
    source: DicomSource,
    told: Told,
    drawn: Callable[[], UInt8[Array, "rows columns 3"]] | None = None,
) -> Path:
    """Write a map and its errors as Parametric Maps beside each other, or what is drawn as Secondary Capture.

    Raises
    ------
    InvalidInput
        If the name has another ending, a file there is none of this package, or the source is not the scan
        that was explained, lies in the target's own folder, or lacks what an object of its patient must have.
    """
    highdicom = _package()
    if target.suffix.lower() != dicom.SUFFIX:
        raise InvalidInput(f"`{target.name}` must end in {dicom.SUFFIX} to be written as DICOM.")
    beside = target.with_name(f"{target.stem}_errors{target.suffix}")
    refuse_foreign(target, *([] if drawn else [beside]), known=_is_ours)
    origin = origin_of(scanned, source)
    _refuse_among_slices(target, source)
    try:
        with Quiet():
            check_complete(origin, placed=drawn is None)
            if drawn is not None:
                made = {target: _capture(drawn(), origin, told.words, highdicom)}
            else:
                made = {target: _parametric(told.values, origin, told, False, highdicom)}
            if drawn is None and told.errors is not None:
                made[beside] = _parametric(told.errors, origin, told, True, highdicom)
            write_together(
                {file: partial(each.save_as, enforce_file_format=True) for file, each in made.items()}
            )
    except (XaimriError, OSError):
        raise
    except Exception as error:  # what highdicom doesn't take from the source; it may quote the patient
        raise InvalidInput(
            f"the source series has elements of which no DICOM object can be made ({type(error).__name__}): "
            "mend its headers, or write the map by `to_nifti`."
        ) from None
    if drawn is None and told.errors is None:
        beside.unlink(missing_ok=True)
    return target


def _package() -> Any:
    """Return the package that makes DICOM objects."""
    try:
        import highdicom
    except ImportError as missing:
        raise MissingExtra("highdicom", "neuro", "writing DICOM") from missing
    return highdicom


def _refuse_among_slices(target: Path, source: DicomSource) -> None:
    """See that the map does not become a series beside the one in the source's folder.

    Raises
    ------
    InvalidInput
        If it would: who reads the folder next is told of two series.
    """
    if not isinstance(source, str | PathLike) or not Path(fsdecode(source)).is_dir():
        return
    if target.resolve().parent == Path(fsdecode(source)).resolve():
        raise InvalidInput(
            f"`{target}` would lie among the slices, and their folder would hold two series: write it into "
            "another folder."
        )


def _is_ours(file: Path) -> bool:
    """Tell whether a file is an object of this package."""
    try:
        with file.open("rb") as stream:
            return str(dicom.opened(stream, "a map", whole=False).get("Manufacturer")) == MAKER
    except Exception:  # no DICOM file, or a broken one
        return False


def _number(header: Any, at: int) -> int:
    """Return the number of a new series beside the source's own."""
    try:
        own = int(header.get("SeriesNumber") or 0)
    except (TypeError, ValueError):
        own = 0
    return 100 * own + at if 0 <= own < 10**6 else at


def _maker(header: Any, at: int, words: str, highdicom: Any) -> dict[str, Any]:
    """Return what every object tells of itself."""
    now = datetime.datetime.now()
    return {
        "series_instance_uid": highdicom.UID(), "series_number": _number(header, at),
        "sop_instance_uid": highdicom.UID(), "instance_number": 1, "manufacturer": MAKER,
        "manufacturer_model_name": MAKER, "software_versions": version("xaimri"), "device_serial_number": "1",
        "series_description": _line(words), "content_date": now.date(), "content_time": now.time(),
    }  # fmt: skip


def _line(words: str, most: int = 64) -> str:
    """Return words that an element of one line takes."""
    plain = words.replace("\\", "/").encode("ascii", "replace").decode()
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def _parametric(values: Map, origin: Origin, told: Told, errors: bool, highdicom: Any) -> Any:
    """Return a Parametric Map on the planes of the source slices."""
    frames = _frames(values, origin)
    finite = frames[np.isfinite(frames)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    width = (high if errors else 2 * max(-low, high)) or 1.0
    words = f"{told.words}, standard errors" if errors else told.words
    first = origin.slices[0]
    mapping = highdicom.pm.RealWorldValueMapping(
        lut_label="STANDARD_ERROR" if errors else "ATTRIBUTION",
        lut_explanation=_line(words),
        unit=_unit(told.unit, highdicom),
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
    )
    measures = highdicom.PixelMeasuresSequence(
        pixel_spacing=(float(np.linalg.norm(first.down)), float(np.linalg.norm(first.along))),
        slice_thickness=first.thickness or float(np.linalg.norm(step_of(origin.slices))),
        spacing_between_slices=_apart(origin),
    )
    made = highdicom.pm.ParametricMap(
        list(origin.headers),
        frames,
        contains_recognizable_visual_features=_shows_features(origin.headers),
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[
            highdicom.VOILUTTransformation(
                window_center=width / 2 if errors else 0.0,
                window_width=width,
                voi_lut_function="LINEAR_EXACT",  # any other needs a width of at least 1
            )
        ],
        pixel_measures=measures,
        content_label="STANDARD_ERROR" if errors else "ATTRIBUTION",
        content_description=_line(words),
        image_flavor="VOLUME",
        derived_pixel_contrast="NONE",  # of no images that were combined
        **_maker(origin.headers[0], 2 if errors else 1, words, highdicom),
    )
    _copy_body_part(origin.headers[0], made)
    return made


def _unit(words: str, highdicom: Any) -> Any:
    """Return a unit without dimension: UCUM sets its name in braces, and allows 16 characters."""
    code = f"{{{_line(words)}}}"
    return highdicom.sr.CodedConcept(code if len(code) <= 16 else "1", "UCUM", _line(words))


def _apart(origin: Origin) -> float | None:
    """Return the distance between the planes of two slices; None of a single one."""
    if len(origin.slices) < 2:
        return None
    return abs(float(step_of(origin.slices) @ origin.slices[0].normal))


def _frames(values: Map, origin: Origin) -> Float[Array, "frames rows columns"]:
    """Return the map as the source's own frames: of several files in their order, of one in its own."""
    own = np.asarray(values, np.float32)
    if origin.turn is None:
        return np.ascontiguousarray(own[None])
    stacked = np.moveaxis(turned_back(own, origin.turn), -1, 0)
    if len(origin.headers) > 1:
        return np.ascontiguousarray(stacked)
    order = np.argsort([each.frame for each in origin.slices])
    return np.ascontiguousarray(stacked[order])


def _shows_features(headers: Sequence[Any]) -> bool:
    """Tell whether a face may be recognised: unless the source says that none can."""
    return {str(each.get("RecognizableVisualFeatures", "")) for each in headers} != {"NO"}


def _capture(picture: UInt8[Array, "rows columns 3"], origin: Origin, words: str, highdicom: Any) -> Any:
    """Return a picture in colour as Secondary Capture."""
    from pydicom import Dataset

    first = origin.headers[0]
    made = highdicom.sc.SCImage.from_ref_dataset(
        first,
        picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),
        **_maker(first, 3, words, highdicom),
    )
    made.PatientOrientation = None  # a figure has several panels
    _copy_body_part(first, made)
    burned = dicom.marks_of(origin.headers)["burned_in"]
    made.BurnedInAnnotation = "YES" if burned else "NO"
    made.RecognizableVisualFeatures = "YES" if _shows_features(origin.headers) else "NO"
    made.DerivationDescription = _line(words)
    references = []
    for header in origin.headers:
        one = Dataset()
        one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
        references.append(one)
    made.SourceImageSequence = references
    return made


def _copy_body_part(header: Any, made: Any) -> None:
    """Say of which part and side of the body the object is, as its source does, or that it isn't known."""
    for name in ("BodyPartExamined", "Laterality"):
        if header.get(name):
            setattr(made, name, header.get(name))
    if "BodyPartExamined" not in made and "Laterality" not in made:
        made.Laterality = None

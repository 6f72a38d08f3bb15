"""The window that a DICOM file says it is to be shown with, in the values that are read (PS3.3 C.11.2)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from xaimri.images.frames import FRAMES, group, white_and_black

Told: TypeAlias = list[float] | str
"""Two limits, or in a few words why there are none."""


def window_told(frames: Iterable[tuple[Any, int]]) -> Told:
    """Return the one window of all frames, each given as its data set and its number there.

    Words of the files are never repeated: they may quote the patient.
    """
    limits = list[tuple[float, float]]()
    for dataset, frame in frames:
        told = limits_of(dataset, frame)
        if isinstance(told, str):
            return told
        limits.append((told[0], told[1]))
    first = limits[0]
    near = 1e-6 * (first[1] - first[0])
    if any(abs(a - b) > near for each in limits for a, b in zip(each, first, strict=True)):
        return f"its {len(limits)} slices have {len(set(limits))} different ones"
    return list(first)


def limits_of(dataset: Any, frame: int = 0) -> Told:
    """Return the limits of one frame: of several windows the first, which is the one to begin with."""
    own = group(dataset, frame, "FrameVOILUTSequence") if FRAMES in dataset else dataset
    own = own if "WindowCenter" in own else dataset
    if (
        int(dataset.get("SamplesPerPixel", 1)) > 1
        or dataset.get("PhotometricInterpretation") == "PALETTE COLOR"
    ):
        return "colours have none"
    if own.get("WindowCenter") in (None, "") or own.get("WindowWidth") in (None, ""):
        return "it holds a table of values in its place" if "VOILUTSequence" in own else "it holds none"
    try:
        centre, width = (_first(own.get(name)) for name in ("WindowCenter", "WindowWidth"))
    except (TypeError, ValueError, IndexError):
        return "its numbers are none"
    function = str(own.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function == "LINEAR":
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    elif function == "LINEAR_EXACT":
        low, high = centre - width / 2, centre + width / 2
    else:
        return "it is a curve, not a range"
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return "it is of no width"
    if dataset.get("PhotometricInterpretation") != "MONOCHROME1":
        return [low, high]
    both = white_and_black(dataset, frame)
    return "white is the smallest value of a table" if both is None else [both - high, both - low]


def _first(value: Any) -> float:
    """Return a number, or the first of several."""
    several = not isinstance(value, str | int | float) and hasattr(value, "__getitem__")
    return float(value[0] if several else value)

"""What a map says, in words: its strongest regions with their errors, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Array
from xaimri.atlas import Atlas, RegionRow
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.explanation import Explanation, Regions
from xaimri.images.planes import world_axes
from xaimri.render.fade import certain

MOST = 3
"""Regions that are named for each side."""

REST = "the rest of the brain, in no region of the atlas"

SIDES = (("left", "right"), ("back", "front"), ("bottom", "top"))
"""The body's own sides at the low and the high end of each axis of the world (RAS)."""


@dataclass(frozen=True)
class Evidence:
    """A region with its value: whether it speaks for the class, and whether that is more than chance.

    Attributes
    ----------
    region
        In words.
    value, error
        In the map's unit; the error is NaN where it is not known.
    sure
        Whether 0 lies outside of the value's 95 % interval; None where no error is known.
    note
        What else is to be said of it; empty for nothing.
    """

    region: str
    value: float
    error: float
    sure: bool | None
    note: str = ""

    def __str__(self) -> str:
        unsure = " (can't be told from 0)" if self.sure is False else ""
        return f"{self.region}, {signed(self.value, self.error)}{unsure}{self.note}"


def signed(value: float, error: float = math.nan) -> str:
    """Return a value with its sign, and its error in one digit where there is one.

    Examples
    --------
    >>> signed(0.1234, 0.0213), signed(-12.7, 3.0), signed(0.00123), signed(-250.0, 0.0)
    ('+0.12 ± 0.02', '−13 ± 3', '+0.0012', '−250 ± 0')
    """
    sign = "−" if value < 0 else "+"
    size = abs(value)
    if not math.isfinite(error) or error <= 0:
        exact = "" if not math.isfinite(error) else " ± 0"
        return f"{sign}{_plain(size)}{exact}"
    digits = max(0, -math.floor(math.log10(error)))
    if digits > 6:
        return f"{sign}{size:.2g} ± {error:.1g}"
    return f"{sign}{size:.{digits}f} ± {error:.{digits}f}"


def evidence_of(explanation: Explanation, atlas: Atlas | None) -> list[Evidence]:
    """Return the strongest regions of both signs, the strongest first; none where there are no regions.

    The method's own regions come first: they have the method's own errors. Else those of an atlas hold the
    map's sums.
    """
    if explanation.regions is not None:
        return _of_regions(explanation, explanation.regions)
    return [] if atlas is None else _of_atlas(explanation, atlas)


def strongest(explanation: Explanation, atlas: Atlas | None) -> list[str]:
    """Return sentences on the strongest evidence for the class, and against it."""
    try:
        found = evidence_of(explanation, atlas)
    except (InvalidInput, UnusableImage) as fault:
        return [f"By the atlas nothing can be said: {fault}"]
    told = []
    for sign, side in ((1, "for"), (-1, "against")):
        own = [one for one in found if one.value * sign > 0][:MOST]
        if own:
            first = f"The strongest evidence {side} {explanation.question}: {own[0]}."
            then = f" Then {'; '.join(map(str, own[1:]))}." if own[1:] else ""
            told.append(first + then)
    return told


def certainty(explanation: Explanation) -> str:
    """Return in a sentence how much of a map can be told from zero."""
    values = np.abs(np.nan_to_num(explanation.values, posinf=0.0, neginf=0.0)).astype(float)
    if not values.any():
        return "Every value of this map is 0: it shows nothing."
    sure = certain(explanation)
    if sure is None:
        return "The method tells no errors, so how sure this map is can't be said."
    share = 100 * float(values[sure].sum()) / float(values.sum())
    if share >= 99.5:
        return "All of this map's strength can be told from 0 (95 %)."
    return f"{share:.0f} % of this map's strength can be told from 0 (95 %); the rest is drawn pale."


def _of_regions(explanation: Explanation, regions: Regions) -> list[Evidence]:
    names = _names(explanation)
    sure = regions.certain()
    errors = np.full(len(regions.values), np.nan) if regions.errors is None else regions.errors
    found = []
    for place in regions.strongest(len(regions.values)):
        name = names.get(place) or f"region {place}{_where(explanation, regions.labels == place)}"
        known = bool(np.isfinite(errors[place]))
        found.append(
            Evidence(
                name, float(regions.values[place]), float(errors[place]), bool(sure[place]) if known else None
            )
        )
    return found


def _of_atlas(explanation: Explanation, atlas: Atlas) -> list[Evidence]:
    table = explanation.by_region(atlas)
    rows = [row for row in table.rows if math.isfinite(row.sum) and row.sum]
    return [_row(row) for row in sorted(rows, key=lambda row: -abs(row.sum))]


def _row(row: RegionRow) -> Evidence:
    bound = "at most " if row.error_is == "at most" else ""
    known = math.isfinite(row.sum_error) and not bound
    sure = abs(row.sum) > 1.96 * row.sum_error if math.isfinite(row.sum_error) else None
    note = f" in sum, {100 * row.share:.0f} % of the map, {row.enrichment:.1f} times its share of the brain"
    if bound and math.isfinite(row.sum_error):
        note = f" in sum (error {bound}{row.sum_error:.2g}){note.removeprefix(' in sum')}"
    return Evidence(row.name, row.sum, row.sum_error if known else math.nan, sure, note)


def _names(explanation: Explanation) -> Mapping[int, str]:
    """Return what regions are called, where they are those of an atlas."""
    source = explanation.diagnostics.get("atlas")
    if not isinstance(source, Mapping) or not isinstance(source.get("names"), Mapping):
        return {}
    return {0: REST, **{int(label): str(name) for label, name in source["names"].items()}}


def _where(explanation: Explanation, inside: Array) -> str:
    """Return where a region lies: of a picture as it is seen, of a scan by the body's sides."""
    middle = [
        float(places.mean()) / side for places, side in zip(np.nonzero(inside), inside.shape, strict=True)
    ]
    if inside.ndim == 2:
        rows, columns = (_third(each) for each in middle)
        return _at([("top", "", "bottom")[rows], ("left", "", "right")[columns]], "picture")
    affine = explanation.affine
    if affine is None:
        return ""
    told = ["", "", ""]
    for axis, world in enumerate(world_axes(affine)):
        low, high = SIDES[world]
        ends = (low, "", high) if affine[world, axis] > 0 else (high, "", low)
        told[world] = ends[_third(middle[axis])]
    return _at(told, "scan")


def _third(share: float) -> int:
    return 0 if share < 0.4 else 2 if share > 0.6 else 1


def _at(words: list[str], of: str) -> str:
    said = " ".join(word for word in words if word)
    return f" ({said or 'middle'} of the {of})"


def _plain(size: float) -> str:
    """Return a number in two digits, or all of those before the point.

    Examples
    --------
    >>> _plain(0.00123), _plain(1234.5), _plain(12.7)
    ('0.0012', '1234', '13')
    """
    if size == 0:
        return "0"
    digits = 1 - math.floor(math.log10(size))
    return f"{size:.{digits}f}" if 0 < digits < 7 else f"{size:.0f}" if size >= 1 else f"{size:.2g}"

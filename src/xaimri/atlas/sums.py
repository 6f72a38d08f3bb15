"""What a map holds in each region: counts, means, sums, shares, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Image, Labels, Map, Mask
from xaimri.atlas.atlas import Atlas
from xaimri.atlas.table import ErrorIs, RegionRow, RegionTable
from xaimri.caveats import Reason
from xaimri.images.foreground import foreground

REST = "(no region)"
"""What the brain outside of all regions is called."""


FITS = 0.3
"""Share of the regions' voxels that may lie outside of the object."""


def share_outside(labels: Labels, image: Image) -> float:
    """Return what share of the voxels in regions lies outside of the object; 0 where an image has no ground.

    Examples
    --------
    >>> image = np.pad(np.ones((8, 8, 1)), ((4, 4), (4, 4), (0, 0)))
    >>> labels = np.zeros((16, 16), int)
    >>> labels[8] = 1  # half of this row lies on the object
    >>> share_outside(labels, image)
    0.5
    """
    inside = labels > 0
    return float((~foreground(image)[inside]).mean()) if inside.any() else 0.0


@dataclass(frozen=True, eq=False)
class Measured:
    """One map, and what its method says of its errors.

    Attributes
    ----------
    values, image
        ``(*space)`` and ``(*space, channels)``.
    errors
        ``(*space)``: standard errors of the values; None where they aren't known.
    parts
        ``(*space)``: the regions of the method itself, each of which has one value, -1 in none; None where
        the method has none. Within one, errors are those of one number.
    spacing, affine
        As of an explanation.
    """

    values: Map
    image: Image
    errors: Map | None = None
    parts: Labels | None = None
    spacing: tuple[float, ...] | None = None
    affine: Float[Array, "4 4"] | None = None

    @property
    def volume(self) -> float | None:
        """Of one voxel in mm3; None of a slice, and where it is not known."""
        if self.values.ndim < 3:
            return None
        if self.affine is not None:
            return float(f"{abs(np.linalg.det(self.affine[:3, :3])):.12g}")
        return None if self.spacing is None else float(np.prod(self.spacing))


def region_table(measured: Measured, atlas: Atlas, unit: str, question: str) -> RegionTable:
    """Return what a map holds in each region of an atlas, and in the brain outside of them.

    Raises
    ------
    InvalidInput
        As `Atlas.on`.
    """
    space = measured.values.shape
    labels = atlas.on(space, measured.affine)
    brain = foreground(measured.image)
    numbers = atlas.numbers
    index = np.searchsorted(numbers, labels)
    index = np.where(labels > 0, index, np.where(brain, len(numbers), -1))
    inside = np.append(atlas.shares_within(space, measured.affine), 1.0)
    names = [*(atlas.name_of(int(label)) for label in numbers), REST]
    rows = _rows(measured, index, brain, [*numbers.tolist(), 0], names, inside)
    return RegionTable(
        tuple(rows[:-1]), rows[-1], unit, question, atlas.sha256,
        (*atlas.notes, *_off(labels, brain), *_lost(rows[:-1]), *_unsure(rows), *_valueless(measured, index)),
    )  # fmt: skip


def _rows(
    measured: Measured,
    index: Int[Array, "*space"],
    brain: Array,
    labels: list[int],
    names: list[str],
    inside: Float[Array, " regions"],
) -> list[RegionRow]:
    """Return the rows of regions that are numbered without gaps."""
    count, held = len(labels), index >= 0
    finite = np.isfinite(measured.values)
    values = np.where(finite, measured.values, 0).astype(np.float64)

    def total(weights: Array | None, where: Array) -> Array:
        picked = None if weights is None else weights[where]
        found: Array = np.bincount(index[where], weights=picked, minlength=count)
        return found

    voxels, known, sums = total(None, held), total(None, held & finite), total(values, held & finite)
    within = held & finite & brain
    size, strength, signed = total(None, within), total(np.abs(values), within), total(values, within)
    whole, brains = float(np.abs(values[brain & finite]).sum()), int((brain & finite).sum())
    errors, kinds = _errors(measured, index, held & finite, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means, mean_errors = sums / known, errors / known
        sums = np.where(known > 0, sums, np.nan)
        shares = np.where(size > 0, strength / whole, np.nan)
        part = size / brains
        rich, rich_signed = strength / whole / part, signed / whole / part
    volume = measured.volume
    return [
        RegionRow(
            labels[n], names[n], int(voxels[n]), None if volume is None else volume * float(voxels[n]),
            float(inside[n]), float(means[n]), float(mean_errors[n]), float(sums[n]), float(errors[n]),
            kinds[n], float(shares[n]), float(rich[n]), float(rich_signed[n]),
        )
        for n in range(count)
    ]  # fmt: skip


def _errors(
    measured: Measured, index: Int[Array, "*space"], where: Array, count: int
) -> tuple[Float[Array, " regions"], list[ErrorIs]]:
    """Return the standard error of each region's sum, and what kind it is.

    Voxels that share one number of the method have one error between them, so that the error of their sum is
    their count times as large: exact. How the errors of different numbers go together isn't kept; whatever it
    is, the error of a sum is at most the sum of the errors.
    """
    if measured.errors is None:
        return np.full(count, np.nan), [""] * count
    known = where & np.isfinite(measured.errors)
    errors = np.where(known, measured.errors, 0).astype(np.float64)
    bounds = np.bincount(index[known], weights=errors[known], minlength=count)
    asked = np.bincount(index[where], minlength=count)
    complete = np.bincount(index[known], minlength=count) == asked
    bounds = np.where(complete & (asked > 0), bounds, np.nan)
    single = bounds == 0
    if measured.parts is not None:
        parts = measured.parts[where]
        low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -2)
        np.minimum.at(low, index[where], parts)
        np.maximum.at(high, index[where], parts)
        single |= (low == high) & (low >= 0)
    kinds = [
        "" if np.isnan(b) else "exact" if one else "at most" for b, one in zip(bounds, single, strict=True)
    ]
    return bounds, cast("list[ErrorIs]", kinds)


def _off(labels: Labels, brain: Mask) -> list[str]:
    """Say that much of the atlas lies outside of the brain."""
    outside = float((~brain[labels > 0]).mean())
    return [Reason.OFF_OBJECT.caveat(percent=100 * outside).text] if outside > FITS else []


def _lost(rows: list[RegionRow]) -> list[str]:
    """Say which regions have no voxel, and which are cut by the edge of the scan."""
    off = [row for row in rows if not row.voxels and row.inside < 1]
    thin = [row for row in rows if not row.voxels and row.inside == 1]
    cut = [row for row in rows if row.voxels and row.inside < 0.995]
    told = [
        (off, "lies off the image, and has no values"),
        (thin, "falls between the voxels of the image, being too thin for them, and has no values"),
        (cut, "is cut by the edge of the image: `inside` tells which share of it lies within"),
    ]
    return [f"{_named(found)} {words}." for found, words in told if found]


def _unsure(rows: list[RegionRow]) -> list[str]:
    """Say what an error is that is no more than a bound."""
    if not any(row.error_is == "at most" for row in rows):
        return []
    return [
        "Errors behind `<` are bounds: the method's own numbers within a region may err together, so its "
        "error is at most as large. They are exact where the atlas' regions are the method's "
        "(`regions=atlas`)."
    ]


def _valueless(measured: Measured, index: Int[Array, "*space"]) -> list[str]:
    """Say how many voxels have no value."""
    bad = int((~np.isfinite(measured.values[index >= 0])).sum())
    return (
        [f"{bad} voxels have no value in the map, and are left out of means, sums and shares."] if bad else []
    )


def _named(rows: list[RegionRow]) -> str:
    """Return a few regions by their names, as the subject of a sentence."""
    few = ", ".join(row.name for row in rows[:3]) + (", ..." if len(rows) > 3 else "")
    return few if len(rows) == 1 else f"Each of {len(rows)} regions ({few})"

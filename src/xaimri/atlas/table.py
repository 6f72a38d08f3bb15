"""What a map holds in each region of an atlas, as a table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from xaimri import archive, notebook
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, shown
from xaimri.table import align, csv_text

PRINTED = 30
"""Regions that are printed, at most, the strongest first."""

SHOWN = 200
"""Regions that a notebook shows, at most."""

HEADS = ("region", "voxels", "mm3", "mean", "sum", "enrichment", "signed")
"""Of a printed table."""

ErrorIs: TypeAlias = Literal["exact", "at most", ""]
"""How sure a standard error is: of one whole region of the method, a bound elsewhere, or not known."""


@dataclass(frozen=True)
class RegionRow:
    """One region of one map.

    Attributes
    ----------
    label, name
        Of the region in its atlas; 0 is the brain outside of all regions.
    voxels, volume
        On the map's grid, and in mm3 where the size of a voxel is known. A region may have none: too thin for
        the grid, or off the scan.
    inside
        Share of the region that lies within the scan, 1 unless the scan's edge cuts it.
    mean, sum
        Of the map over the region's voxels that have a value, in the map's unit.
    mean_error, sum_error, error_is
        Standard errors, and whether they are ``"exact"``, ``"at most"`` so large, or not known (``""``).
    share
        Part of the brain's absolute relevance that lies in the region: 0 to 1.
    enrichment
        That share over the region's share of the brain's voxels: 1 is chance, whatever the region's size.
    enrichment_signed
        The same of the signed sum, over the brain's absolute relevance: as large where all of the region
        speaks for the class, as large and negative where all of it speaks against, 0 where both are equal.
    """

    label: int
    name: str
    voxels: int
    volume: float | None
    inside: float
    mean: float
    mean_error: float
    sum: float
    sum_error: float
    error_is: ErrorIs
    share: float
    enrichment: float
    enrichment_signed: float


COLUMNS = tuple(each.name for each in fields(RegionRow))
"""Of a table that is written."""


@dataclass(frozen=True, eq=False, repr=False)
class RegionTable:
    """A row for each region of an atlas; :meth:`xaimri.Explanation.by_region` makes one.

    Attributes
    ----------
    rows
        One per region, in the order of the labels.
    rest
        The brain outside of all regions, as a row with the label 0.
    unit
        Of means and sums.
    question
        What is explained, and by which method, in words.
    atlas
        SHA-256 of the atlas.
    notes
        Sentences on regions that are lost or cut, on names, and on errors.
    """

    rows: tuple[RegionRow, ...]
    rest: RegionRow
    unit: str
    question: str
    atlas: str
    notes: tuple[str, ...] = ()

    @check_arguments()
    def of(self, region: str | int) -> RegionRow:
        """Return the row of a region by its name or label.

        Raises
        ------
        InvalidInput
            If there is none, or several have this name.
        """
        found = [row for row in (*self.rows, self.rest) if region in (row.name, row.label)]
        if len(found) != 1:
            has = "none" if not found else f"the labels {', '.join(str(row.label) for row in found)}"
            raise InvalidInput(f"one region must be called {shown(region)}, and there is {has}: see `rows`.")
        return found[0]

    def __repr__(self) -> str:
        return f"<RegionTable: {len(self.rows)} regions, {self.question}>"

    def __str__(self) -> str:
        return table_text(HEADS, [_words(row) for row in self._strongest()], PRINTED, self._told())

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries, the rest last: ``pandas.DataFrame(table.to_rows())``.

        None stands for what is not known.
        """
        return [plain_row(row) for row in (*self.rows, self.rest)]

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write the rows as a table (``.csv``), or all of it as JSON (``.json``)."""
        told = {"question": self.question, "unit": self.unit, "atlas": self.atlas, "notes": list(self.notes)}
        return save_table(path, COLUMNS, self.to_rows(), told)

    def _repr_html_(self) -> str:
        rows = [_words(row) for row in self._strongest()]
        return table_html(f"Regions: {self.question}", HEADS, rows, SHOWN, self._told())

    def _strongest(self) -> list[RegionRow]:
        """Return the rows by the size of their sums, and the rest last."""
        return [*sorted(self.rows, key=lambda row: -abs(_number(row.sum))), self.rest]

    def _told(self) -> list[str]:
        """Return what is to be said under the table."""
        first = f"{self.question}, in {self.unit}; the largest sums first. Enrichment: 1 is chance."
        return [first, *self.notes]


def table_text(heads: Sequence[str], rows: Sequence[Sequence[str]], most: int, notes: Sequence[str]) -> str:
    """Return a table with its notes as text; of many rows the first ones and the last."""
    lines = align(heads, _some(rows, most))
    left = len(rows) - most - 1
    more = [f"{left} more regions: `.to_rows()` has them all, or a file (`--out`)."] if left > 0 else []
    return "\n".join([*lines, *more, *notes])


def table_html(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], most: int, notes: Sequence[str]
) -> str:
    """Return a table with its notes as a card of a notebook."""
    more = [f"{len(rows) - most - 1} more regions"] if len(rows) > most + 1 else []
    return notebook.card(
        title, notebook.table(heads, _some(rows, most)), notebook.paragraphs([*more, *notes])
    )


def save_table(
    path: str | Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], told: Mapping[str, Any]
) -> Path:
    """Write rows as ``.csv``, or with what is told of them as ``.json``."""
    file = Path(path)
    if file.suffix == ".csv":
        return archive.write_text(file, csv_text(columns, rows))
    if file.suffix != ".json":
        raise InvalidInput(f"`{file.name}` must end in .csv or .json.")
    text = json.dumps({**told, "regions": list(rows)}, indent=2, allow_nan=False)
    return archive.write_text(file, text + "\n")


def plain_row(row: Any) -> dict[str, Any]:
    """Return a row as a dictionary; None stands for what is no number."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(row).items()
    }


def figure(value: float | None, error: float = math.nan, bound: str = "") -> str:
    """Return a number in three digits, with its error where there is one.

    Examples
    --------
    >>> figure(0.12345), figure(2.0, 0.1), figure(2.0, 0.1, "at most"), figure(float("nan"))
    ('0.123', '2 ± 0.1', '2 ± <0.1', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if not math.isfinite(error):
        return f"{value:.3g}"
    return f"{value:.3g} ± {'<' if bound == 'at most' and error else ''}{error:.2g}"


def _some(rows: Sequence[Sequence[str]], most: int) -> Sequence[Sequence[str]]:
    return rows if len(rows) <= most + 1 else [*rows[:most], rows[-1]]


def _words(row: RegionRow) -> list[str]:
    """Return a row as it is printed."""
    return [
        row.name, str(row.voxels), "-" if row.volume is None else f"{row.volume:.0f}",
        figure(row.mean, row.mean_error, row.error_is), figure(row.sum, row.sum_error, row.error_is),
        figure(row.enrichment), figure(row.enrichment_signed),
    ]  # fmt: skip


def _number(value: float) -> float:
    return value if math.isfinite(value) else 0.0

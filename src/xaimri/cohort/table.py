"""The regions of an atlas over many people, as a table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.atlas.table import SHOWN, figure, plain_row, save_table, table_html, table_text
from xaimri.errors import InvalidInput, shown

Amount: TypeAlias = Literal["enrichment", "enrichment_signed", "mean", "sum"]
"""What is told of each region, as of `RegionRow`: its relevance against chance, the same with signs, or its
mean or sum in the map's unit."""

PRINTED = 30
"""Regions that are printed, at most, the surest first."""

HEADS = ("region", "subjects", "mean", "interval", "t", "p")
"""Of a printed table."""


@dataclass(frozen=True)
class CohortRow:
    """One region over many people.

    Attributes
    ----------
    label, name
        Of the region in its atlas.
    subjects
        How many have a value there.
    mean, low, high
        Mean over subjects and the ends of its interval, NaN where there is none.
    t, p
        How far the mean is from chance, and how often one region at least of so many would come out as far by
        chance: corrected for all regions. NaN where it can't be told.
    """

    label: int
    name: str
    subjects: int
    mean: float
    low: float
    high: float
    t: float
    p: float


COLUMNS = tuple(each.name for each in fields(CohortRow))
"""Of a table that is written."""


@dataclass(frozen=True, eq=False, repr=False)
class RegionCohort:
    """A row for each region of an atlas over many people; :func:`xaimri.by_region` makes one.

    Attributes
    ----------
    rows
        One per region, in the order of the labels.
    amount, chance
        What is told of each region, and its value where a region is nothing special, which p is against.
    values
        ``(subjects, regions)``: what the rows are made of, NaN where a subject has no value.
    question, unit
        What is explained, and what means and sums are in.
    confidence
        Of the intervals.
    notes
        Sentences on what was compared, and what can't be told.
    """

    rows: tuple[CohortRow, ...]
    amount: Amount
    chance: float
    values: Float[Array, "subjects regions"]
    question: str
    unit: str
    confidence: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<RegionCohort: {self.amount} of {len(self.rows)} regions, {len(self.values)} subjects>"

    def __str__(self) -> str:
        return table_text(HEADS, [self._words(row) for row in self._surest()], PRINTED, self._told())

    @check_arguments()
    def of(self, region: str | int) -> CohortRow:
        """Return the row of a region by its name or label.

        Raises
        ------
        InvalidInput
            If there is none, or several have this name.
        """
        found = [row for row in self.rows if region in (row.name, row.label)]
        if len(found) != 1:
            raise InvalidInput(f"{len(found)} regions are called {shown(region)}: see `rows`.")
        return found[0]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries; None stands for what is not known."""
        return [plain_row(row) for row in self.rows]

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write the rows as a table (``.csv``), or with what is told of them as JSON (``.json``)."""
        told = {
            "amount": self.amount, "chance": self.chance, "question": self.question, "unit": self.unit,
            "subjects": len(self.values), "confidence": self.confidence, "notes": list(self.notes),
        }  # fmt: skip
        return save_table(path, COLUMNS, self.to_rows(), told)

    def _repr_html_(self) -> str:
        rows = [self._words(row) for row in self._surest()]
        return table_html(f"Regions: {self.question}", HEADS, rows, SHOWN, self._told())

    def _surest(self) -> list[CohortRow]:
        """Return the rows by p, then by t."""
        return sorted(self.rows, key=lambda row: (np.nan_to_num(row.p, nan=2), -abs(np.nan_to_num(row.t))))

    def _words(self, row: CohortRow) -> list[str]:
        interval = "-" if np.isnan(row.low) else f"{row.low:.3g} to {row.high:.3g}"
        return [
            row.name, str(row.subjects), figure(row.mean), interval, figure(row.t), figure(row.p)
        ]  # fmt: skip

    def _told(self) -> list[str]:
        """Return what is to be said under the table."""
        first = f"{self.amount} by {self.question}; {self.chance:g} is chance. {len(self.values)} subjects."
        return [first, *self.notes]

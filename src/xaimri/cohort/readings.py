"""What many maps hold in each region, compared: a mean for each, its interval over people, and its p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.atlas import RegionTable
from xaimri.cohort.table import Amount, CohortRow, RegionCohort
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.evaluation.sign_flips import is_exact, sign_flip_test
from xaimri.explanation import Explanation

CHANCE: Mapping[str, float] = {"enrichment": 1.0, "enrichment_signed": 0.0, "mean": 0.0, "sum": 0.0}
"""What each amount is where a region is nothing special."""


@dataclass(frozen=True)
class Reading:
    """What one map holds in each region, and what it is of; the map itself is not held.

    Attributes
    ----------
    amounts, names
        By the label of the region.
    notes, unit
        Of the map's table.
    target, question, title
        What is explained, in words, and by which method.
    negative
        Whether a value of the map is below 0.
    """

    amounts: Mapping[int, float]
    names: Mapping[int, str]
    notes: tuple[str, ...]
    unit: str
    target: int
    question: str
    title: str
    negative: bool

    @classmethod
    def of(cls, explanation: Explanation, table: RegionTable, amount: Amount) -> Reading:
        """Read what a map's table tells."""
        method = explanation.method
        return cls(
            {row.label: float(getattr(row, amount)) for row in table.rows},
            {row.label: row.name for row in table.rows},
            table.notes,
            table.unit,
            explanation.target,
            explanation.question,
            cast(str, method.get("title", method["name"])),
            bool((explanation.values < 0).any()),
        )


def compared(
    readings: Sequence[Reading],
    people: Sequence[str],
    amount: Amount,
    bootstrap: Bootstrap,
    flips: int,
    more: Sequence[str] = (),
) -> RegionCohort:
    """Compare readings of maps of one method and score; ``people`` tells whose each is."""
    named = {label: name for one in readings for label, name in one.names.items()}
    labels = sorted(named)
    values = _by_subject(readings, labels, people)
    chance = CHANCE[amount]
    t, p = sign_flip_test(values, chance, flips=flips, seed=bootstrap.seed)
    notes = list(_notes(readings, values, amount, flips))
    if _is_one_sided(readings, amount):
        p = np.full_like(p, np.nan)
    means, low, high = _intervals(values, bootstrap)
    rows = tuple(
        CohortRow(
            label, named[label], int(np.isfinite(values[:, n]).sum()),
            *(float(each[n]) for each in (means, low, high, t, p)),
        )
        for n, label in enumerate(labels)
    )  # fmt: skip
    single = dict.fromkeys(note for one in readings for note in one.notes if not note.startswith("Errors"))
    several = [f"Of single scans: {note}" for note in list(single)[:5]]
    return RegionCohort(
        rows, amount, chance, values, _asked(readings), readings[0].unit, bootstrap.confidence,
        (*notes, *more, *several),
    )  # fmt: skip


def _by_subject(
    readings: Sequence[Reading], labels: Sequence[int], people: Sequence[str]
) -> Float[Array, "subjects regions"]:
    """Return each subject's mean over their scans, NaN where none of them has a value."""
    place = {label: n for n, label in enumerate(labels)}
    values = np.full((len(readings), len(labels)), np.nan)
    for n, one in enumerate(readings):
        for label, value in one.amounts.items():
            values[n, place[label]] = value
    values[~np.isfinite(values)] = np.nan
    order = {person: n for n, person in enumerate(dict.fromkeys(people))}
    whose = np.array([order[person] for person in people])
    known = np.isfinite(values)
    total, count = np.zeros((2, len(order), len(labels)))
    np.add.at(total, whose, np.where(known, values, 0))
    np.add.at(count, whose, known)
    found: Array = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return found


def _intervals(values: Float[Array, "subjects regions"], bootstrap: Bootstrap) -> tuple[Array, Array, Array]:
    """Return the mean of each region with its interval over subjects, where there are enough of them."""
    known = np.isfinite(values)
    filled, count = np.where(known, values, 0), known.sum(axis=0)
    means = np.divide(filled.sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0)
    weights = bootstrap.weights(np.zeros(len(values), dtype=np.int64))
    times = weights @ known
    drawn = np.divide(weights @ filled, times, out=np.full(times.shape, np.nan), where=times > 0)
    low, high = np.full((2, len(count)), np.nan)
    for people in np.unique(count[count >= MINIMUM_SUBJECTS]).tolist():
        some = count == people
        low[some], high[some] = bootstrap.ends(drawn[:, some], people)
    flat = ~(high > low)
    low[flat], high[flat] = np.nan, np.nan
    return means, low, high


def _is_one_sided(readings: Sequence[Reading], amount: Amount) -> bool:
    """Tell whether a mean can only lie above 0, as of maps that are rectified."""
    return amount != "enrichment" and not any(one.negative for one in readings)


def _notes(
    readings: Sequence[Reading], values: Float[Array, "subjects regions"], amount: Amount, flips: int
) -> Sequence[str]:
    """Say what was compared, and what can't be told."""
    subjects = len(values)
    told = []
    if len({one.target for one in readings}) > 1:
        told.append("The maps are of different classes, each of its own scan's.")
    if subjects < MINIMUM_SUBJECTS:
        told.append(f"No intervals: they need at least {MINIMUM_SUBJECTS} subjects.")
    if _is_one_sided(readings, amount):
        told.append(
            "No p: these maps have no negative value, so that every mean lies above 0; "
            'amount="enrichment" asks whether a region has more than its share.'
        )
        return told
    if 2 / 2**subjects > 0.05:
        told.append(f"Of {subjects} subjects no p can be below {2 / 2**subjects:.2g}.")
    how = "all flips" if is_exact(subjects, flips) else f"{flips} flips"
    told.append(f"p is corrected for all regions: largest t of {how} of the subjects' signs.")
    return told


def _asked(readings: Sequence[Reading]) -> str:
    """Return method and question in words."""
    same = len({one.question for one in readings}) == 1
    return f"{readings[0].title} of {readings[0].question if same else 'each scan by its own class'}"

"""What metrics say of a cohort's maps, as a report shows it: means with intervals, and each case's values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xaimri.card.fact import counted
from xaimri.cohort import Cohort
from xaimri.cohort.judged import judged_metrics
from xaimri.errors import XaimriError
from xaimri.render.panel import title_of
from xaimri.reporting.subjects import known_subjects


@dataclass(frozen=True)
class Judged:
    """The metrics by which a cohort was judged, and what they say.

    Attributes
    ----------
    table
        Heads and rows: methods by metrics; None where nothing is to be shown.
    apart
        Differences of methods that are certain.
    notes
        Sentences: whose the intervals are, what is missing, or why there is no table.
    values
        By case and method: a sentence for the panel of the case.
    """

    table: tuple[list[str], list[list[str]]] | None = None
    apart: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)


def judged_of(cohort: Cohort, independent: bool) -> Judged | None:
    """Return what a cohort's judgements say; None where it was not judged.

    Parameters
    ----------
    cohort
        Whose rows are told.
    independent
        Whether each case without a subject is of a person of its own.
    """
    metrics = judged_metrics(cohort.store)
    if not metrics:
        return None
    values = _values(cohort, metrics)
    kept, left_out = known_subjects(cohort, independent)
    try:
        told = kept.judgement(metrics, independent=independent)
    except XaimriError as fault:
        return Judged(notes=(f"Judged by {', '.join(metrics)}, without means here: {fault}",), values=values)
    words = told.words()
    heads, rows = words.table("higher is better", "lower is better")
    methods = cohort.manifest.methods
    titled = [[title_of(methods[name], name), *cells] for name, *cells in rows]
    lists = dict(words.lists())
    apart, without = lists.values()
    notes = [
        f"Means over {counted(words.cases, 'case')} of {counted(words.people, 'subject')}.",
        *words.intervals(), *told.notes, *words.effects, *(f"Without a value: {each}" for each in without),
    ]  # fmt: skip
    if left_out:
        notes.append(f"Left out of these means, as they have no subject: {counted(left_out, 'case')}.")
    chance = [f"of {name} {each.chance}" for name, each in told.metrics.items() if each.chance]
    if chance:
        notes.append(f"A map that knows nothing gets {', '.join(chance)}.")
    return Judged((["method", *heads[1:]], titled), tuple(apart), tuple(notes), values)


def _values(cohort: Cohort, metrics: list[str]) -> dict[tuple[str, str], str]:
    """Return in a sentence what the metrics say of each map."""
    asked = ["case", "method", *metrics, *(f"{name}_failure" for name in metrics)]
    found = {}
    for batch in cohort.table(asked).to_batches(max_chunksize=1024):
        for row in batch.to_pylist():
            told = list(filter(None, (_value(row, name) for name in metrics)))
            if told:
                found[row["case"], row["method"]] = f"Judged: {', '.join(told)}."
    return found


def _value(row: Mapping[str, Any], metric: str) -> str:
    value, failure = row[metric], row[f"{metric}_failure"]
    if failure is not None:
        return f"{metric} has no value ({failure.rstrip('.')})"
    return "" if value is None or math.isnan(value) else f"{metric} {value:.3g}"

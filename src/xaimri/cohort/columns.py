"""Columns of a cohort's table that are not its rows' own: what metrics say of the maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xaimri.cohort.judged import KEYS, Judged, judged_metrics, keys_of
from xaimri.cohort.store import Store

FAILURE = "_failure"
"""Behind a metric's name: why a map has no value."""


def judged_columns(store: Store) -> list[str]:
    """Return the columns that metrics add to the table."""
    return [name for metric in judged_metrics(store) for name in (metric, metric + FAILURE)]


def with_judged(table: Any, store: Store, columns: Sequence[str]) -> Any:
    """Return a table of Arrow with these columns more, null where a row is not judged.

    ``table`` has the columns by which a map is known.
    """
    metrics = dict.fromkeys(name.removesuffix(FAILURE) for name in columns)
    for metric in metrics:
        values = Judged(store, metric).table([*KEYS, "value", "failure"])
        import pyarrow.compute as pc

        places = pc.index_in(keys_of(table), value_set=keys_of(values))
        for name, column in ((metric, "value"), (metric + FAILURE, "failure")):
            table = table.append_column(name, values[column].combine_chunks().take(places))
    return table

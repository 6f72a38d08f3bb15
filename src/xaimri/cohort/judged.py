"""What a metric says of a cohort's maps: a Parquet file for each part beside the rows, and what was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from xaimri.arrays import Stored
from xaimri.cohort.code import code_digest
from xaimri.cohort.part_files import dataset_of, file_of, finished_in, packed, told_damage
from xaimri.cohort.rows import Row
from xaimri.cohort.schema import arrow
from xaimri.cohort.store import Store
from xaimri.errors import InvalidInput, shown
from xaimri.metric import Metric
from xaimri.record import Recorded
from xaimri.storage import plain

JUDGEMENTS = "judgements"
"""The folder that has one of each metric."""

VERSION = 1

JUDGED: dict[str, str] = {
    "case": "as of the rows",
    "method": "as of the rows",
    "key": "as of the rows: another key there says that the case was explained anew since",
    "value": "what the metric says of the map; null where it says nothing",
    "failure": "null, or the sentence that says why there is no value",
    "stage": "null, or where it failed: read, explain or measure",
    "curve": "of a metric that is the area under a curve: its fractions and scores, as JSON; else null",
    "erased": "what erasing the case's mask does to the score, as JSON; null where no metric asks for a mask",
    "mask_sha256": "of the mask's file, or of its pixels; null where there is none",
    "mask_stamp": "when the mask's file was last written, and its bytes; null of a mask in memory",
}
"""What each column means; the page on cohorts has the same table."""


ASKED = ("metric", "function", "settings", "better", "needs", "measures", "chance")
"""What is recorded of a metric."""

KEYS = ("case", "method", "key")
"""Columns by which a map is known."""


def schema() -> Any:
    """Return the Arrow schema of a metric's files."""
    pa = arrow()
    return pa.schema(
        [
            pa.field(
                name, pa.float64() if name == "value" else pa.string(),
                nullable=name not in ("case", "method"), metadata={"meaning": meaning},
            )
            for name, meaning in JUDGED.items()
        ],
        metadata={"xaimri_judgement": str(VERSION)},
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """The values of one metric, and the record of what it was.

    Attributes
    ----------
    store
        Of the cohort.
    metric
        The metric's name, which its folder has.
    """

    store: Store
    metric: str

    @property
    def folder(self) -> str:
        """Where its files are, below the cohort."""
        return f"{JUDGEMENTS}/{self.metric}"

    def record(self) -> dict[str, Any] | None:
        """Return what the metric was; None where it was not asked for.

        Raises
        ------
        InvalidInput
            If that is damaged, or of another version.
        """
        content = self.store.place.read(f"{self.folder}.json")
        if content is None:
            return None
        name = f"{self.folder}.json in {self.store.place.name}"
        try:
            told: dict[str, Any] = json.loads(content)
            version = told["version"]
            if version == VERSION and not all(name in told for name in ASKED):
                raise ValueError("no metric is recorded so")
        except (ValueError, KeyError, TypeError) as damage:
            raise InvalidInput(f"the record {name} is damaged: remove it, and judge anew.") from damage
        if version != VERSION:
            raise InvalidInput(
                f"{name} is of version {shown(version)}, and version {VERSION} is read: remove it, and judge "
                "anew."
            )
        return told

    def begin(self, metric: Metric) -> None:
        """Write down what the metric is, or see that it is the one whose values are there, if any are.

        Raises
        ------
        InvalidInput
            If it is another one; the sentence says what differs.
        """
        own = record_of(metric)
        there = self.record() if self._parts() else None  # one that never gave a value holds no place
        if there is None:
            self.store.place.write(f"{self.folder}.json", json.dumps(own, indent=1).encode())
            return
        unlike = list(_unlike(there, own))
        if unlike:
            raise InvalidInput(
                f"{self.store.place.name} holds values of another {metric.name!r}, which differs in "
                f"{'; '.join(unlike)}: give this one a name of its own, as Metric(name, function, better)."
            )

    def finished(self) -> set[int]:
        """Return the parts whose values are there, of the maps that are there now."""
        if not self._parts():
            return set()
        import pyarrow.compute as pc

        rows = keys_of(self.store.table(KEYS))
        known = pc.is_in(rows, value_set=keys_of(self.table(KEYS))).to_numpy(zero_copy_only=False)
        found, first, methods = set(), 0, len(self.store.manifest.methods)
        for part in sorted(self.store.finished()):
            last = first + methods * len(self.store.bounds(part))
            if known[first:last].all():
                found.add(part)
            first = last
        return found

    def write(self, part: int, rows: Sequence[Row]) -> None:
        """Write the values of a part, whole or not at all."""
        import pyarrow

        table = pyarrow.table({name: [row[name] for row in rows] for name in JUDGED}, schema=schema())
        self.store.place.write(file_of(self.folder, part), packed(table))

    def table(self, columns: Sequence[str] = tuple(JUDGED)) -> Any:
        """Return the values that are there as a table of Arrow."""
        place, files = self.store.place, [file_of(self.folder, part) for part in sorted(self._parts())]
        if not files:
            return schema().empty_table().select(list(columns))
        with told_damage(place, files):
            return dataset_of(place, files, schema()).to_table(columns=list(columns))

    def _parts(self) -> set[int]:
        return finished_in(self.store.place, self.folder, self.store.parts)


def keys_of(table: Any) -> Any:
    """Return one string of each row of a table with the columns `KEYS`, by which its map is known.

    No method has such a mark in its name, and no key in it.
    """
    import pyarrow
    import pyarrow.compute as pc

    found = pc.binary_join_element_wise(pc.fill_null(table["key"], ""), table["method"], table["case"], "\0")
    return pyarrow.concat_arrays(found.chunks) if found.num_chunks else pyarrow.array([], found.type)


def judged_metrics(store: Store) -> list[str]:
    """Return the names of the metrics that have values here."""
    names = [name.removesuffix(".json") for name in store.place.names(JUDGEMENTS) if name.endswith(".json")]
    return [name for name in names if finished_in(store.place, f"{JUDGEMENTS}/{name}", store.parts)]


def check_name(name: str) -> None:
    """See that a folder can be called as a metric, and a column of the table.

    Raises
    ------
    InvalidInput
        If not.
    """
    from xaimri.cohort.schema import COLUMNS

    if not re.fullmatch(r"\w[\w+-]*", name) or name in COLUMNS or name.endswith("_failure"):
        raise InvalidInput(
            f"a metric called {shown(name)} can't be a column of a cohort: give it another name, of letters, "
            "digits and `_`, by Metric(name, function, better)."
        )


def record_of(metric: Metric) -> dict[str, Any]:
    """Return what a metric is, as JSON types: its function by name, and the settings that are bound.

    Examples
    --------
    >>> from xaimri.judging import as_metric
    >>> from xaimri.metrics import deletion
    >>> record_of(as_metric(partial(deletion, absent=0.0)))["settings"]
    {'absent': 0.0}
    """
    function, settings = _unbound(metric.function)
    return {
        "version": VERSION,
        "metric": metric.name,
        "function": _called(function),
        "code": code_digest(function),
        "settings": settings,
        "better": metric.better,
        "needs": list(metric.needs),
        "measures": metric.measures,
        "chance": metric.chance,
    }


def _unbound(function: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a function without what is bound to it, and that."""
    if not isinstance(function, partial):
        return function, _held(function)
    inner, settings = _unbound(function.func)
    placed = {f"argument {n}": _told(value) for n, value in enumerate(function.args)}
    return inner, settings | placed | {name: _told(value) for name, value in function.keywords.items()}


def _held(function: object) -> dict[str, Any]:
    """Return the settings of an object that is called, or whose method is."""
    own = getattr(function, "__self__", None if hasattr(function, "__qualname__") else function)
    if isinstance(own, type | ModuleType):
        return {}
    return {name: _told(value) for name, value in getattr(own, "__dict__", {}).items()}


def _called(function: object) -> str:
    """Return the name of a function, or of the kind of object that is called."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', '')}"


def _told(value: object) -> Any:
    """Return a setting as JSON types: arrays by their SHA-256, and what is no data by its kind."""
    if isinstance(value, np.ndarray):
        return {"array": Stored(value).sha256}
    if isinstance(value, Recorded):
        return plain(value.record())
    if isinstance(value, tuple | list):
        return [_told(each) for each in value]
    if value is None or isinstance(value, str | int | float | np.generic):
        return plain(value)
    return getattr(value, "__qualname__", type(value).__qualname__)


def _unlike(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """Say in what two records differ."""
    for name in ("function", "better", "needs", "measures"):
        if there.get(name) != here[name]:
            yield f"`{name}` ({shown(there.get(name))} there, {shown(here[name])} here)"
    if there.get("function") == here["function"] and there.get("code") != here["code"]:
        yield "what its function does"
    before, now = there.get("settings", {}), here["settings"]
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            words = [shown(each[name]) if name in each else "its default" for each in (before, now)]
            yield f"the setting `{name}` ({words[0]} there, {words[1]} here)"

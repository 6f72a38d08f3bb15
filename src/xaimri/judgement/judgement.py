"""What a judgement of explanations found: a row per explainer, case and metric, and what follows."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from xaimri import archive
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.unread import say_unread
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.bootstrap import Bootstrap, between
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.failure import Failure
from xaimri.judgement.rows import Difference, Row, Summary
from xaimri.judgement.words import Words
from xaimri.metric import Curve, MaskEffect, Metric, say_effects
from xaimri.table import csv_text


@dataclass(frozen=True, eq=False)
class Judgement:
    """The result of :func:`xaimri.evaluate_explanations`; printing it gives a table.

    Attributes
    ----------
    rows
        One per explainer, metric and case, failures too.
    explainers
        Names, in the order given.
    metrics
        By name.
    records
        The record of each explainer: its name and settings; arrays stand as their SHA-256.
    curves
        The curves of metrics that have some, by explainer and metric, one per case that has a value.
    confidence, resamples, seed
        Of the intervals: bootstrap over subjects, the same resamples everywhere.
    against
        The class that every target was held against, or None.
    mask_effects
        By case, where a metric asks for the mask: what erasing it does to the score that the first method
        explains, or why that can't be told.
    notes
        Sentences on the cases, such as what their loader changes by chance.
    caveats
        By explainer, on how many of its maps each caveat stands.
    of
        The score that every method was asked to explain; None where each took its own.
    """

    rows: tuple[Row, ...]
    explainers: tuple[str, ...]
    metrics: Mapping[str, Metric]
    records: Mapping[str, Mapping[str, Any]]
    curves: Mapping[tuple[str, str], tuple[Curve, ...]] = field(default_factory=dict, repr=False)
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    against: str | None = None
    mask_effects: Mapping[str, MaskEffect | Failure] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    caveats: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    of: str | None = None

    @cached_property
    def cases(self) -> tuple[str, ...]:
        """Their ids, in order."""
        return tuple(dict.fromkeys(row.case for row in self.rows))

    @cached_property
    def _read(self) -> Mapping[str, str]:
        """The subjects of the cases that could be read."""
        return {r.case: r.subject for r in self.rows if r.failure is None or r.failure.stage != "read"}

    @property
    def unread(self) -> tuple[Failure, ...]:
        """Why a case could not be read, one for each: they have no value anywhere."""
        return tuple(
            {r.case: r.failure for r in self.rows if r.failure and r.case not in self._read}.values()
        )

    @cached_property
    def _person(self) -> Int[Array, " cases"]:
        """The number of every case's subject; those of whom no image could be read come last."""
        subjects = {row.case: row.subject for row in self.rows}
        number = {s: n for n, s in enumerate(dict.fromkeys([*self._read.values(), *subjects.values()]))}
        return np.array([number[subject] for subject in subjects.values()], dtype=np.int64)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries: ``pandas.DataFrame(judgement.to_rows())``."""
        return [{**asdict(row), "failure": row.failure and row.failure.sentence} for row in self.rows]

    @check_arguments()
    def values(self, explainer: str, metric: str) -> Float[Array, " cases"]:
        """Return one explainer's values of one metric, in the order of the cases; NaN where there is none."""
        place = {case: number for number, case in enumerate(self.cases)}
        found = np.full(len(place), np.nan)
        for row in self._rows(explainer, metric):
            found[place[row.case]] = row.value
        return found

    @property
    def summary(self) -> tuple[Summary, ...]:
        """Every explainer's mean of every metric."""
        return tuple(self.mean(explainer, metric) for metric in self.metrics for explainer in self.explainers)

    @check_arguments()
    def mean(self, explainer: str, metric: str) -> Summary:
        """Return one explainer's mean of one metric."""
        values = self.values(explainer, metric)
        known = np.isfinite(values)
        failures = sum(row.failure is not None for row in self._rows(explainer, metric))
        subjects = len(np.unique(self._person[known]))
        return Summary(explainer, metric, self._estimate(values), int(known.sum()), subjects, failures)

    @check_arguments()
    def difference(self, first: str, second: str, metric: str) -> Difference:
        """Return by how much the first explainer's mean exceeds the second's, case by case."""
        values = self.values(first, metric) - self.values(second, metric)
        low, high = self.interval(values[:, None])[:, 0]
        cases = int(np.isfinite(values).sum())
        return Difference(metric, first, second, self._estimate(values), cases, bool(low > 0 or high < 0))

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All pairs of explainers, metric by metric."""
        pairs = list(combinations(self.explainers, 2))
        return tuple(self.difference(a, b, metric) for metric in self.metrics for a, b in pairs)

    @property
    def failures(self) -> Mapping[str, int]:
        """Why rows have no value, and how many: the commonest first."""
        return dict(
            Counter(row.failure.sentence for row in self.rows if row.failure is not None).most_common()
        )

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write the rows as a table (``.csv``), or everything but the curves as JSON (``.json``)."""
        file = Path(path)
        if file.suffix == ".csv":
            return archive.write_text(file, csv_text([f.name for f in fields(Row)], self.to_rows()))
        if file.suffix != ".json":
            raise InvalidInput(f"`{file.name}` must end in .csv or .json.")
        return archive.write_text(file, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the curves as JSON types; None stands for what there is no value of."""
        found = {
            "explainers": {name: dict(self.records[name]) for name in self.explainers},
            "metrics": {name: {"better": m.better, "chance": m.chance} for name, m in self.metrics.items()},
            "summary": [{**asdict(s), "estimate": s.estimate.to_dict()} for s in self.summary],
            "differences": [{**asdict(d), "estimate": d.estimate.to_dict()} for d in self.differences],
            "rows": self.to_rows(),
            "confidence": self.confidence,
            "resamples": self.resamples,
            "seed": self.seed,
            "of": self.of,
            "against": self.against,
            "mask_effects": {case: _effect(each) for case, each in self.mask_effects.items()},
            "notes": list(self.notes),
            "caveats": self.caveats,
        }
        return {name: _plain(part) for name, part in found.items()}

    def words(self) -> Words:
        """Return what a printed judgement and its card say, in parts."""
        return Words(
            self.summary, self.metrics, self.differences, len(self.cases), len(np.unique(self._person)),
            len(set(self._read.values())), self.confidence, self.resamples, self.of, self.against,
            (*say_unread(self.unread, len(self.cases)), *self.notes),
            tuple(say_effects(self.mask_effects.values())), self.caveats, self.failures,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.words().text()

    def _repr_html_(self) -> str:
        return self.words().html()

    def _rows(self, explainer: str, metric: str) -> list[Row]:
        for name, known in ((explainer, self.explainers), (metric, tuple(self.metrics))):
            if name not in known:
                raise InvalidInput(f"{shown(name)} was not judged: use {', '.join(map(repr, known))}.")
        return [row for row in self.rows if row.explainer == explainer and row.metric == metric]

    def _estimate(self, values: Float[Array, " cases"]) -> Estimate:
        """Return the mean over cases, its interval over resampled subjects."""
        known = np.isfinite(values)
        if not known.any():
            return Estimate.none()
        low, high = self.interval(values[:, None])[:, 0]
        return between(float(values[known].mean()), float(low), float(high))

    def interval(self, values: Float[Array, "cases points"]) -> Float[Array, "2 points"]:
        """Return the ends of the interval of every column's mean; NaN where too few subjects have a value.

        ``values`` has a row per case, in their order, NaN where the case has none.
        """
        known = np.isfinite(values).all(axis=1)
        people = len(set(self._read.values()))
        count = np.bincount(self._person[known], minlength=people)
        able = int(np.count_nonzero(count))
        if able < MINIMUM_SUBJECTS:
            return np.full((2, values.shape[1]), np.nan)
        total = np.zeros((people, values.shape[1]))
        np.add.at(total, self._person[known], values[known])
        bootstrap = Bootstrap(self.resamples, self.confidence, self.seed)
        weights = bootstrap.weights(np.zeros(people, dtype=np.int64))
        weights = weights[weights @ count > 0]
        return bootstrap.ends((weights @ total) / (weights @ count)[:, None], able)


def _effect(effect: MaskEffect | Failure) -> dict[str, Any]:
    """Return what erasing a mask does, or why that can't be told, as JSON types."""
    if isinstance(effect, Failure):
        return {"failure": effect.sentence}
    return {**asdict(effect), "share": effect.share, "slight": effect.slight}


def _plain(value: object) -> Any:
    """Turn NaN into None, as JSON has none."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

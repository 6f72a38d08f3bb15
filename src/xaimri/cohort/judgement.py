"""What is judged of a cohort, as a judgement: means with intervals over subjects, and how methods differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from xaimri.cohort.chosen import Chosen
from xaimri.cohort.judged import Judged
from xaimri.cohort.store import Store
from xaimri.data.persons import known_persons
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Row
from xaimri.metric import Curve, MaskEffect, Metric

HEADS = ("case", "method", "key", "subject", "target", "against", "caveats")
"""What is read of the cohort's rows."""


def judgement_of(
    cohort: Chosen,
    store: Store,
    metrics: Sequence[str],
    *,
    independent: bool,
    interval: tuple[float, int, int],
    curves: bool,
) -> Judgement:
    """Return what metrics say of the chosen rows, as of `Cohort.judgement`."""
    heads = {(row["case"], row["method"]): row for row in cohort.table(HEADS).to_pylist()}
    subjects = subjects_of(heads.values(), independent)
    rows: list[Row] = []
    kept: dict[tuple[str, str], list[Curve]] = {}
    effects: dict[str, MaskEffect | Failure] = {}
    named, counts = {}, []
    for name in metrics:
        judged = Judged(store, name)
        named[name] = _metric(cast(Mapping[str, Any], judged.record()))  # it is known
        values, count = _by_key(judged, curves), 0
        for key, head in heads.items():
            row = values.get(key)
            if row is None or row["key"] != head["key"]:  # or the case was explained anew since
                continue
            count += 1
            rows.append(_row(name, row, head, subjects[key[0]]))
            if row["erased"] is not None:
                effects.setdefault(key[0], _effect(key[0], json.loads(row["erased"])))
            if row.get("curve") is not None:
                kept.setdefault((key[1], name), []).append(_curve(json.loads(row["curve"])))
        counts.append(count)
    manifest = store.manifest
    methods = tuple(name for name in manifest.methods if any(method == name for _, method in heads))
    rows.sort(key=lambda row: (metrics.index(row.metric), methods.index(row.explainer)))
    confidence, resamples, seed = interval
    return Judgement(
        tuple(rows),
        methods,
        named,
        {name: manifest.methods[name] for name in methods},
        {key: tuple(each) for key, each in kept.items()},
        confidence,
        resamples,
        seed,
        manifest.against,
        effects,
        _notes(len(heads), counts),
        _caveats(heads.values()),
        cast(Any, manifest.of),
    )


def subjects_of(heads: Any, independent: bool) -> dict[str, str]:
    """Return whose each case is, as intervals take it.

    Raises
    ------
    InvalidInput
        If that is not known, and the cases are not said to be independent.
    """
    whose = {row["case"]: row["subject"] for row in heads}
    return dict(zip(whose, known_persons(list(whose), list(whose.values()), independent), strict=True))


def _by_key(judged: Judged, curves: bool) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the values of a metric by case and method."""
    names = ["case", "method", "key", "value", "failure", "stage", "erased", *(["curve"] if curves else [])]
    return {(row["case"], row["method"]): row for row in judged.table(names).to_pylist()}


def _row(metric: str, row: Mapping[str, Any], head: Mapping[str, Any], subject: str) -> Row:
    failure = None if row["failure"] is None else Failure(row["case"], row["stage"], row["failure"])
    value = float("nan") if row["value"] is None else row["value"]
    return Row(
        row["method"],
        metric,
        row["case"],
        subject,
        head["target"] or "",
        value,
        failure,
        head["against"] or "",
    )


def _metric(told: Mapping[str, Any]) -> Metric:
    """Return a metric as far as its record tells: it measures nothing any more."""
    return Metric(
        told["metric"], _kept_values, told["better"], tuple(told["needs"]), told["measures"], told["chance"]
    )


def _kept_values(*_: object) -> Any:
    raise InvalidInput("of this metric the values alone were kept: take one of `xaimri.judging.METRICS`.")


def _curve(told: Mapping[str, Any]) -> Curve:
    arrays = {name: np.asarray(told[name], np.float64) for name in ("fractions", "scores")}
    return Curve(**{**told, **arrays})


def _effect(case: str, told: Mapping[str, Any]) -> MaskEffect | Failure:
    if "failure" in told:
        return Failure(case, told["stage"], told["failure"])
    return MaskEffect(**told)


def _notes(rows: int, counts: Sequence[int]) -> tuple[str, ...]:
    """Say how many of the rows are judged, if not all."""
    fewest = min(counts, default=0)
    return () if fewest == rows else (f"{fewest:,} of {rows:,} maps are judged: `judge` goes on.",)


def _caveats(heads: Any) -> dict[str, dict[str, int]]:
    """Return on how many maps of every method each caveat stands."""
    found: dict[str, Counter[str]] = {}
    for row in heads:
        own = found.setdefault(row["method"], Counter())
        own.update({each["name"] for each in row["caveats"] or ()})
    return {name: dict(each) for name, each in found.items() if each}

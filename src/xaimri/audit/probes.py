"""Probes: how well something is read off a network's features, on people the probe has not seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array
from xaimri.audit.covariates import Target
from xaimri.audit.probe import Probe
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.names import first_names

FOLDS = 5
"""Parts of people, each of which is read by a probe that was fitted on the others."""

DEALS = 499
"""Deals of a target over people, by which chance is told."""

ROWS = 2000
"""Images that a probe uses, at most, of as many people as there are."""

ALPHAS = np.logspace(-2, 6, 9)
"""Strengths of the ridge, of which each fit takes its own."""

LEAST = 2 * FOLDS
"""People of whom something must be known."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Rows from which a probe reads: features, the class, whose they are, and what is to be read."""

    features: Float[Array, "rows features"]
    labels: Int[Array, " rows"]
    owner: Int[Array, " rows"]
    wanted: Float[Array, "rows columns"]


def reading_of(
    features: Float[Array, "cases features"],
    labels: Int[Array, " cases"],
    owner: Int[Array, " cases"],
    target: Target,
) -> Reading:
    """Return images to read from, or people's mean features where a target is the same for all of each."""
    known = np.flatnonzero(target.known)
    wanted = target.design
    people, person = np.unique(owner[known], return_inverse=True)
    if _is_of_people(target.values[known], person):
        weight = np.zeros((len(people), len(known)))
        weight[person, np.arange(len(known))] = 1 / np.bincount(person)[person]
        first = np.unique(person, return_index=True)[1]
        return Reading(weight @ features[known], labels[known][first], people, wanted[first])
    kept = thinned(person, ROWS)
    own = known[kept]
    return Reading(features[own].astype(np.float64), labels[own], owner[own], wanted[kept])


def thinned(person: Int[Array, " rows"], most: int) -> Int[Array, " kept"]:
    """Return at most so many rows, as even over people as can be, in their order."""
    if len(person) <= most:
        return np.arange(len(person))
    each = max(1, most // (int(person.max()) + 1))
    kept = [np.flatnonzero(person == one) for one in range(int(person.max()) + 1)]
    picked = [
        own[np.linspace(0, len(own) - 1, min(each, len(own))).round().astype(int)] for own in kept if len(own)
    ]
    found: Array = np.sort(np.unique(np.concatenate(picked)))[: max(most, len(picked))]
    return found


def folds_of(owner: Int[Array, " rows"], seed: int) -> Int[Array, " rows"]:
    """Return the fold of every row: people stay together, and folds are even."""
    people, person = np.unique(owner, return_inverse=True)
    fold = np.empty(len(people), np.int64)
    fold[np.random.default_rng(seed).permutation(len(people))] = np.arange(len(people)) % FOLDS
    found: Array = fold[person]
    return found


def read(reading: Reading, columns: Float[Array, "rows columns"], seed: int) -> Float[Array, "rows columns"]:
    """Return what ridge regressions fitted on other people say of every row."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds, said = folds_of(reading.owner, seed), np.empty(columns.shape)
    for fold in range(FOLDS):
        tested = folds == fold
        ridge = make_pipeline(StandardScaler(), RidgeCV(ALPHAS, alpha_per_target=True))
        ridge.fit(reading.features[~tested], columns[~tested])
        said[tested] = ridge.predict(reading.features[tested]).reshape(-1, columns.shape[1])
    return said


def probe(
    features: Float[Array, "cases features"],
    labels: Int[Array, " cases"],
    owner: Int[Array, " cases"],
    target: Target,
    bootstrap: Bootstrap,
    deals: int = DEALS,
) -> Probe:
    """Read a target off features, and say how well that is done by chance and by the class alone."""
    people = len(np.unique(owner[target.known]))
    counts = int(target.known.sum()), people
    if note := _note(target, people):
        return Probe(target.name, "", Estimate.none(), math.nan, math.nan, math.nan, *counts, note=note)
    reading = reading_of(features, labels, owner, target)
    generator = np.random.default_rng(bootstrap.seed)
    orders = [np.arange(len(reading.owner)), *_deals(reading.owner, deals, generator)]
    width = reading.wanted.shape[1]
    dealt = np.concatenate([reading.wanted[order] for order in orders], axis=1)
    said = read(reading, dealt, bootstrap.seed)
    measure = _Measure(target, reading.owner)
    columns = [slice(n * width, (n + 1) * width) for n in range(len(orders))]
    once = np.ones((1, len(measure.people)), np.int64)
    reached = [float(measure.of(said[:, part], dealt[:, part], once)[0]) for part in columns]
    weights = bootstrap.weights(np.zeros(len(measure.people), np.int64))
    drawn = measure.of(said[:, columns[0]], reading.wanted, weights)
    value = bootstrap.estimate(reached[0], drawn, len(measure.people))
    p = (1 + sum(one >= reached[0] - 1e-12 for one in reached[1:])) / len(reached)
    return Probe(
        target.name,
        measure.name,
        value,
        _by_class(reading, measure, bootstrap.seed),
        measure.chance,
        p,
        *counts,
        few=target.few,
    )


@dataclass(frozen=True, eq=False)
class _Measure:
    """How well a target is read: over weightings of people."""

    target: Target
    owner: Int[Array, " rows"]

    @property
    def people(self) -> Int[Array, " people"]:
        return np.unique(self.owner)

    @property
    def name(self) -> str:
        return {0: "R2", 2: "AUROC"}.get(len(self.target.groups), "balanced accuracy")

    @property
    def chance(self) -> float:
        return {0: 0.0, 2: 0.5}.get(len(self.target.groups), 1 / max(len(self.target.groups), 1))

    def of(
        self, said: Float[Array, "rows columns"], wanted: Float[Array, "rows columns"], weights: Array
    ) -> Float[Array, " resamples"]:
        """Return the measure in every resample."""
        person = np.unique(self.owner, return_inverse=True)[1]
        drawn = weights[:, person].astype(np.float64)
        if not self.target.groups:
            total = drawn.sum(axis=1)
            mean = drawn @ wanted[:, 0] / total
            spread = drawn @ wanted[:, 0] ** 2 - total * mean**2
            error = drawn @ (wanted[:, 0] - said[:, 0]) ** 2
            return np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), np.nan)
        if len(self.target.groups) == 2:
            return auroc(said[:, 1] - said[:, 0], wanted[:, 1] > 0, weights, person)
        right = said.argmax(axis=1) == wanted.argmax(axis=1)
        recalls = []
        for group in range(wanted.shape[1]):
            own = wanted[:, group] > 0
            total = drawn[:, own].sum(axis=1)
            recalls.append(np.where(total > 0, drawn[:, own] @ right[own] / np.maximum(total, 1), np.nan))
        found: Array = np.nanmean(recalls, axis=0)
        return found


def _by_class(reading: Reading, measure: _Measure, seed: int) -> float:
    """Return how well the class alone tells the target."""
    classes = (reading.labels[:, None] == np.unique(reading.labels)).astype(np.float64)
    alone = Reading(classes, reading.labels, reading.owner, reading.wanted)
    once = np.ones((1, len(measure.people)), np.int64)
    return float(measure.of(read(alone, reading.wanted, seed), reading.wanted, once)[0])


def _deals(
    owner: Int[Array, " rows"], count: int, generator: np.random.Generator
) -> Iterator[Int[Array, " rows"]]:
    """Yield rows dealt anew: each person takes over another's values, turned round by some places."""
    people, person = np.unique(owner, return_inverse=True)
    if len(people) == len(owner):
        for _ in range(count):
            yield generator.permutation(len(owner))
        return
    rows = [np.flatnonzero(person == one) for one in range(len(people))]
    for _ in range(count):
        found = np.empty(len(owner), np.int64)
        for own, other in zip(rows, generator.permutation(len(people)).tolist(), strict=True):
            first = int(generator.integers(len(rows[other])))
            step = 1 if generator.random() < 0.5 else -1
            found[own] = rows[other][(first + step * np.arange(len(own))) % len(rows[other])]
        yield found


def _is_of_people(values: Float[Array, " rows"], person: Int[Array, " rows"]) -> bool:
    """Tell whether a value is the same for all images of each person."""
    first = values[np.unique(person, return_index=True)[1]]
    return bool((values == first[person]).all())


def _note(target: Target, people: int) -> str:
    """Say why a target can't be probed; nothing where it can."""
    values = target.values[target.known]
    if not target.known.any() and not target.few:
        return "not known of any case"
    if people < LEAST:
        return f"not estimable: known of {people} subjects, and a probe needs {LEAST}"
    if len(np.unique(values)) < 2 or len(target.groups) == 1:
        told = f" but for groups of fewer than {MINIMUM_SUBJECTS} subjects: {first_names(target.few)}"
        return f"the same for all{told if target.few else ''}"
    return ""


def corrected(probes: Sequence[Probe]) -> list[float]:
    """Return each p times the number of probes that have one."""
    count = sum(not math.isnan(one.p) for one in probes)
    return [one.p if math.isnan(one.p) else min(1.0, one.p * count) for one in probes]

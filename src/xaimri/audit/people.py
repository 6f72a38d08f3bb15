"""What was said of each person under several conditions, and balanced accuracy over resamples of people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from xaimri.arrays import Array, Scores
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.jackknife import Jackknife
from xaimri.evaluation.sign_flips import sign_flip_test
from xaimri.evaluation.truth import subject_means
from xaimri.objective import softmax

Measure: TypeAlias = Literal["balanced accuracy", "AUROC"]
"""How well classes are told apart: by the decisions, or by the order of people."""

AT_ONCE = 2**22
"""Labels that are held at once, about."""

PERMUTATIONS = 2000
"""Deals of the labels over people, by which chance is told."""


@dataclass(frozen=True, eq=False)
class People:
    """Who the cases are of, and how people are drawn again.

    Attributes
    ----------
    labels
        Of every case.
    owner
        Whose case each is.
    classes
        How many classes there are.
    bootstrap
        Draws people within their most frequent class.
    """

    labels: Int[Array, " cases"]
    owner: Int[Array, " cases"]
    classes: int
    bootstrap: Bootstrap

    @property
    def count(self) -> int:
        """How many people there are."""
        return int(self.owner.max()) + 1

    @cached_property
    def strata(self) -> Int[Array, " people"]:
        """The most frequent class of each person."""
        counts = np.zeros((self.count, self.classes), np.int64)
        np.add.at(counts, (self.owner, self.labels), 1)
        found: Array = counts.argmax(axis=1)
        return found

    @cached_property
    def jackknife(self) -> Jackknife:
        """Of the intervals, the same as those of an evaluation."""
        return Jackknife(self.strata, self.bootstrap.confidence)

    def weights(self, resamples: int | None = None) -> Int[Array, "resamples people"]:
        """Return how often each person is in each resample: as many as are said, or the bootstrap's."""
        drawn = self.bootstrap if resamples is None else replace(self.bootstrap, resamples=resamples)
        return drawn.weights(self.strata)

    def predictions(self, logits: Scores, used: Bool[Array, " cases"]) -> Predictions:
        """Return what mean probabilities, and mean log-odds, say of each person by some of the cases."""
        given = logits[used].astype(np.float64)
        means, labels, owner = subject_means(softmax(given), self.labels[used], self.owner[used])
        odds, _, _ = subject_means(log_odds(given), self.labels[used], self.owner[used])
        return Predictions(means, odds, labels, owner, self.count, self.classes)

    def fall(self, before: Predictions, after: Predictions) -> Estimate:
        """Return by how much balanced accuracy falls, in pairs, with its interval."""
        weights = self.jackknife.weights
        return self.jackknife.around(before.balanced(weights) - after.balanced(weights))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Mean probabilities and log-odds of every person, and the true class; who has two stands twice."""

    means: Float[Array, "rows classes"]
    odds: Float[Array, "rows classes"]
    labels: Int[Array, " rows"]
    owner: Int[Array, " rows"]
    people: int
    classes: int

    @property
    def predicted(self) -> Int[Array, " rows"]:
        """The most probable class."""
        found: Array = self.means.argmax(axis=1)
        return found

    @property
    def estimable(self) -> Int[Array, " estimable"]:
        """The classes with enough people."""
        counts = np.bincount(self.labels, minlength=self.classes)
        found: Array = np.flatnonzero(counts >= MINIMUM_SUBJECTS)
        return found

    @property
    def able(self) -> bool:
        """Whether there are two such classes, without which balanced accuracy says nothing."""
        return len(self.estimable) > 1

    def gains(self) -> Float[Array, " people"]:
        """Return what each person adds to balanced accuracy over the estimable classes."""
        found = np.zeros(self.people)
        for label in self.estimable:
            own = self.labels == label
            np.add.at(found, self.owner[own], (self.predicted[own] == label) / own.sum())
        return found / max(len(self.estimable), 1)

    @property
    def makers(self) -> float:
        """Of how many people a class with the variance of a mean over the estimable classes would be."""
        counts = np.bincount(self.labels, minlength=self.classes)[self.estimable]
        return float(len(counts) ** 2 / (1 / counts).sum()) if len(counts) else 0.0

    def balanced(self, weights: Num[Array, "resamples people"]) -> Float[Array, " resamples"]:
        """Return balanced accuracy over the estimable classes in every resample."""
        recalls = []
        for label in self.estimable:
            own = self.labels == label
            drawn = weights[:, self.owner[own]]
            right = drawn @ (self.predicted[own] == label)
            total = drawn.sum(axis=1)
            recalls.append(np.where(total > 0, right / np.where(total > 0, total, 1), np.nan))
        found: Array = np.nanmean(recalls, axis=0) if recalls else np.full(len(weights), np.nan)
        return found

    def ordered(self, weights: Num[Array, "resamples people"]) -> Float[Array, " resamples"]:
        """Return the mean AUROC over the estimable classes, each against the rest, in every resample.

        It goes by the order of people alone: what shifts all of them alike changes nothing. They are ordered
        by log-odds, which don't run together where probabilities are next to 0 or 1.
        """
        listed = [
            auroc(self.odds[:, label], self.labels == label, weights, self.owner) for label in self.estimable
        ]
        found: Array = np.nanmean(listed, axis=0) if listed else np.full(len(weights), np.nan)
        return found

    @property
    def order(self) -> float:
        """Mean AUROC over the estimable classes; NaN where there are not two."""
        return float(self.ordered(np.ones((1, self.people), np.int64))[0]) if self.able else float("nan")

    @property
    def value(self) -> float:
        """Balanced accuracy over the estimable classes; NaN where there are not two."""
        return float(self.balanced(np.ones((1, self.people), np.int64))[0]) if self.able else float("nan")


def log_odds(logits: Float[Array, "cases classes"]) -> Float[Array, "cases classes"]:
    """Return the log-odds of every class against all others.

    Examples
    --------
    >>> log_odds(np.array([[0.0, 3.0]]))
    array([[-3.,  3.]])
    """
    from scipy.special import logsumexp

    columns = [logits[:, n] - logsumexp(np.delete(logits, n, axis=1), axis=1) for n in range(logits.shape[1])]
    return np.stack(columns, axis=1)


def above_chance(
    listed: list[Predictions], seed: int, measure: Measure = "balanced accuracy", deals: int = PERMUTATIONS
) -> list[float]:
    """Return how often labels dealt anew over people do as well as the true ones, by the best of all.

    Corrected for how many conditions there are: where none of them tells the classes, the chance that any p
    lies below 0.05 is at most 0.05. NaN where the measure can't be told.
    """
    able = [one for one in listed if one.able]
    if not able:
        return [float("nan")] * len(listed)
    generator, best = np.random.default_rng(seed), list[Array]()
    most = max(max(one.people, len(one.labels)) for one in able)
    at_once = max(1, AT_ONCE // most)
    for first in range(0, deals, at_once):
        order = generator.random((min(at_once, deals - first), max(one.people for one in able)))
        best.append(np.max([_dealt(one, order, measure) for one in able], axis=0))
    largest = np.concatenate(best)
    values = [one.value if measure == "balanced accuracy" else one.order for one in listed]
    return [
        (1 + int((largest >= value - 1e-9).sum())) / (1 + deals) if one.able else float("nan")
        for one, value in zip(listed, values, strict=True)
    ]


def _dealt(one: Predictions, order: Float[Array, "deals people"], measure: Measure) -> Float[Array, " deals"]:
    """Return the measure with the labels dealt over people in every such order."""
    from scipy.stats import rankdata

    labels = one.labels[np.argsort(order[:, one.owner], axis=1, kind="stable")]
    listed = []
    for label in one.estimable:
        own = labels == label
        count = own.sum(axis=1)
        if measure == "balanced accuracy":
            listed.append((own & (one.predicted == label)).sum(axis=1) / count)
        else:
            above = own @ rankdata(one.odds[:, label]) - count * (count + 1) / 2
            listed.append(above / (count * (len(one.labels) - count)))
    found: Array = np.mean(listed, axis=0)
    return found


def drops(pairs: list[tuple[Predictions, Predictions]], seed: int) -> list[float]:
    """Return p of each change of balanced accuracy, by flipping the signs of whole people.

    Corrected for how many changes there are, as :func:`xaimri.evaluation.sign_flip_test` does. NaN where
    nobody's answer changed.
    """
    able = [pair for pair in pairs if pair[0].able]
    if not able:
        return [float("nan")] * len(pairs)
    columns = [(before.gains() - after.gains()) * before.people for before, after in able]
    p = iter(sign_flip_test(np.stack(columns, axis=1), seed=seed)[1].tolist())
    return [next(p) if pair[0].able else float("nan") for pair in pairs]

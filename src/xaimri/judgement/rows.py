"""The numbers of a judgement: one per map and metric, their means, and how methods differ."""

from __future__ import annotations

from dataclasses import dataclass

from xaimri.evaluation.estimate import Estimate
from xaimri.failure import Failure


@dataclass(frozen=True)
class Row:
    """One number: what a metric says of one explainer's map of one case.

    ``value`` is NaN where there is none, and ``failure`` then says why and at which stage, else it is None.
    ``against`` is the class that the target was held against, empty where there is none.
    """

    explainer: str
    metric: str
    case: str
    subject: str
    target: str
    value: float
    failure: Failure | None = None
    against: str = ""


@dataclass(frozen=True)
class Summary:
    """A metric's mean for one explainer, over its cases; the interval is over subjects.

    ``failures`` counts the cases that have no value; they are not in the mean.
    """

    explainer: str
    metric: str
    estimate: Estimate
    cases: int
    subjects: int
    failures: int


@dataclass(frozen=True)
class Difference:
    """By how much one explainer's metric exceeds another's, over the cases in which both have a value.

    ``certain`` is True where the interval does not contain zero, and where all resamples of enough subjects
    agree on a difference: then there is no interval, and one sign.
    """

    metric: str
    first: str
    second: str
    estimate: Estimate
    cases: int
    certain: bool

"""Whether probabilities are what they say: Brier score and calibration error."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.evaluation.distance import Power, distance_interval
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.jackknife import Jackknife
from xaimri.evaluation.reliability import Bin, Calibration, Reliability
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import Number, WholeNumber


@check_arguments(bins=WholeNumber(1), confidence=Number(above=0, below=1))
def calibration(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    level: LevelName = "slice",
    bins: int = 10,
    independent: bool = False,
    confidence: float = 0.95,
) -> Calibration:
    """Compare probabilities with how often they come true.

    Of each class against the rest, and of the most probable class of each case (the first of equals).

    Parameters
    ----------
    probabilities, truth, subjects, classes, independent
        As `evaluate` takes them.
    level
        ``"slice"`` takes images by themselves; ``"subject"`` takes each subject's mean probability.
    bins
        At most so many, of about as many cases each. Equal probabilities share a bin, and every bin has at
        least five subjects where there are so many.
    confidence
        Of the intervals over subjects, in the same bins. Those of the errors are of what the error would be
        without chance, so that most of the interval lies below the value, and begins at 0 where chance alone
        gives such a value.

    Returns
    -------
    Calibration

    Raises
    ------
    InvalidInput
        As `evaluate`.

    Notes
    -----
    Bins make the error too small where the distance changes its sign within one, and chance makes it too
    large [1]_. ``rms`` takes off the variance of each bin's distance, here over subjects, in squares [2]_.

    References
    ----------
    .. [1] Bröcker, "Estimating reliability and resolution of probability forecasts through decomposition of
       the empirical score", Climate Dynamics 39, 2012. https://doi.org/10.1007/s00382-011-1191-1
    .. [2] Kumar, Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019.
       https://doi.org/10.48550/arXiv.1909.10155

    Examples
    --------
    Ten people are told 0.8, and it comes true for six of them:

    >>> found = calibration(np.tile([0.2, 0.8], (10, 1)), [1] * 6 + [0] * 4, range(10))
    >>> round(found.top.ece.value, 3), round(found.top.brier.value, 3), len(found.top.bins)
    (0.2, 0.28, 1)
    """
    compared = compare(probabilities, truth, subjects, classes, independent, level)
    return calibration_of(compared, level, Jackknife(compared.strata, confidence), bins)


def calibration_of(compared: Compared, level: LevelName, jackknife: Jackknife, bins: int = 10) -> Calibration:
    """Return the calibration of one level."""
    right = compared.p.argmax(axis=1) == compared.labels
    top = _reliability("", compared.p.max(axis=1), right, compared, jackknife, bins)
    there = compared.labels[:, None] == np.arange(len(compared.classes))
    per_class = tuple(
        _reliability(name, compared.p[:, i], there[:, i], compared, jackknife, bins)
        for i, name in enumerate(compared.classes)
    )
    squares, people = ((compared.p - there) ** 2).sum(axis=1), len(compared.people)
    brier = _mean(squares, compared, jackknife, top=2.0)
    return Calibration(
        compared.classes, brier, top, per_class, level, len(squares), people, jackknife.confidence
    )


def equal_bins(
    scores: Float[Array, " cases"], owner: Int[Array, " cases"], most: int
) -> Int[Array, " cases"]:
    """Return each case's bin: about equally many cases, at least five subjects, equal scores together.

    Examples
    --------
    >>> equal_bins(np.array([0.1, 0.9, 0.9, 0.1, 0.9, 0.2, 0.2, 0.2, 0.3, 0.9]), np.arange(10), 2)
    array([0, 1, 1, 0, 1, 0, 0, 0, 1, 1])
    """
    _, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place)
    order = np.argsort(place, kind="stable")
    found, first, done = np.zeros(len(counts), dtype=np.int64), 0, 0
    seen: set[int] = set()
    starts = [0]
    for score, members in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        found[score] = len(starts) - 1
        seen |= set(owner[members].tolist())
        done += len(members)
        if len(seen) >= MINIMUM_SUBJECTS and done * most >= len(starts) * len(scores):
            starts.append(score + 1)
            first, seen = score + 1, set()
    if first < len(counts) and len(starts) > 1:  # too few are left for a bin of their own
        found[first:] -= 1
    bins: Array = found[place]
    return bins


def _mean(values: Array, compared: Compared, jackknife: Jackknife, top: float = 1.0) -> Estimate:
    """Return the mean of a value of each case, with its interval."""
    sums = jackknife.weights @ compared.totals(np.stack([values, np.ones(len(values))], axis=1))
    return jackknife.estimate(sums[:, 0] / sums[:, 1], len(compared.people), top=top)


def _reliability(
    name: str,
    scores: Float[Array, " cases"],
    true: Bool[Array, " cases"],
    compared: Compared,
    jackknife: Jackknife,
    most: int,
) -> Reliability:
    """Return the figures of one class, or of the most probable one, whose name is empty."""
    everybody = len(compared.people)
    sides = (compared.subjects_of(true), compared.subjects_of(~true)) if name else (everybody, everybody)
    if name and min(sides) < MINIMUM_SUBJECTS:
        none = Estimate.none()
        return Reliability(name, none, none, math.nan, none, (), *sides)
    place = equal_bins(scores, compared.owner, most)
    inside = (place[:, None] == np.arange(place.max() + 1)).astype(np.float64)
    cases, came = compared.totals(inside), compared.totals(inside * true[:, None])
    said = compared.totals(inside * scores[:, None])
    counts, distance, noise = _distances(cases, came, said)
    part = counts / counts.sum()
    found = [jackknife.weights @ each for each in (cases, came, said)]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed, moved = found[1] / found[0], (found[1] - found[2]) / found[0]
    ece, square = float(part @ np.abs(distance)), max(float(part @ (distance**2 - noise)), 0.0)
    people = (cases > 0).sum(axis=0).tolist()
    predicted = said.sum(axis=0) / counts
    unseen = np.minimum(2 / (everybody + 4.0) ** 2, predicted * (1 - predicted) / everybody)
    groups = tuple(
        Bin(
            float(x),
            jackknife.estimate(observed[:, b], people[b], single=bool(people[b] == counts[b])),
            int(counts[b]),
            people[b],
        )
        for b, x in enumerate(predicted)
    )
    return Reliability(
        name,
        _mean((scores - true) ** 2, compared, jackknife),
        _around(ece, moved, part, unseen, jackknife, 1),
        float(part @ np.sqrt(noise * 2 / math.pi)),
        _root(_around(square, moved, part, unseen, jackknife, 2)),
        groups,
        *sides,
    )


def _distances(cases: Array, came: Array, said: Array) -> tuple[Array, Array, Array]:
    """Return each bin's cases, observed less predicted, and the variance of that over subjects."""
    counts = cases.sum(axis=0)
    distance = (came - said).sum(axis=0) / counts
    people = (cases > 0).sum(axis=0)
    left = ((came - said - cases * distance) ** 2).sum(axis=0)
    noise = np.where(people > 1, left / counts**2 * people / np.maximum(people - 1, 1), np.nan)
    return counts, distance, noise


def _around(
    value: float,
    moved: Float[Array, "replicates bins"],
    part: Float[Array, " bins"],
    unseen: Float[Array, " bins"],
    jackknife: Jackknife,
    power: Power,
) -> Estimate:
    """Return a mean distance of bins with the interval of what it would be without chance.

    No bin's variance is below what people may add who have not been seen: where all are right, none moves it.
    """
    people = len(jackknife.strata)
    if people < MINIMUM_SUBJECTS or len(moved) < 2 or np.isnan(moved).any():
        return Estimate.alone(value)
    influence, of = jackknife.influence(moved)
    freedom = jackknife.freedom(influence @ (part * np.sign(moved[0])), of)
    spread = influence.T @ influence
    missing = np.maximum(unseen - np.diag(spread), 0)
    low, high = distance_interval(moved[0], part, spread, missing, freedom, jackknife.confidence, power)
    return Estimate(value, low, min(high, 1.0))  # of two shares: few people's spread may reach beyond


def _root(squared: Estimate) -> Estimate:
    return Estimate(math.sqrt(squared.value), math.sqrt(squared.low), math.sqrt(squared.high))

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
from xaimri.evaluation.bootstrap import MINIMUM_SUBJECTS, Bootstrap, between
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.reliability import Bin, Calibration, Reliability
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import WholeNumber


@check_arguments(bins=WholeNumber(1))
def calibration(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    level: LevelName = "slice",
    bins: int = 10,
    independent: bool = False,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
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
    resamples, confidence, seed
        Of the intervals over subjects, drawn as `evaluate` draws them, in the same bins. Resampling moves
        calibration errors further apart; what it adds on average is taken off their intervals.

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
    bootstrap = Bootstrap(resamples, confidence, seed)
    return calibration_of(compared, level, bootstrap.weights(compared.strata), bootstrap, bins)


def calibration_of(
    compared: Compared,
    level: LevelName,
    weights: Int[Array, "resamples people"],
    bootstrap: Bootstrap,
    bins: int = 10,
) -> Calibration:
    """Return the calibration of one level, from the subjects of these resamples."""
    shared = (compared, weights, bootstrap, bins)
    right = compared.p.argmax(axis=1) == compared.labels
    top = _reliability("", compared.p.max(axis=1), right, *shared)
    there = compared.labels[:, None] == np.arange(len(compared.classes))
    per_class = tuple(
        _reliability(name, compared.p[:, i], there[:, i], *shared) for i, name in enumerate(compared.classes)
    )
    squares, people = ((compared.p - there) ** 2).sum(axis=1), len(compared.people)
    brier = _mean(squares, compared, weights, bootstrap, people)
    drawn = (bootstrap.confidence, bootstrap.resamples, bootstrap.seed)
    return Calibration(compared.classes, brier, top, per_class, level, len(squares), people, *drawn)


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


def _mean(values: Array, compared: Compared, weights: Array, bootstrap: Bootstrap, people: int) -> Estimate:
    """Return the mean of a value of each case, with its interval."""
    drawn = weights @ compared.totals(np.stack([values, np.ones(len(values))], axis=1))
    return bootstrap.estimate(float(values.mean()), drawn[:, 0] / drawn[:, 1], people)


def _reliability(
    name: str,
    scores: Float[Array, " cases"],
    true: Bool[Array, " cases"],
    compared: Compared,
    weights: Int[Array, "resamples people"],
    bootstrap: Bootstrap,
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
    drawn = [weights @ each for each in (cases, came, said)]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = drawn[1] / drawn[0]
        moved = (drawn[1] - drawn[2]) / drawn[0]
    share = drawn[0] / drawn[0].sum(axis=1, keepdims=True)
    errors = np.nansum(share * np.abs(moved), axis=1)
    part = counts / counts.sum()
    ece = float(part @ np.abs(distance))
    squares = np.nansum(share * moved**2, axis=1)
    square = float(part @ (distance**2 - noise))
    people = (cases > 0).sum(axis=0).tolist()
    groups = tuple(
        Bin(float(x), bootstrap.estimate(float(y), observed[:, b], people[b]), int(counts[b]), people[b])
        for b, (x, y) in enumerate(zip(said.sum(axis=0) / counts, came.sum(axis=0) / counts, strict=True))
    )
    return Reliability(
        name,
        _mean((scores - true) ** 2, compared, weights, bootstrap, everybody),
        _around(ece, errors, bootstrap, everybody),
        float(part @ np.sqrt(noise * 2 / math.pi)),
        _root(_around(square, squares, bootstrap, everybody)),
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


def _around(value: float, figures: Array, bootstrap: Bootstrap, people: int) -> Estimate:
    """Return a figure with the interval of its resamples, moved by what they are larger on average."""
    if math.isnan(value):
        return Estimate.none()
    if people < MINIMUM_SUBJECTS:
        return Estimate.alone(max(value, 0.0))
    low, high = bootstrap.ends(figures - figures.mean() + value)
    return between(max(value, 0.0), max(float(low), 0.0), max(float(high), 0.0))


def _root(squared: Estimate) -> Estimate:
    return Estimate(math.sqrt(squared.value), math.sqrt(squared.low), math.sqrt(squared.high))

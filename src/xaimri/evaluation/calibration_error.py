"""Whether probabilities are what they say: Brier score and calibration error."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.evaluation.bootstrap import MINIMUM_SUBJECTS, Bootstrap, between
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.report import LevelName
from xaimri.evaluation.truth import Compared, compare
from xaimri.rules import WholeNumber


@dataclass(frozen=True)
class Bin:
    """Cases of similar probability.

    Attributes
    ----------
    predicted
        Their mean probability.
    observed
        The share of them for which it came true.
    cases, subjects
        How many.
    """

    predicted: float
    observed: Estimate
    cases: int
    subjects: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {**asdict(self), "observed": self.observed.to_dict()}


@dataclass(frozen=True)
class Reliability:
    """How the probability of one class, or of the most probable one, compares with what came true.

    Attributes
    ----------
    name
        Of the class; empty for the most probable class of each case.
    brier
        Mean squared distance of the probability from 1 where it came true, and from 0 elsewhere.
    ece
        Expected calibration error: mean distance of predicted and observed over bins. Too large, the more so
        the fewer subjects: chance alone moves them apart.
    ece_of_chance
        The expected calibration error that perfect probabilities would have with so many subjects.
    rms
        Root of the mean squared distance over bins, less what chance adds to it: 0 where chance is all.
    bins
        From low to high probability.
    subjects, others
        How many subjects have a case for which it came true, and for which it didn't; of the most probable
        class, all.
    """

    name: str
    brier: Estimate
    ece: Estimate
    ece_of_chance: float
    rms: Estimate
    bins: tuple[Bin, ...]
    subjects: int
    others: int

    @property
    def note(self) -> str | None:
        """None, or why there are no figures."""
        if not math.isnan(self.brier.value):
            return None
        few = self.subjects < MINIMUM_SUBJECTS
        count, of = (self.subjects, "") if few else (self.others, " of other classes")
        return f"not estimable: {count} subject{'' if count == 1 else 's'}{of}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for what is not estimable."""
        figures = {name: getattr(self, name).to_dict() for name in ("brier", "ece", "rms")}
        chance = None if math.isnan(self.ece_of_chance) else self.ece_of_chance
        counts = {"subjects": self.subjects, "others": self.others, "note": self.note}
        return {**figures, "ece_of_chance": chance, "bins": [one.to_dict() for one in self.bins], **counts}


@dataclass(frozen=True)
class Calibration:
    """The result of `calibration`; printing it gives a table.

    Attributes
    ----------
    classes
        Names.
    brier
        Squared distance of all probabilities from the truth, summed over classes: 0 to 2.
    top
        Of each case's most probable class: is it right as often as its probability says?
    per_class
        Of every class against the rest.
    level
        Whether a case is an image or a subject.
    cases, subjects
        How many.
    confidence, resamples, seed
        Of the intervals.
    """

    classes: tuple[str, ...]
    brier: Estimate
    top: Reliability
    per_class: tuple[Reliability, ...]
    level: LevelName
    cases: int
    subjects: int
    confidence: float
    resamples: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not estimable."""
        plain = ("level", "cases", "subjects", "confidence", "resamples", "seed")
        return {
            "classes": list(self.classes),
            "brier": self.brier.to_dict(),
            "top": self.top.to_dict(),
            "per_class": {one.name: one.to_dict() for one in self.per_class},
            **{name: getattr(self, name) for name in plain},
        }

    def __str__(self) -> str:
        rows = [("most probable class", self.top), *((one.name, one) for one in self.per_class)]
        width = max(len(name) for name, _ in rows)
        lines = [f"{'':>{width}}{'Brier':>20}{'ECE':>20}{'of chance':>12}{'RMS, less chance':>20}"]
        for name, one in rows:
            chance = "-" if math.isnan(one.ece_of_chance) else f"{one.ece_of_chance:.2f}"
            figures = f"{one.brier!s:>20}{one.ece!s:>20}{chance:>12}{one.rms!s:>20}"
            lines.append(f"{name:>{width}}" + (f"{one.note:>72}" if one.note else figures))
        return "\n".join([*lines, f"{'Brier, all classes':>{width}}{self.brier!s:>20}"])


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
    weights = bootstrap.weights(compared.strata)
    columns = np.arange(len(compared.classes))
    best = compared.p.argmax(axis=1)
    top = _reliability(
        "", compared.p.max(axis=1), best == compared.labels, compared, weights, bootstrap, bins
    )
    per_class = tuple(
        _reliability(name, compared.p[:, i], compared.labels == i, compared, weights, bootstrap, bins)
        for i, name in enumerate(compared.classes)
    )
    squares = ((compared.p - (compared.labels[:, None] == columns)) ** 2).sum(axis=1)
    return Calibration(
        compared.classes, _mean(squares, compared, weights, bootstrap, len(compared.people)), top, per_class,
        level, len(squares), len(compared.people), confidence, resamples, seed,
    )  # fmt: skip


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

"""Net benefit: what it is worth to act on a classifier's probability, beside acting on all or nobody."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.jackknife import Jackknife
from xaimri.evaluation.truth import LevelName, compare
from xaimri.rules import Number, OrNone

THRESHOLDS = tuple(round(step / 100, 2) for step in range(1, 100))
"""Where a curve is computed unless it is said: 0.01 to 0.99."""


@dataclass(frozen=True)
class DecisionCurve:
    """The net benefit of a classifier over thresholds; see `decision_curve`.

    Attributes
    ----------
    positive
        The class whose cases are acted on.
    thresholds
        The probability from which on one acts. At ``t``, one false alarm costs ``t / (1 - t)`` of what one
        found case is worth.
    model
        Net benefit of acting where the classifier's probability is at or above the threshold.
    everybody
        Net benefit of acting on all; acting on nobody has 0.
    gain
        How far the classifier lies above the better of both.
    prevalence
        Share of the class that the curve holds for.
    level
        Whether a case is an image or a subject.
    cases, subjects, others
        How many; subjects with a case of the class, and of another one.
    confidence
        Of the intervals.
    """

    positive: str
    thresholds: tuple[float, ...]
    model: tuple[Estimate, ...]
    everybody: tuple[float, ...]
    gain: tuple[Estimate, ...]
    prevalence: float
    level: LevelName
    cases: int
    subjects: int
    others: int
    confidence: float

    @property
    def useful(self) -> tuple[float, ...]:
        """The thresholds at which the gain's interval lies above 0; `note` says where there is none."""
        return tuple(t for t, gain in zip(self.thresholds, self.gain, strict=True) if gain.low > 0)

    def __str__(self) -> str:
        useful, what = self.useful, "images" if self.level == "slice" else "subjects"
        between = f", which lie in {useful[0]:g} to {useful[-1]:g}" if useful else ""
        return (
            f"acting on `{self.positive}`, {100 * self.prevalence:.0f} % of the {what}: by its interval "
            f"better than acting on all and on nobody at {len(useful)} of {len(self.thresholds)} "
            f"thresholds{between}{f' ({self.note})' if self.note else ''}"
        )

    @property
    def note(self) -> str | None:
        """None, or why gains have no interval, and so are not counted as useful."""
        few = min(self.subjects, self.others)
        if few < MINIMUM_SUBJECTS:
            return f"no intervals: {few} subject{'' if few == 1 else 's'} on one side"
        bare = sum(gain.bare and gain.value > 0 for gain in self.gain)
        if not bare:
            return None
        return (
            f"at {bare} threshold{'' if bare == 1 else 's'} the gain lies above 0 and has no interval: it is "
            "the same whoever is left out, as where everybody is told right"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        plain = ("positive", "prevalence", "level", "cases", "subjects", "others", "confidence")
        return {
            **{name: getattr(self, name) for name in plain},
            "thresholds": list(self.thresholds),
            "model": [one.to_dict() for one in self.model],
            "everybody": list(self.everybody),
            "gain": [one.to_dict() for one in self.gain],
            "note": self.note,
        }


@check_arguments(prevalence=OrNone(Number(above=0, below=1)), confidence=Number(above=0, below=1))
def decision_curve(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    positive: str | int,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    prevalence: float | None = None,
    level: LevelName = "slice",
    independent: bool = False,
    confidence: float = 0.95,
) -> DecisionCurve:
    """Return the net benefit of acting on a class's probability, threshold by threshold.

    Net benefit is the share of cases that are found less that of false alarms, these times ``t / (1 - t)``
    [1]_: who acts from a probability of 0.2 on holds four false alarms to be worth one found case. Whether a
    classifier is of use is then seen without naming one threshold for all.

    Parameters
    ----------
    probabilities, truth, subjects, classes, independent
        As `evaluate` takes them.
    positive
        The class, by name or number, against all others.
    thresholds
        Above 0 and below 1.
    prevalence
        Share of the class where the classifier will be used. Net benefit depends on it, and a data set made
        for training is seldom like the clinic; by default that of these cases.
    level
        ``"slice"`` counts images; ``"subject"`` counts subjects by their mean probability.
    confidence
        Of the intervals over subjects, at each threshold by itself.

    Returns
    -------
    DecisionCurve

    Raises
    ------
    InvalidInput
        As `evaluate`; if a threshold is out of range, or there is no case of the class or none of the others.

    References
    ----------
    .. [1] Vickers and Elkin, "Decision curve analysis: a novel method for evaluating prediction models",
       Medical Decision Making 26, 2006. https://doi.org/10.1177/0272989X06295361

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.35, 0.6, 0.7, 0.8, 0.9])
    >>> said = np.stack([1 - p, p], axis=1)
    >>> curve = decision_curve(said, [0] * 5 + [1] * 5, 1, range(10), thresholds=[0.5])
    >>> round(curve.model[0].value, 3), round(curve.everybody[0], 3)
    (0.3, 0.0)
    """
    at = _checked(thresholds)
    compared = compare(probabilities, truth, subjects, classes, independent, level)
    column = compared.class_named(positive)
    there = compared.labels == column
    if there.all() or not there.any():
        raise InvalidInput(
            f"a decision curve needs cases of `{compared.classes[column]}` and of others: give both."
        )
    called = compared.p[:, column, None] >= at
    share = float(there.mean()) if prevalence is None else prevalence
    people = [compared.subjects_of(there), compared.subjects_of(~there)]
    jackknife = Jackknife(compared.strata, confidence)
    counts = np.concatenate([called & there[:, None], called & ~there[:, None]], axis=1)
    sums = jackknife.weights @ compared.totals(counts.astype(np.float64))
    sides = jackknife.weights @ compared.totals(np.stack([there, ~there], axis=1).astype(np.float64))
    of = np.full(len(sums), share) if prevalence is not None else sides[:, 0] / sides.sum(axis=1)
    cost, n = at / (1 - at), len(at)
    with np.errstate(invalid="ignore", divide="ignore"):
        found, alarms = sums[:, :n] / sides[:, :1], sums[:, n:] / sides[:, 1:]
    model = of[:, None] * found - (1 - of[:, None]) * alarms * cost
    everybody = of[:, None] - (1 - of[:, None]) * cost
    gain = model - np.maximum(everybody, 0)
    model, gain = (_estimates(each, jackknife, min(people)) for each in (model, gain))
    return DecisionCurve(
        compared.classes[column], tuple(at.tolist()), model, tuple(everybody[0].tolist()), gain, share,
        level, len(there), people[0], people[1], confidence,
    )  # fmt: skip


def _checked(thresholds: Sequence[float]) -> Float[Array, " thresholds"]:
    """Return thresholds as numbers, once they are seen to be between 0 and 1."""
    at = np.asarray(thresholds, dtype=np.float64)
    if at.ndim != 1 or not at.size or not ((at > 0) & (at < 1)).all():
        raise InvalidInput(f"`thresholds` must be numbers above 0 and below 1, got {shown(thresholds)}.")
    return at


def _estimates(
    figures: Float[Array, "replicates thresholds"], jackknife: Jackknife, people: int
) -> tuple[Estimate, ...]:
    """Return every column with its interval, where there are people enough."""
    if people < MINIMUM_SUBJECTS:
        return tuple(Estimate.alone(float(value)) for value in figures[0])
    return tuple(jackknife.around(column) for column in figures.T)

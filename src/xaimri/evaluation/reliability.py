"""What probabilities are worth: bins of similar probability, and the figures of calibration."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.truth import LevelName


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
    confidence
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

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not estimable."""
        plain = ("level", "cases", "subjects", "confidence")
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

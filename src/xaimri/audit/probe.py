"""What a probe found: how well one thing is read off a network's features, and if it is used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from xaimri.evaluation.estimate import Estimate


@dataclass(frozen=True)
class Probe:
    """How well one thing is read off the features.

    Attributes
    ----------
    name
        What is read.
    measure
        ``"R2"`` of a quantity, ``"AUROC"`` of two groups, ``"balanced accuracy"`` of more.
    value
        On people that the probe was not fitted on; NaN where it is not estimable.
    by_class
        The same read off the class alone: what features that tell the classes must tell of it.
    chance
        0, 0.5, or one over the number of groups.
    p
        How often a target dealt anew over people is read as well, times the number of probes.
    images, subjects
        Of whom it is known.
    drop
        By how much balanced accuracy falls where it is held fixed: what it tells of each feature beside the
        class, as fitted on other people, is taken off, and the last layer applied again.
    moved
        Share of the people whose predicted class changes by that.
    p_drop
        How often signs flipped over people give as large a drop, over all probes.
    note
        Why there are no figures; empty where there are.
    few
        Groups of too few subjects, which are left out.
    """

    name: str
    measure: str
    value: Estimate
    by_class: float
    chance: float
    p: float
    images: int
    subjects: int
    drop: Estimate = Estimate.none()
    moved: float = math.nan
    p_drop: float = math.nan
    note: str = ""
    few: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether it is read off the features better than by chance."""
        return self.p < 0.05 and self.value.value > self.chance

    @property
    def used(self) -> bool:
        """Whether the decision loses where it is held fixed."""
        return self.p_drop < 0.05 and self.drop.value > 0

    @property
    def sentence(self) -> str:
        """Say in one sentence what follows from it."""
        name = self.name[:1].upper() + self.name[1:]
        if self.note:
            return f"{name}: {self.note}."
        told = f"{name} is {'' if self.found else 'not shown to be '}read off the features "
        alone = "" if math.isnan(self.by_class) else f", by the class alone {self.by_class:.2f}"
        told += f"({self.measure} {self.value}{alone})"
        if math.isnan(self.drop.value):
            return f"{told}."
        if self.used:
            return f"{told}; held fixed, balanced accuracy falls by {self.drop}."
        return f"{told}; held fixed, no fall was shown ({self.drop})."

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for NaN."""
        names = ("by_class", "chance", "p", "moved", "p_drop")
        numbers = {name: None if math.isnan(getattr(self, name)) else getattr(self, name) for name in names}
        figures = {name: getattr(self, name).to_dict() for name in ("value", "drop")}
        told = {
            "images": self.images,
            "subjects": self.subjects,
            "note": self.note,
            "sentence": self.sentence,
        }
        return {"name": self.name, "measure": self.measure, **figures, **numbers, **told}

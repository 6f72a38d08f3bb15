"""What became of the network's answers under one intervention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from xaimri.evaluation.estimate import Estimate

CERTAIN = 0.05
"""Below this p something counts as found."""


@dataclass(frozen=True)
class Effect:
    """One intervention's effect, over the images that it changes.

    Attributes
    ----------
    name, title, left
        The intervention, and what it leaves or takes.
    anatomy
        Whether the inside of the object stays.
    changed, unchanged, impossible
        Images of which at least one pixel changed; of which none did; on which it can't be made, as where no
        object can be told from the background.
    subjects
        Of the images that changed.
    before, after, drop
        Balanced accuracy of these subjects on their images as they are and as changed, and the paired
        difference. NaN where it is not estimable.
    chance
        Balanced accuracy by chance: one over the number of classes with enough subjects.
    p
        Where the anatomy stays, of the drop: how often signs flipped over subjects give as much. Where it
        goes, of ``after`` above chance: how often labels dealt anew over subjects do as well. Both are
        corrected for the number of interventions.
    """

    name: str
    title: str
    left: str
    anatomy: bool
    changed: int
    unchanged: int
    impossible: int
    subjects: int
    before: Estimate
    after: Estimate
    drop: Estimate
    chance: float
    p: float

    @property
    def estimable(self) -> bool:
        """Whether there are figures."""
        return not math.isnan(self.after.value)

    @property
    def found(self) -> bool:
        """Whether the network was found to go by it: a drop, or more than chance without the anatomy."""
        if not self.p < CERTAIN:
            return False
        return self.drop.value > 0 if self.anatomy else self.after.value > self.chance

    @property
    def note(self) -> str:
        """Say what the figures can't: what was not changed, or why there are none; empty if nothing."""
        if not self.changed and self.impossible:
            rest = f", and changes no pixel of the {self.unchanged} others" if self.unchanged else ""
            return f"not made: no object is told from its background on {_images(self.impossible)}{rest}"
        if not self.changed:
            return "changes no pixel of any image, so it says nothing"
        told = [f"changes no pixel of {self.unchanged} images"] if self.unchanged else []
        told += [f"can't be made on {_images(self.impossible)}"] if self.impossible else []
        if not self.estimable:
            told.insert(0, f"not estimable: too few subjects of two classes among {self.subjects}")
        return "; ".join(told)

    @property
    def sentence(self) -> str:
        """Say in one sentence what follows from it."""
        name = self.title.capitalize()
        if not self.changed or not self.estimable:
            return f"{name}: {self.note}."
        if not self.anatomy:
            return self._without_anatomy()
        if self.found:
            return (
                f"{name}: balanced accuracy falls by {self.drop} to {self.after}. The network goes by "
                f"{self.left}, or is thrown by pictures that look so."
            )
        most = self.drop.high
        if math.isnan(most):
            return f"{name}: no drop in these images."
        if self.p < CERTAIN:
            return f"{name}: balanced accuracy rises by {-self.drop.value:.2f}."
        return f"{name}: no drop was shown; one of up to {max(most, 0):.2f} is not ruled out."

    def _without_anatomy(self) -> str:
        name = self.title.capitalize()
        if self.found:
            return (
                f"{name}: balanced accuracy is still {self.after}, above chance "
                f"({self.chance:.2f}). The network can tell the classes by {self.left}."
            )
        if math.isnan(self.after.high):
            return f"{name}: balanced accuracy is {self.after}, chance is {self.chance:.2f}."
        return (
            f"{name}: nothing above chance ({self.chance:.2f}) was shown; up to "
            f"{self.after.high:.2f} is not ruled out."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for NaN."""
        figures = {name: getattr(self, name).to_dict() for name in ("before", "after", "drop")}
        counts = {name: getattr(self, name) for name in ("changed", "unchanged", "impossible", "subjects")}
        chance, p = (None if math.isnan(x) else x for x in (self.chance, self.p))
        told = {"found": self.found, "sentence": self.sentence}
        return {"name": self.name, "title": self.title, **counts, **figures, "chance": chance, "p": p, **told}


def _images(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"

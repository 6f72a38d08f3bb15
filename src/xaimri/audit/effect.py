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
    elsewhere
        How many more subjects are called by a class with too few subjects when their images are changed.
    p
        Where the anatomy stays, of the drop: how often signs flipped over subjects give as much. Where it
        goes, of ``order`` above chance: how often labels dealt anew over subjects do as well. Both are
        corrected for the number of interventions.
    order, disorder
        The mean AUROC of the classes with the images as changed, and by how much it falls: what shifts all
        subjects alike changes decisions, and no order.
    bound
        Lower end of ``disorder``, corrected for the number of interventions.
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
    elsewhere: int = 0
    order: Estimate = Estimate.none()
    disorder: Estimate = Estimate.none()
    bound: float = math.nan

    @property
    def estimable(self) -> bool:
        """Whether there are figures."""
        return not math.isnan(self.after.value)

    @property
    def found(self) -> bool:
        """Whether the network was found to go by it: a drop, or more than chance without the anatomy."""
        if not self.p < CERTAIN:
            return False
        return self.bound > 0 and self.drop.value > 0 if self.anatomy else self.order.value > 0.5

    @property
    def thrown(self) -> bool:
        """Whether decisions fall, and the order of the subjects was not shown to: all were shifted alike."""
        return self.anatomy and self.p < CERTAIN and self.drop.value > 0 and not self.found

    @property
    def note(self) -> str:
        """Say what the figures can't: what was not changed, or why there are none; empty if nothing."""
        if not self.changed and self.impossible:
            rest = f", and changes no pixel of the {self.unchanged} others" if self.unchanged else ""
            why = "no object is told from its background"
            if self.name == "background":
                why += ", or there is no such image of another class,"
            return f"not made: {why} on {_images(self.impossible)}{rest}"
        if not self.changed:
            return "changes no pixel of any image, so it says nothing"
        told = [f"changes no pixel of {self.unchanged} images"] if self.unchanged else []
        told += [f"can't be made on {_images(self.impossible)}"] if self.impossible else []
        if self.elsewhere:
            told.append(
                f"{self.elsewhere} of {self.subjects} subjects are then called by a class that is left out"
            )
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
        if self.thrown:
            return (
                f"{name}: balanced accuracy falls by {self.drop}, but the order of the subjects was not "
                f"shown to be lost (AUROC falls by {self.disorder}): such pictures shift all of them, "
                f"which is no sign that the network goes by {self.left}."
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
                f"{name}: the mean AUROC is still {self.order}, above 0.5 (balanced accuracy {self.after}, "
                f"chance {self.chance:.2f}). The network can tell the classes by {self.left}."
            )
        if math.isnan(self.order.high):
            return f"{name}: the mean AUROC is {self.order}, chance is 0.50."
        return (
            f"{name}: nothing above chance was shown; a mean AUROC of up to {self.order.high:.2f} is not "
            "ruled out."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for NaN."""
        figures = {
            name: getattr(self, name).to_dict() for name in ("before", "after", "drop", "order", "disorder")
        }
        counts = {name: getattr(self, name) for name in ("changed", "unchanged", "impossible", "subjects")}
        chance, p = (None if math.isnan(x) else x for x in (self.chance, self.p))
        told = {"found": self.found, "thrown": self.thrown, "sentence": self.sentence}
        return {"name": self.name, "title": self.title, **counts, **figures, "chance": chance, "p": p, **told}


def _images(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"

"""The training cases that are like each case of a cohort, and their small pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xaimri.card.fact import counted
from xaimri.cohort import Cohort
from xaimri.data import Dataset
from xaimri.errors import MissingCapability
from xaimri.failure import Failure
from xaimri.features import features_of
from xaimri.images.taken import Taken
from xaimri.model import Model
from xaimri.neighbours import Neighbour, Neighbourhood
from xaimri.perturb.progress import expect
from xaimri.reporting.layers import Size, thumbnail
from xaimri.sources import Named, attempt

SIDE = 96
"""Of a small picture, in pixels, at most."""


@dataclass(eq=False)
class Similar:
    """What is like the cases of a cohort; :meth:`of` finds it.

    Attributes
    ----------
    near
        By case: the nearest training cases of every class.
    notes
        Sentences on what was searched, and what could not be.
    lost
        Sentences on what could not be read.
    cases
        The training cases, where there are any.
    shown
        Those that were told so far, with the number of their picture.
    """

    near: Mapping[str, Mapping[str, Sequence[Neighbour]]]
    notes: tuple[str, ...]
    lost: tuple[str, ...] = ()
    cases: Dataset | None = None
    shown: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cohort: Cohort, model: Model | None, training: Dataset | None, k: int) -> Similar:
        """Search the training data for what is like each case; where that can't be, say why."""
        if training is None:
            return cls({}, ("Not shown: the training data was not given.",))
        if model is None:
            return cls({}, ("Not shown: the model was not given.",))
        try:
            return cls._found(cohort, model, training, k)
        except MissingCapability as refusal:
            return cls({}, (f"They can't be found: {refusal}",))

    @classmethod
    def _found(cls, cohort: Cohort, model: Model, training: Dataset, k: int) -> Similar:
        heads = {row["case"]: row for row in cohort.table(["case", "subject", "source"]).to_pylist()}
        lost = [case for case, row in heads.items() if row["source"] is None]
        listed = [Named(case, row["source"]) for case, row in heads.items() if row["source"] is not None]
        around = Neighbourhood.of(model, training)
        failures: list[Failure] = []
        expect(len(listed))
        found = list(features_of(model, listed, failures))
        near: Mapping[str, Mapping[str, Sequence[Neighbour]]] = {}
        if found:
            names = [one.name for one, _ in found]
            own = [around.itself(heads[name]["subject"], name, heads[name]["source"]) for name in names]
            rows = around.nearest(np.stack([row for _, row in found]), own, k)
            near = dict(zip(names, rows, strict=True))
        unknown = sum(heads[name]["subject"] is None for name in near)
        unread = [*lost, *(each.name for each in failures)]
        return cls(near, tuple(_notes(around, unknown)), tuple(_lost(around, unread)), around.cases)

    def facts(self, case: str, predicted: str | None) -> dict[str, Any] | None:
        """Return the nearest of the predicted class and those of the others; None where nothing is known."""
        rows = self.near.get(case)
        if rows is None or predicted is None:
            return None
        same = list(rows.get(predicted, ()))
        k = max(map(len, rows.values()), default=0)
        other = sorted((one for name, own in rows.items() if name != predicted for one in own),
                       key=lambda one: one.distance)[:k]  # fmt: skip
        return {"same": [self._told(one) for one in same], "other": [self._told(one) for one in other]}

    def _told(self, one: Neighbour) -> dict[str, Any]:
        number = self.shown.setdefault(one.case.id, len(self.shown))
        return {
            "case": one.case.id, "subject": one.case.subject, "label": one.name, "distance": one.distance,
            "picture": number,
        }  # fmt: skip

    def pictures(self, model: Model | None, size: Size) -> Iterator[tuple[int, str | None]]:
        """Yield number and picture of every training case that was told; None where it can't be read."""
        if model is None or self.cases is None:
            return
        known = {case.id: case for case in self.cases if case.id in self.shown}
        for name, number in self.shown.items():
            taken = attempt(Named(name, known[name]), model.intake)
            made = thumbnail(taken.image, SIDE, size.quality) if isinstance(taken, Taken) else None
            yield number, made


def _notes(around: Neighbourhood, unknown: int) -> Iterator[str]:
    """Say what was searched, whose images are left out, and where that can't be told."""
    cases = around.cases
    anonymous = sum(case.subject is None for case in cases)
    yield (
        f"The nearest of {len(cases):,} training cases, by the Euclidean distance of the input of "
        "the network's last dense layer. They look alike to this network; whether they are alike is for you "
        "to see."
    )
    if unknown or anonymous:
        where = [f"{counted(unknown, 'case')} here"] if unknown else []
        where += [f"{counted(anonymous, 'training case')}"] if anonymous else []
        yield (
            f"The subject is not known of {' and of '.join(where)}: another image of the same person may be "
            "among the similar ones."
        )
    else:
        yield "Training cases of a case's own subject are left out."


def _lost(around: Neighbourhood, lost: Sequence[str]) -> Iterator[str]:
    """Say what could not be searched."""
    if around.failures:
        many = counted(len(around.failures), "training case")
        yield f"Not searched for similar cases, as the image can't be read: {many}."
    if lost:
        yield f"Without similar cases, as the image can't be read again: {counted(len(lost), 'case')}."

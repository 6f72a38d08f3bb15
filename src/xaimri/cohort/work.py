"""The work of a cohort, the same wherever it is done: some cases in, their rows out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xaimri.cohort.cases import Listed
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.rows import row_of
from xaimri.cohort.sameness import image_sha256, stamp_of
from xaimri.endings import Ending, endings
from xaimri.errors import XaimriError
from xaimri.explainer import Explainer
from xaimri.failure import Failure
from xaimri.images.intake import Taken
from xaimri.images.scan import TakenScan
from xaimri.model import Model
from xaimri.questions import Question
from xaimri.sources import Named, attempt
from xaimri.targets import Target

PREDICTED, LABEL = "predicted", "label"
"""What is explained, where it is no class for all."""


@dataclass(frozen=True, eq=False)
class Read:
    """A case whose image was read, or why it can't be, with its image's SHA-256 and stamp."""

    listed: Listed
    taken: Taken | TakenScan | Failure
    image: str | None
    stamp: str | None


@dataclass(frozen=True, eq=False)
class Work:
    """How cases are explained; it holds the model, and nothing of the cases.

    Attributes
    ----------
    model
        Opened.
    explainers
        By the names that the rows have.
    manifest
        What is asked.
    """

    model: Model
    explainers: Mapping[str, Explainer[Any]]
    manifest: Manifest

    def read(self, cases: Sequence[Listed]) -> list[Read]:
        """Read the images of cases; which can't be read is told in their place."""
        return [self._read(one) for one in cases]

    def rows(self, cases: Sequence[Read]) -> list[dict[str, Any]]:
        """Return a row for every case and method, case by case."""
        found: list[list[dict[str, Any]]] = [[] for _ in cases]
        for name, explainer in self.explainers.items():
            begun = time.perf_counter()
            made = self._endings(explainer, cases)
            seconds = (time.perf_counter() - begun) / len(cases)
            for rows, one, ending in zip(found, cases, made, strict=True):
                rows.append(self._row(name, one, ending, seconds))
        return [row for rows in found for row in rows]

    def _read(self, one: Listed) -> Read:
        stamp = stamp_of(one.image)  # first: what is written meanwhile is seen another time
        taken = attempt(Named(one.about.case, one.image), self.model.intake)
        return Read(one, taken, image_sha256(one.image, taken), stamp)

    def _endings(self, explainer: Explainer[Any], cases: Sequence[Read]) -> list[Ending]:
        """Return how every case ends; where one stops all, each is tried alone, and may be set aside."""
        whole = [one for one in cases if not isinstance(one.taken, Failure)]
        try:
            made = iter(self._explain(explainer, whole))
        except XaimriError:
            if len(whole) == 1:
                raise
            made = iter([self._alone(explainer, one) for one in whole])
        return [one.taken if isinstance(one.taken, Failure) else next(made) for one in cases]

    def _alone(self, explainer: Explainer[Any], one: Read) -> Ending:
        try:
            return self._explain(explainer, [one])[0]
        except XaimriError as fault:
            return Failure(one.listed.about.case, "explain", str(fault))

    def _explain(self, explainer: Explainer[Any], cases: Sequence[Read]) -> list[Ending]:
        asked = self.manifest
        questions = [
            Question(Named(one.listed.about.case, one.taken), self._target(one), against=asked.against)
            for one in cases
        ]
        of: Any = asked.of
        model = self.model
        return [each for _, each in endings(model.classifier, model.intake, explainer, questions, of=of)]

    def _target(self, one: Read) -> Target:
        """Return the class that is explained of a case."""
        if self.manifest.target == PREDICTED:
            return None
        if self.manifest.target != LABEL:
            return self.manifest.target
        return one.listed.about.label

    def _row(self, name: str, one: Read, ending: Ending, seconds: float) -> dict[str, Any]:
        asked = self.manifest
        key = None
        if not isinstance(ending, Failure) and one.image is not None:
            parts = (one.image, asked.probe, asked.methods[name], ending.target, ending.against, ending.of)
            key = hashlib.sha256(repr((*parts, asked.xaimri)).encode()).hexdigest()
        return row_of(
            one.listed.about,
            name,
            ending,
            maps=asked.maps,
            precision=asked.precision,
            key=key,
            image=one.image,
            stamp=one.stamp,
            seconds=seconds,
        )

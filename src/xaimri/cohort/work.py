"""The work of a cohort, the same wherever it is done: some cases in, their rows out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from xaimri.cohort.cases import Listed
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.rows import row_of
from xaimri.cohort.sameness import image_sha256, stamp_of
from xaimri.cohort.shares import Shares
from xaimri.endings import Ending, endings
from xaimri.errors import InvalidInput, XaimriError
from xaimri.explainer import Explainer, at_once
from xaimri.failure import Failure
from xaimri.images.intake import Intake
from xaimri.images.scan import TakenScan
from xaimri.images.taken import Taken
from xaimri.model import Model
from xaimri.questions import Question
from xaimri.sources import Named, attempt
from xaimri.targets import Target

PREDICTED, LABEL = "predicted", "label"
"""What is explained, where it is no class for all."""


Aside: TypeAlias = Mapping[tuple[str, str | None], Failure]
"""What is not tried again, by case and method; without a method, the reading of the case's image."""

NOTHING: Aside = {}

WRITTEN = "its file was written while it was read: explain it anew by `retry_failed`."
"""Says that what was read and what is there may differ."""

MEMORY = "its {} takes more memory than there is: give the run more, or take the case out."
"""Says what no memory was left for."""


@dataclass(frozen=True, eq=False)
class Read:
    """A case whose image was read, or why it can't be, with its image's SHA-256 and stamp."""

    listed: Listed
    taken: Taken | TakenScan | Failure
    image: str | None
    stamp: str | None


def read_case(one: Listed, intake: Intake, aside: Failure | None = None) -> Read:
    """Read the image of a case, or say why it can't be; one that is set aside is not tried."""
    stamp = stamp_of(one.image)  # first: what is written meanwhile is seen another time
    try:
        taken = aside or attempt(Named(one.about.case, one.image), intake)
        sha256 = image_sha256(one.image, taken)
        if stamp_of(one.image) == stamp:
            return Read(one, taken, sha256, stamp)
        return Read(one, Failure(one.about.case, "read", WRITTEN), None, stamp)
    except MemoryError:
        return Read(one, Failure(one.about.case, "read", MEMORY.format("image")), None, stamp)


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
    shares
        Deals the clock to the parts that are at work at once.
    """

    model: Model
    explainers: Mapping[str, Explainer[Any]]
    manifest: Manifest
    shares: Shares = field(default_factory=Shares)

    @property
    def at_once(self) -> int:
        """How many parts threads may explain at once; volumes fill the threads by their slices."""
        if self.model.intake.slices is not None:
            return 1
        return min(at_once(each, self.model.classifier) for each in self.explainers.values())

    def only(self, name: str) -> Work:
        """Return the same by one method."""
        return replace(self, explainers={name: self.explainers[name]})

    def read(self, cases: Sequence[Listed], aside: Aside = NOTHING) -> list[Read]:
        """Read the images of cases; which can't be read is told in their place."""
        return [read_case(one, self.model.intake, aside.get((one.about.case, None))) for one in cases]

    def rows(
        self, cases: Sequence[Read], aside: Aside = NOTHING, *, lone_stops: bool = False
    ) -> list[dict[str, Any]]:
        """Return a row for every case and method, case by case.

        Parameters
        ----------
        cases
            As they were read.
        aside
            What is not tried, but told.
        lone_stops
            Whether an error of a case that nobody stands beside is raised: of the first of all, it may as
            well be a setting's fault.
        """
        found: list[list[dict[str, Any]]] = [[] for _ in cases]
        for name, explainer in self.explainers.items():
            with self.shares.one() as spent:
                made = self._endings(name, explainer, cases, aside, lone_stops)
            for rows, one, ending in zip(found, cases, made, strict=True):
                rows.append(self._row(name, one, ending, spent() / len(cases)))
        return [row for rows in found for row in rows]

    def _endings(
        self,
        name: str,
        explainer: Explainer[Any],
        cases: Sequence[Read],
        aside: Aside,
        lone_stops: bool,
    ) -> list[Ending]:
        """Return how every case ends; where one stops all, each is tried alone, and may be set aside."""
        told = [_told(one) or aside.get((one.listed.about.case, name)) for one in cases]
        whole = [one for one, failure in zip(cases, told, strict=True) if failure is None]
        try:
            made = iter(self._explain(explainer, whole) if whole else [])
        except (XaimriError, MemoryError):
            if len(whole) == 1 and lone_stops:
                raise
            made = iter([self._alone(explainer, one) for one in whole])
        return [next(made) if failure is None else failure for failure in told]

    def _alone(self, explainer: Explainer[Any], one: Read) -> Ending:
        try:
            return self._explain(explainer, [one])[0]
        except XaimriError as fault:
            return Failure(one.listed.about.case, "explain", str(fault))
        except MemoryError:
            return Failure(one.listed.about.case, "explain", MEMORY.format("explanation"))

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
            record=asked.methods[name],
            grid=one.taken.grid if isinstance(one.taken, Taken) else None,
            maps=asked.maps,
            precision=asked.precision,
            key=key,
            image=one.image,
            stamp=one.stamp,
            seconds=seconds,
        )


def refuse_hopeless(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to go on where all that could be read fails: it is the model or a setting that is at fault.

    Raises
    ------
    InvalidInput
        With what all of them say.
    """
    tried = [row for row in rows if row["stage"] != "read"]
    for method in dict.fromkeys(row["method"] for row in tried):
        own = [row["failure"] for row in tried if row["method"] == method]
        if len(own) > 1 and None not in own and len(set(own)) == 1:
            raise InvalidInput(f"{method} can't explain any of the first {len(own)} cases: {own[0]}")


def _told(one: Read) -> Failure | None:
    """Return why a case's image can't be read; None where it was."""
    return one.taken if isinstance(one.taken, Failure) else None

"""What an audit of a split found: the verdict, the pairs, and what the leak is worth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xaimri import archive, notebook
from xaimri.audit.controls import Controls
from xaimri.audit.pair import KINDS, MEANING, Kind, Pair
from xaimri.audit.split_report import (
    COLOUR,
    couples_of,
    facts_of,
    lead_of,
    pictures_of,
    reasons_of,
    varied,
    worth_rows,
)
from xaimri.audit.telltales import Telltale
from xaimri.audit.verdict import REMEDY, Verdict, reason_for, verdict_on
from xaimri.data.case import Dataset
from xaimri.documents.document import document
from xaimri.documents.picture import Picture
from xaimri.errors import InvalidInput
from xaimri.table import align

HEADS = ("kind", "test", "training", "similarity")

SHOWN = 10
"""Pairs that the text names."""


@dataclass(frozen=True, eq=False)
class SplitAudit:
    """What was found of a split; :func:`xaimri.audit_split` makes it, printing it gives the text.

    Attributes
    ----------
    pairs
        Images of the test with what gives them away in training.
    controls
        What the leak is worth; None where no image could be read.
    telltales
        How well size, compression, rim, mean, bits and scanner tell the class, each by itself.
    images
        How many cases training and test have.
    unknown
        How many cases of both have no subject.
    notes
        Sentences on what could not be told.
    unread
        How many images of both can't be read.
    """

    pairs: tuple[Pair, ...]
    controls: Controls | None
    telltales: tuple[Telltale, ...]
    images: tuple[int, int]
    unknown: int
    notes: tuple[str, ...]
    _sides: tuple[Dataset, Dataset] = field(repr=False)
    unread: int = 0

    @property
    def verdict(self) -> Verdict:
        """One of ``"unsafe"``, ``"safe but for near copies"``, ``"subject-safe"`` and ``"no leak found"``."""
        return verdict_on(self.pairs, known=not self.unknown)

    @property
    def reason(self) -> str:
        """The sentence that says why."""
        return reason_for(self.verdict, self.pairs, self.images[1], self.unknown, self.unread)

    @property
    def remedy(self) -> str:
        """The sentence that says what to do; empty where nothing is."""
        return REMEDY[self.verdict]

    def counts(self) -> dict[str, int]:
        """Return how many pairs there are of each kind that was found."""
        return dict(self._kinds())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not known."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "remedy": self.remedy,
            "images": {"train": self.images[0], "test": self.images[1], "without subject": self.unknown},
            "counts": self.counts(),
            "controls": None if self.controls is None else self.controls.to_dict(),
            "telltales": [each.to_dict() for each in self.telltales],
            "notes": list(self.notes),
            "pairs": [pair.to_dict() for pair in self.pairs],
        }

    def save(self, path: str | Path) -> Path:
        """Write everything as JSON (``.json``), or as a page with the pairs as pictures (``.html``).

        The page is one file that fetches nothing. Both hold pictures of pairs (in JSON as ``pictures``, which
        `xaimri.report` shows) and the ids of cases: keep them as you keep these.

        Raises
        ------
        InvalidInput
            If the name ends otherwise.
        """
        file = Path(path)
        if file.suffix == ".json":
            told = {**self.to_dict(), "pictures": [each.to_dict() for each in self._pictures()]}
            return archive.write_text(file, json.dumps(told, indent=2, allow_nan=False) + "\n")
        if file.suffix != ".html":
            raise InvalidInput(f"`{file.name}` must end in .html or .json.")
        return archive.write_text(file, self._page())

    def _pictures(self) -> list[Picture]:
        train, test = ({case.id: case for case in side} for side in self._sides)
        return pictures_of(self.pairs, train, test)

    def _page(self) -> str:
        shown = self._pictures()
        found = self.controls
        return document(
            "split_audit.html",
            "Is the split honest?",
            verdict=self.verdict,
            kind=COLOUR[self.verdict],
            reason=self.reason,
            remedy=self.remedy.replace("`", ""),
            worth=() if found is None else worth_rows(found),
            lead="" if found is None else lead_of(found),
            groups=0 if found is None else found.groups,
            counts=[[MEANING[kind], str(many)] for kind, many in self._kinds()],
            pictures=shown,
            rest=len(couples_of(self.pairs)) - len(shown),
            telltales=[each.row() for each in self.telltales],
            facts=facts_of(self.images, self.unknown),
            notes=self.notes,
        )

    def _kinds(self) -> list[tuple[Kind, int]]:
        many = Counter(pair.kind for pair in self.pairs)
        return [(kind, many[kind]) for kind in KINDS if many[kind]]

    def _some(self) -> list[list[str]]:
        test = {case.id: case for case in self._sides[1]}
        return [_row(told) for told in varied(self.pairs, test, SHOWN)]

    def _repr_html_(self) -> str:
        told = [each.sentence for each in self.telltales if each.found]
        rows = self._some()
        worth = () if self.controls is None else worth_rows(self.controls)
        return notebook.card(
            f"Split: {self.verdict}",
            notebook.paragraphs([self.reason, *filter(None, [self.remedy])]),
            notebook.table(HEADS, rows),
            notebook.table(["nearest training image", "accuracy", "balanced", "labels shuffled"], worth),
            notebook.paragraphs([*told, *self.notes]),
        )

    def __repr__(self) -> str:
        train, test = self.images
        return f"<SplitAudit: {self.verdict}, {len(self.pairs)} pairs, {train} and {test} images>"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.verdict}: {self.reason}"
        yield from filter(None, [self.remedy])
        yield f"Training has {self.images[0]} images, the test {self.images[1]}."
        if self.pairs:
            yield ""
            yield from align(HEADS, self._some())
            more = len(couples_of(self.pairs)) - SHOWN
            if more > 0:
                yield f"... and {more} more pairs of images."
        if self.controls is not None:
            yield ""
            yield from _worth(self.controls)
        yield from (each.sentence for each in self.telltales if each.found)
        yield from self.notes


def _row(told: Sequence[Pair]) -> list[str]:
    reasons, like = reasons_of(told, unsure="?")
    return [reasons, told[0].test, told[0].train, like]


def _worth(found: Controls) -> Iterator[str]:
    """Say in a table what the nearest training image says of the label."""
    yield "The label of the most similar training image, by thumbnails:"
    yield from align(["", "accuracy", "balanced", "labels shuffled"], worth_rows(found))
    yield lead_of(found)

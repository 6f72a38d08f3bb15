"""What an evaluation found: figures with their intervals, as data and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xaimri import archive, notebook
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.level import Level, people
from xaimri.evaluation.operating import OperatingPoint
from xaimri.evaluation.report_table import calibration_line, cells, table
from xaimri.evaluation.truth import LevelName
from xaimri.failure import Failure
from xaimri.sealed import unseal


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """The result of `xaimri.evaluation.classification.evaluate`; printing it gives the text report.

    Attributes
    ----------
    classes
        Names.
    slice, subject
        The figures of the two levels.
    images, subjects
        How many were evaluated.
    minimum_subjects
        Classes with fewer have no figures.
    confidence
        Of the intervals.
    remarks
        Sentences on the data, such as who of a recorded split is missing; they are among the ``notes``.
    failures
        Why a case could not be read, and is in no figure, one for each.
    operating_points
        Sensitivity, specificity and predictive values at thresholds that were chosen on other people, where
        a sensitivity was asked for.
    model
        Which network it is of: the SHA-256 of its file (None where that is not known), the temperature of its
        logits, and how many cases are of each part of its recorded split; None where no network was asked.
    """

    classes: tuple[str, ...]
    slice: Level
    subject: Level
    images: int
    subjects: int
    minimum_subjects: int
    confidence: float
    remarks: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    operating_points: tuple[OperatingPoint, ...] = ()
    model: Mapping[str, Any] | None = None

    @check_arguments()
    def level(self, name: LevelName) -> Level:
        """Return the figures of a level by its name.

        Raises
        ------
        InvalidInput
            If there is no such level.
        """
        if name not in ("slice", "subject"):
            raise InvalidInput(f'`level` must be "slice" or "subject", got {shown(name)}.')
        return self.slice if name == "slice" else self.subject

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say what the figures cannot tell."""
        few = [c for c in self.slice.per_class if 0 < c.subjects < self.minimum_subjects]
        absent = [c.name for c in self.slice.per_class if c.subjects == 0]
        notes = list(self.remarks)
        if few:
            who = ", ".join(f"`{c.name}` ({c.note})" for c in few)
            notes.append(
                f"Balanced accuracy and macro average count {who}; the intervals cannot show the error of so "
                "few. The row of estimable classes leaves them out."
            )
        if absent:
            notes.append(f"No image is of {', '.join(f'`{name}`' for name in absent)}: not in any average.")
        called = self.slice.confusion.sum(axis=0)
        never = [c.name for c, n in zip(self.slice.per_class, called, strict=True) if not n and c.subjects]
        if never:
            notes.append(
                f"No image is called {', '.join(f'`{name}`' for name in never)}: precision is not known "
                "there, and stands as 0, also in means."
            )
        alone = [c for c in self.slice.per_class if c.note is None and c.auroc_note is not None]
        if alone:
            notes.append(
                f"AUROC and average precision of {', '.join(f'`{c.name}` ({c.auroc_note})' for c in alone)}."
            )
        return (*notes, *self._bare())

    def _bare(self) -> Iterator[str]:
        """Say why figures have no interval, where some have none."""
        if self.subjects < self.minimum_subjects:
            yield (
                f"No intervals: they need at least {self.minimum_subjects} subjects, and "
                f"there {'is' if self.subjects == 1 else 'are'} {self.subjects}."
            )
        elif any(figure.bare for figure in (*self.slice.figures, *self.subject.figures)):
            yield (
                "A figure without brackets can't be told apart from chance: no class that it counts has two "
                "subjects, nothing is called by its class, or leaving one out leaves it undefined."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not estimable."""
        return {
            "classes": list(self.classes),
            "images": self.images,
            "subjects": self.subjects,
            "slice": self.slice.to_dict(),
            "subject": self.subject.to_dict(),
            "operating_points": [point.to_dict() for point in self.operating_points],
            "minimum_subjects": self.minimum_subjects,
            "confidence": self.confidence,
            "notes": list(self.notes),
            "failures": [asdict(failure) for failure in self.failures],
            "model": unseal(self.model),
        }

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file and return its path."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return archive.write_text(path, text + "\n")

    def __str__(self) -> str:
        slices, subjects = self._titles()
        lines = []
        for title, level in ((slices, self.slice), (subjects, self.subject)):
            lines += [title, "", table(level), calibration_line(level.calibration), ""]
        lines += [f"{point}\n" for point in self.operating_points]
        return "\n".join([*lines, *self._brackets(), *self.notes])

    def _repr_html_(self) -> str:
        slices, subjects = self._titles()
        return notebook.card(
            f"Evaluation of {self.images} images of {people(self.subjects)}",
            notebook.paragraphs([slices]),
            notebook.table(*cells(self.slice)),
            notebook.paragraphs([calibration_line(self.slice.calibration), subjects]),
            notebook.table(*cells(self.subject)),
            notebook.paragraphs([calibration_line(self.subject.calibration)]),
            notebook.paragraphs([str(point) for point in self.operating_points]),
            notebook.paragraphs([*self._brackets(), *self.notes]),
            notebook.folded("Images that could not be read", [failure.sentence for failure in self.failures]),
        )

    def _titles(self) -> tuple[str, str]:
        """Return what stands over the two tables."""
        who = people(self.subjects)
        means = f"By subject: mean probability over the slices of each of {who}"
        return f"By slice: {self.images} images of {who}", means

    def _brackets(self) -> list[str]:
        """Say what stands in brackets, where anything does."""
        if all(math.isnan(figure.low) for figure in (*self.slice.figures, *self.subject.figures)):
            return []
        return [
            f"In brackets: {self.confidence:.0%} intervals by the jackknife over subjects within classes."
        ]

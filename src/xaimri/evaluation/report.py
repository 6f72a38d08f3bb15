"""What an evaluation found: figures with their intervals, as data and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jaxtyping import Int

from xaimri import archive, notebook
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.estimate import Estimate
from xaimri.failure import Failure

HEADS = ("precision", "recall", "f1-score", "AUROC", "AP")

LevelName = Literal["slice", "subject"]
"""Whether an image counts by itself, or a subject's images count together."""


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall, F1, AUROC and average precision of one class, or their mean over classes.

    Attributes
    ----------
    name
        Of the class; empty for a mean.
    precision, recall, f1
        NaN where the class has too few subjects.
    auroc
        Area under the ROC curve, the class's probability against the rest; chance is 0.5. NaN where the class
        or the rest has too few subjects.
    average_precision
        Mean precision over the images of the class, each at its own probability as the threshold; chance is
        the class's share of the images. NaN where AUROC is.
    images, subjects
        How many there are in truth.
    others
        Subjects with images of another class; of a mean, all.
    """

    name: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auroc: Estimate
    average_precision: Estimate
    images: int
    subjects: int
    others: int

    @property
    def note(self) -> str | None:
        """None, or why there are no figures."""
        if not math.isnan(self.recall.value):
            return None
        why = _people(self.subjects) if self.name else "no class has enough subjects"
        return f"not estimable: {why}"

    @property
    def auroc_note(self) -> str | None:
        """None, or why there is no AUROC and no average precision."""
        if not math.isnan(self.auroc.value) or self.note is not None:
            return self.note
        return f"not estimable: {_people(self.others)} of other classes"

    @property
    def figures(self) -> tuple[Estimate, ...]:
        """The five, in the order of the table."""
        return self.precision, self.recall, self.f1, self.auroc, self.average_precision

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        names = ("precision", "recall", "f1", "auroc", "average_precision")
        figures = {name: getattr(self, name).to_dict() for name in names}
        counts = {"images": self.images, "subjects": self.subjects, "others": self.others}
        return {**figures, **counts, "note": self.note, "auroc_note": self.auroc_note}


@dataclass(frozen=True, eq=False)
class Level:
    """The figures of one level: slices by themselves, or subjects.

    Attributes
    ----------
    accuracy
        Share of right predictions.
    balanced_accuracy
        Mean recall of the classes that are present; chance is 1 over their number.
    per_class
        In the order of the classes.
    macro, weighted
        Means over the classes present, plain and by the number of cases of each.
    macro_estimable
        Plain means over the classes with enough subjects; its recall is their balanced accuracy.
    confusion
        Counts, rows are the truth and columns the prediction.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate
    per_class: tuple[ClassFigures, ...]
    macro: ClassFigures
    weighted: ClassFigures
    macro_estimable: ClassFigures
    confusion: Int[Array, "classes classes"]

    @property
    def figures(self) -> tuple[Estimate, ...]:
        """All that the table holds."""
        means = self.macro, self.weighted, self.macro_estimable
        return (
            self.accuracy,
            self.balanced_accuracy,
            *(f for c in (*self.per_class, *means) for f in c.figures),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            "accuracy": self.accuracy.to_dict(),
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "classes": {figures.name: figures.to_dict() for figures in self.per_class},
            "macro": self.macro.to_dict(),
            "weighted": self.weighted.to_dict(),
            "macro_estimable": self.macro_estimable.to_dict(),
            "confusion": self.confusion.tolist(),
        }


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
    confidence, resamples, seed
        Of the intervals.
    remarks
        Sentences on the data, such as who of a recorded split is missing; they are among the ``notes``.
    failures
        Why a case could not be read, and is in no figure, one for each.
    """

    classes: tuple[str, ...]
    slice: Level
    subject: Level
    images: int
    subjects: int
    minimum_subjects: int
    confidence: float
    resamples: int
    seed: int
    remarks: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

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
            least = (1 - self.confidence) ** (1 / self.subjects)
            yield (
                "A figure without brackets is the same in every resample, as where every subject is right, "
                f"and that is no certainty: were all of {self.subjects} subjects right, the share of people "
                "for whom that holds might still be "
                f"{least:.2f} (exact one-sided {self.confidence:.0%} bound)."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not estimable."""
        return {
            "classes": list(self.classes),
            "images": self.images,
            "subjects": self.subjects,
            "slice": self.slice.to_dict(),
            "subject": self.subject.to_dict(),
            "minimum_subjects": self.minimum_subjects,
            "confidence": self.confidence,
            "resamples": self.resamples,
            "seed": self.seed,
            "notes": list(self.notes),
            "failures": [asdict(failure) for failure in self.failures],
        }

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file and return its path."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return archive.write_text(path, text + "\n")

    def __str__(self) -> str:
        slices, subjects = self._titles()
        tables = [slices, "", _table(self.slice), "", subjects, "", _table(self.subject), ""]
        return "\n".join([*tables, *self._brackets(), *self.notes])

    def _repr_html_(self) -> str:
        slices, subjects = self._titles()
        return notebook.card(
            f"Evaluation of {self.images} images of {_people(self.subjects)}",
            notebook.paragraphs([slices]),
            notebook.table(*_cells(self.slice)),
            notebook.paragraphs([subjects]),
            notebook.table(*_cells(self.subject)),
            notebook.paragraphs([*self._brackets(), *self.notes]),
            notebook.folded("Images that could not be read", [failure.sentence for failure in self.failures]),
        )

    def _titles(self) -> tuple[str, str]:
        """Return what stands over the two tables."""
        people = _people(self.subjects)
        means = f"By subject: mean probability over the slices of each of {people}"
        return f"By slice: {self.images} images of {people}", means

    def _brackets(self) -> list[str]:
        """Say what stands in brackets, where anything does."""
        if all(math.isnan(figure.low) for figure in (*self.slice.figures, *self.subject.figures)):
            return []
        return [
            f"In brackets: {self.confidence:.0%} percentile intervals, {self.resamples} bootstrap resamples "
            "of subjects within classes."
        ]


def _means(level: Level) -> dict[str, ClassFigures]:
    """Return the averages of a level, by name."""
    means = {"macro avg": level.macro, "weighted avg": level.weighted}
    if any(figures.note for figures in level.per_class):
        means["macro avg, estimable"] = level.macro_estimable
    return means


def _cells(level: Level) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of a level as cells: classes, accuracies, averages."""
    rows = [_line(each.name, each) for each in level.per_class]
    for name, figure in (("accuracy", level.accuracy), ("balanced accuracy", level.balanced_accuracy)):
        rows.append([name, "", "", str(figure), "", "", "", ""])
    rows += [_line(name, mean) for name, mean in _means(level).items()]
    return ["", *HEADS, "images", "subjects"], rows


def _line(name: str, figures: ClassFigures) -> list[str]:
    told = [str(figure) for figure in figures.figures]
    if figures.note:
        told = [figures.note, *[""] * (len(HEADS) - 1)]
    return [name, *told, str(figures.images), str(figures.subjects)]


def _table(level: Level) -> str:
    """Lay out one level as scikit-learn's report does."""
    means = _means(level)
    width = max(len(name) for name in [*means, "balanced accuracy", *(c.name for c in level.per_class)])
    lines = [f"{'':>{width}}" + "".join(f"{head:>20}" for head in HEADS)]
    lines[0] += f"{'images':>9}{'subjects':>10}"
    lines += ["", *(_row(c.name, c, width) for c in level.per_class), ""]
    for name, figure in (("accuracy", level.accuracy), ("balanced accuracy", level.balanced_accuracy)):
        lines.append(f"{name:>{width}}{'':>40}{figure!s:>20}".rstrip())
    return "\n".join([*lines, *(_row(name, mean, width) for name, mean in means.items())])


def _row(name: str, figures: ClassFigures, width: int) -> str:
    if figures.note:
        middle = f"{figures.note:>100}"
    else:
        middle = "".join(f"{figure!s:>20}" for figure in figures.figures)
    return f"{name:>{width}}{middle}{figures.images:>9}{figures.subjects:>10}"


def _people(count: int) -> str:
    return f"{count} subject{'' if count == 1 else 's'}"

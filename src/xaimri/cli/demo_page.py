"""The page that a demonstration ends in: one file, images inside, readable on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xaimri.archive import write_text
from xaimri.documents.document import document
from xaimri.documents.picture import picture

INTRODUCTION = (
    "Phantoms are brains made from a seed, so the answer is known (yellow). The relevance gain is the share "
    "of a map's positive relevance in the answer, over the answer's share of the brain: 1 is chance. "
    "Explained are the log-odds of the true stage. "
    "Intervals are 95 % over subjects."
)


@dataclass(frozen=True)
class Part:
    """What one kind of phantom showed.

    Attributes
    ----------
    change
        What differs between the stages.
    why
        What to expect of maps.
    split
        What the audit of its split says.
    accuracy
        Balanced accuracy with its interval.
    table
        Lines of the methods' table.
    figures
        PNG files.
    """

    change: str
    why: str
    split: str
    accuracy: str
    table: Sequence[str]
    figures: Sequence[Path]


def write_page(folder: Path, parts: Sequence[Part]) -> Path:
    """Write ``index.html`` into the folder, and return its path."""
    changes = [
        {
            "change": part.change,
            "why": part.why,
            "split": part.split,
            "accuracy": part.accuracy,
            "table": part.table,
            "pictures": [
                picture(file, f"Slice, known answer and maps: {file.stem}.") for file in part.figures
            ],
        }
        for part in parts
    ]
    text = document("demo.html", "Do maps find what changed?", introduction=INTRODUCTION, changes=changes)
    return write_text(folder / "index.html", text)

"""The files that a command writes: in which forms, and never over what is there unless that is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xaimri.archive import whole_file, write_text
from xaimri.errors import InvalidInput
from xaimri.names import known_name

if TYPE_CHECKING:
    from xaimri.explanation import Explanation

PICTURES = ("png", "svg", "pdf", "jpg")
"""Forms of a figure."""

FORMATS = (*PICTURES, "html", "npy", "nii.gz", "dcm", "json", "csv")
"""A figure; an interactive page; the map as an array, or on the scan's own grid; its numbers; one table."""

TABLE = "explanations.csv"
"""The table of all maps of a command."""

DEFAULT = ("png", "csv")
"""What is written where nothing is said."""


def formats_of(given: list[str] | None) -> list[str]:
    """Return the forms that an option names, apart or with commas between."""
    words = [word.strip().removeprefix(".") for each in given or DEFAULT for word in each.split(",")]
    return list(dict.fromkeys(known_name(word, FORMATS, "format") for word in words))


def say_what_takes_long(words: str) -> None:
    """Say on a terminal what is at work, where that takes a while; a file or a pipe is told nothing."""
    if sys.stderr.isatty():
        typer.echo(words, err=True)


def refuse_present(files: Iterable[Path], force: bool) -> None:
    """Say that a file is there already, before anything is computed.

    Raises
    ------
    InvalidInput
        If there is one, and ``force`` is not set.
    """
    present = [] if force else [file for file in files if file.exists()]
    if present:
        are = f"and {len(present) - 1} more are" if len(present) > 1 else "is"
        raise InvalidInput(
            f"`{present[0]}` {are} there already: give another --out, or --force to write over them."
        )


def files_of_map(stem: Path, formats: Sequence[str]) -> list[Path]:
    """Return the files of one map, in all forms but the table."""
    return [stem.with_name(f"{stem.name}.{form}") for form in formats if form != "csv"]


def files_of_maps(
    out: Path, stems: Sequence[str], methods: Sequence[str], formats: Sequence[str]
) -> list[Path]:
    """Return the files of the maps of several images by several methods, in all forms, and their table."""
    maps = [out / f"{stem}_{name}" for name in methods for stem in stems]
    table = [out / TABLE] if "csv" in formats else []
    return [*(file for each in maps for file in files_of_map(each, formats)), *table]


def write_map(
    explanation: Explanation, source: Path, stem: Path, formats: Sequence[str], style: str, heading: str
) -> list[Path]:
    """Write one map of a source in these forms, the heading over its figures; return the files.

    Raises
    ------
    InvalidInput
        If it can't be written in one of the forms, once it is in the others.
    """
    files = files_of_map(stem, formats)
    faults: list[InvalidInput] = []
    for file in files:
        try:
            _write(explanation, source, file, style, heading)
        except InvalidInput as fault:
            faults.append(fault)
    if faults:
        raise faults[0]
    return files


def _write(explanation: Explanation, source: Path, file: Path, style: str, heading: str) -> None:
    """Write one map in the form that the file's name ends in."""
    import numpy as np

    from xaimri.images.suffixes import suffix_of

    form = suffix_of(file.name)[1:] or file.suffix[1:]
    if form == "npy":
        with whole_file(file) as new, new.open("wb") as stream:
            np.save(stream, explanation.values)
    elif form == "nii.gz":
        explanation.to_nifti(file)
    elif form == "html":
        explanation.view(heading=heading).save(file)
    elif form == "dcm":
        explanation.to_dicom(file, source=source)
    elif form == "json":
        write_text(file, json.dumps(explanation.to_dict(), indent=2, allow_nan=False) + "\n")
    else:
        explanation.save(file, style=style, heading=heading)


def write_table(rows: Sequence[dict[str, Any]], file: Path) -> Path:
    """Write the rows of all maps, with the method of each."""
    from xaimri.explanations import COLUMNS
    from xaimri.table import csv_text

    return write_text(file, csv_text(["method", *COLUMNS], rows))

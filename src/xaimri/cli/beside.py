"""External data beside internal: one network on both, and how far its figures differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xaimri import archive
from xaimri.data.attendance import PARTS
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.evaluation import ClassificationReport

FILES = ("beside.json", "beside.txt")
"""What is written of all data together; each of the others has a folder of its own."""


def named_folders(given: Iterable[str]) -> dict[str, str]:
    """Read names and folders as the option says them.

    Examples
    --------
    >>> named_folders(["oasis=data/oasis", "data/adni"])
    {'oasis': 'data/oasis', 'adni': 'data/adni'}
    """
    found: dict[str, str] = {}
    for words in given:
        name, mark, folder = words.partition("=")
        folder = folder if mark else words
        name = name if mark else Path(words).name
        if not folder or not name or Path(name).name != name or name in (*found, *PARTS, "all"):
            raise InvalidInput(
                f"--beside takes NAME=FOLDER, each name once, without a slash and none of a part, got "
                f"{words[:60]!r}."
            )
        found[name] = folder
    return found


def lay_beside(reports: Mapping[str, ClassificationReport], cases: Mapping[str, Dataset], out: Path) -> str:
    """Return figures of all data side by side, as text; both that and JSON are written."""
    from xaimri.data.copies import copies_between
    from xaimri.evaluation import side_by_side

    found = side_by_side(reports)
    (first, internal), *others = cases.items()
    shared = [
        note for name, one in others for note in copies_between([(first, internal), (name, one)], "tell")
    ]
    text = "\n".join([str(found), *shared])
    held = found.to_dict()
    held["notes"] += shared
    archive.write_text(out / FILES[0], json.dumps(held, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
    archive.write_text(out / FILES[1], f"{text}\n")
    return text

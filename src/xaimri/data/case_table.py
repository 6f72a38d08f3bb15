"""A table of cases: a CSV file with a row for each image."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from xaimri.data.case import Case, Dataset
from xaimri.data.tsv import is_missing, whose
from xaimri.errors import InvalidInput, shown
from xaimri.regular_file import quoted
from xaimri.text_file import cells_of

NAMES = {
    "file": ("file", "path", "image", "filename", "filepath"),
    "label": ("label", "class", "diagnosis", "target"),
    "subject": ("subject", "patient", "subject_id", "patient_id", "participant_id"),
    "slice": ("slice",),
}
"""What a column may be called, whatever its case."""

MOST_BYTES = 2**26
"""Size up to which a table is read."""


def read_cases(path: str | Path, classes: tuple[str, ...] | None = None) -> Dataset:
    r"""Return the cases that a CSV file lists.

    Parameters
    ----------
    path
        With a head line. The column ``file`` has a path, relative to the table; ``label`` the class's name;
        ``subject`` and ``slice`` are taken where there are such. ``path`` and ``image``, ``class`` and
        ``diagnosis``, ``patient`` and ``patient_id`` mean the same.
    classes
        Names of the classes; by default those of the table, in the order of their letters.

    Raises
    ------
    InvalidInput
        If it is no such table, a column is missing, or a file is not there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.png").write_bytes(b"")
    ...     _ = Path(folder, "cases.csv").write_text("file,label,subject\na.png,ill,p1\n")
    ...     read_cases(Path(folder, "cases.csv")).cases[0].subject
    'p1'
    """
    file = Path(path)
    rows = _rows(file)
    found = {name: _column(rows[0], known) for name, known in NAMES.items()}
    for name in ("file", "label"):
        if found[name] is None:
            raise InvalidInput(f"{quoted(file)} has no column `{name}`: call them file, label and subject.")
    labels = [row[found["label"] or ""] for row in rows]
    for number, label in enumerate(labels, 2):
        if is_missing(label):
            raise InvalidInput(f"row {number} of {quoted(file)} has no label: give one, or take it out.")
    names = tuple(sorted(set(labels))) if classes is None else classes
    cases = []
    for row, label in zip(rows, labels, strict=True):
        if label not in names:
            raise InvalidInput(
                f"{quoted(file)} has the class `{label}`, which is none of {', '.join(names)}."
            )
        cases.append(_case(file, row, names.index(label), found))
    return Dataset(names, tuple(cases))


def _rows(file: Path) -> list[dict[str, str]]:
    heads, *lines = cells_of(file, "give a CSV file of cases.", MOST_BYTES) or [[]]
    if not lines:
        raise InvalidInput(f"{quoted(file)} lists no case: write a head line, and a row for each image.")
    if twice := [head for head, count in Counter(map(str.casefold, heads)).items() if head and count > 1]:
        raise InvalidInput(f"{quoted(file)} has several columns called {shown(twice[0])}: keep one.")
    return [dict(zip(heads, line, strict=True)) for line in lines]


def _column(row: dict[str, str], known: tuple[str, ...]) -> str | None:
    """Return the name, as written, of the column that has one of the known names."""
    written = {name.casefold(): name for name in row}
    return next((written[name] for name in known if name in written), None)


def _case(file: Path, row: dict[str, str], label: int, found: dict[str, str | None]) -> Case:
    def cell(name: str) -> str:
        column = found[name]
        return "" if column is None else row[column]

    image = file.parent / cell("file")
    if not cell("file") or not image.exists():
        raise InvalidInput(
            f"{quoted(file)} names `{cell('file')}`, which is not there: give paths from its folder."
        )
    number = cell("slice")
    level = int(number) if number.isdecimal() else None
    return Case(cell("file"), label, whose(cell("subject")), image, level)

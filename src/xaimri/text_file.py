"""Text that somebody gives as a file: UTF-8, read whole, and not without end."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from xaimri.errors import InvalidInput
from xaimri.regular_file import open_regular, quoted

MOST_BYTES = 2**28
"""Size up to which a file is read."""


def text_of(path: Path, remedy: str = "check the path.", most: int = MOST_BYTES) -> str:
    """Return a file's text, without the mark that some programs put before it.

    Raises
    ------
    InvalidInput
        If it is no regular file (the sentence ends in the remedy), no text in UTF-8, or of more bytes.
    """
    with open_regular(path, remedy) as stream:
        held = stream.read(most + 1)
    if len(held) > most:
        raise InvalidInput(f"{quoted(path)} is larger than {most >> 20} MB: is it the right file?")
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{quoted(path)} is no text in UTF-8 ({error.reason}): save it as UTF-8."
        ) from error


def mark_of(text: str, path: Path) -> str:
    """Return what stands between a table's cells: tabs by the ending, else what the first line has most."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=first.count)


def cells_of(path: Path, remedy: str = "check the path.", most: int = MOST_BYTES) -> list[list[str]]:
    r"""Return the cells of a table, line by line, without what surrounds them; the first names the columns.

    Lines without words are passed over. All have as many cells as the first, so that no word is taken for
    one of another column.

    Raises
    ------
    InvalidInput
        As `text_of`; if it is no table, or a line has another number of cells.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_text('path; subject;\n"a;b.png"; p1;\n')
    ...     cells_of(Path(folder, "a.csv"))
    [['path', 'subject'], ['a;b.png', 'p1']]
    """
    text = text_of(path, remedy, most)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark_of(text, path))
    try:
        lines = [line for line in ([cell.strip() for cell in row] for row in reader) if any(line)]
    except csv.Error as error:
        raise InvalidInput(
            f"{quoted(path)} is no table ({error}): see that each quotation mark has its partner."
        ) from error
    heads = lines[0] if lines else []
    while heads and not heads[-1]:
        heads.pop()
    for number, line in enumerate(lines[1:], 2):
        while len(line) > len(heads) and not line[-1]:
            line.pop()
        if len(line) != len(heads):
            raise InvalidInput(
                f"row {number} of {quoted(path)} has {len(line)} cells, and the first line {len(heads)}: "
                "leave a cell empty where a value is missing, and put one that holds a comma in quotation "
                "marks."
            )
    return lines

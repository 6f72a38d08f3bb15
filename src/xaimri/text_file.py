"""Text that somebody gives as a file: UTF-8, read whole, and not without end."""

from __future__ import annotations

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
    """Return what stands between the cells of a table: tabs by the ending, else semicolons or commas."""
    first = text.partition("\n")[0]
    return "\t" if path.suffix.lower() == ".tsv" else ";" if first.count(";") > first.count(",") else ","

"""A picture that lies within a document."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from xaimri.errors import InvalidInput
from xaimri.regular_file import open_regular, quoted

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADDRESS = "data:image/png;base64,"
_HEAD = 24
"""Bytes of a PNG up to the end of its size."""


@dataclass(frozen=True)
class Picture:
    """A PNG as text, with words for those who don't see it.

    Attributes
    ----------
    data
        The ``data:`` address of the picture.
    width, height
        Its size in pixels, so that the page stands still while it is read.
    alt
        What is to be seen on it.
    caption
        What stands below it; empty for none.
    """

    data: str
    width: int
    height: int
    alt: str
    caption: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON types, from which `picture_of` makes it again."""
        return {"png": self.data.removeprefix(_ADDRESS), "alt": self.alt, "caption": self.caption}


def picture_of(told: object) -> Picture:
    """Return the picture that :meth:`Picture.to_dict` told.

    Raises
    ------
    InvalidInput
        If it is none.

    Examples
    --------
    >>> sheet = picture(Figure(figsize=(1, 1)), "An empty sheet.", dpi=50)
    >>> picture_of(sheet.to_dict()) == sheet
    True
    """
    words: Mapping[str, Any] = told if isinstance(told, dict) else {}
    png, alt, caption = (words.get(name) for name in ("png", "alt", "caption"))
    if not (isinstance(png, str) and isinstance(alt, str) and isinstance(caption, str)):
        raise InvalidInput("a kept picture has `png`, `alt` and `caption`, all of them words.")
    try:
        content = b64decode(png, validate=True)
    except ValueError as damage:
        raise InvalidInput(f"a kept picture is damaged ({damage}).") from damage
    return picture(content, alt, caption)


def picture(source: bytes | Path | Figure, alt: str, caption: str = "", *, dpi: int = 110) -> Picture:
    """Take a PNG, its file, or a figure of matplotlib into a document.

    Parameters
    ----------
    source
        The bytes of a PNG, the file of one, or a figure, which is drawn on white.
    alt
        What is to be seen, in words: a sentence for those who don't see it.
    caption
        What stands below it.
    dpi
        Dots per inch that a figure is drawn with.

    Raises
    ------
    InvalidInput
        If it is no PNG, or the words are missing.

    Examples
    --------
    >>> picture(Figure(figsize=(1, 1)), "An empty sheet.", dpi=50).width
    50
    """
    if not alt.strip():
        raise InvalidInput("a picture needs words for those who don't see it: give `alt`.")
    png = _png(source, dpi)
    if not png.startswith(_SIGNATURE) or len(png) < _HEAD:
        name = quoted(source) if isinstance(source, Path) else "what was given"
        raise InvalidInput(f"{name} is no PNG: a document takes figures, and pictures that are PNG.")
    width, height = (int.from_bytes(png[place : place + 4], "big") for place in (16, 20))
    return Picture(_ADDRESS + b64encode(png).decode(), width, height, alt, caption)


def _png(source: bytes | Path | Figure, dpi: int) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        with open_regular(source, "give the file of a PNG.") as file:
            return file.read()
    written = io.BytesIO()
    source.savefig(written, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return written.getvalue()

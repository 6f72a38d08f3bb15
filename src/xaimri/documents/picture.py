"""A picture that lies within a document."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from xaimri.errors import InvalidInput
from xaimri.regular_file import open_regular, quoted

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
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
    return Picture(f"data:image/png;base64,{b64encode(png).decode()}", width, height, alt, caption)


def _png(source: bytes | Path | Figure, dpi: int) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        with open_regular(source, "give the file of a PNG.") as file:
            return file.read()
    written = io.BytesIO()
    source.savefig(written, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return written.getvalue()

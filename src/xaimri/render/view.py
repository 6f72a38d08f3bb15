"""The interactive page of an explanation: one file that holds all it needs, and fetches nothing."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from xaimri import notebook
from xaimri.archive import write_text
from xaimri.arguments import check_arguments
from xaimri.atlas import Atlas
from xaimri.atlas.atlas import AtlasLike
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.window import Window
from xaimri.kinds import Anything
from xaimri.render.colour import Scale
from xaimri.render.page import write_page
from xaimri.render.page_facts import blocks_of, facts_of
from xaimri.render.planes import PLACE, VOXEL, point_of

MOST = 2**24
"""Voxels of a page, at most: 256 along each side."""

EMBEDDED = 2_500_000
"""Letters of a page that a notebook shows, at most: it keeps them, and servers limit their flow."""

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class View:
    """A page with the planes of an explanation, to be looked at in any browser.

    Attributes
    ----------
    html
        The whole page. It holds the image, the map, its errors and regions, and fetches nothing.
    """

    html: str = field(repr=False)

    def __repr__(self) -> str:
        return f"<View: a page of {self.size}>"

    @property
    def size(self) -> str:
        """How large the page is, in words."""
        return f"{len(self.html) / 1e6:.1f} MB"

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write the page whole or not at all; the name ends in ``.html``."""
        target = Path(path)
        if target.suffix.lower() not in SUFFIXES:
            raise InvalidInput(f"`{target.name}` must end in .html to hold an interactive page.")
        return write_text(target, self.html)

    def open(self) -> Path:
        """Show the page in the system's browser, and return its file.

        The file is a new one in the system's folder for temporary files, readable by you alone, and stays
        there: the browser needs it. It holds the image: remove it where that matters.
        """
        handle, name = tempfile.mkstemp(prefix="xaimri_", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(self.html)
        if not webbrowser.open(Path(name).as_uri()):
            sys.stderr.write("There is no browser here: use save(path), and open the file where one is.\n")
        return Path(name)

    @property
    def embeddable(self) -> bool:
        """Whether a notebook shows the page within itself: up to 2.5 MB."""
        return len(self.html) <= EMBEDDED

    def frame(self) -> str:
        """Return the page as a frame within another one, closed off from it."""
        style = "width:100%;height:44rem;border:0;border-radius:4px"
        return (
            f'<iframe style="{style}" sandbox="allow-scripts allow-popups" title="Interactive planes" '
            f'srcdoc="{escape(self.html, quote=True)}"></iframe>'
        )

    def way(self) -> str:
        """Return the sentence that stands in a notebook instead of a large page."""
        return (
            f"The interactive page has {self.size}, more than a notebook should hold: open it by "
            'explanation.view().open(), or keep it by explanation.view().save("view.html").'
        )

    def _repr_html_(self) -> str:
        return self.frame() if self.embeddable else notebook.card("View", notebook.paragraphs([self.way()]))


@check_arguments(at=VOXEL, at_mm=PLACE, window=Anything(), atlas=Anything())
def view(
    explanation: Explanation,
    *,
    at: Sequence[int] | None = None,
    at_mm: Sequence[float] | None = None,
    window: Window | Sequence[float] | None = None,
    colours: str | None = None,
    limit: float | None = None,
    heading: str | None = None,
    atlas: AtlasLike | None = None,
) -> View:
    """Return an interactive page of an explanation.

    Parameters
    ----------
    explanation
        Of a slice or a volume, of up to 2**24 voxels (256 x 256 x 256).
    at, at_mm
        Where the planes of a volume cross at first: indices of a voxel, or a place in mm; else the strongest
        plane across each axis.
    window
        Intensities that are drawn black and white at first; else the least and the largest of the image.
    colours, limit
        As of :func:`xaimri.render.plot`.
    heading
        Written before the title, such as the file's name.
    atlas
        An `xaimri.Atlas`, or what :meth:`xaimri.Atlas.read` takes: its region stands under the cursor, too.

    Raises
    ------
    InvalidInput
        If the explanation has more voxels, or neither two nor three axes, or the point lies outside; or if
        the atlas can't be read or brought to the image.
    """
    shape = explanation.values.shape
    if len(shape) not in (2, 3) or explanation.values.size > MOST:
        told = " x ".join(map(str, shape))
        raise InvalidInput(
            f"a page holds slices, and volumes of up to {MOST} voxels, and this map is {told}: use "
            'save("map.png"), or to_nifti and a viewer of scans.'
        )
    scale = Scale.of([explanation.values], colours=colours, limit=limit)
    brought = None if atlas is None else Atlas.read(atlas)
    facts = facts_of(explanation, scale, point_of(explanation, at, at_mm), window, brought)
    notes = () if brought is None else brought.notes
    return View(write_page(explanation, facts, blocks_of(explanation, brought), heading, notes))

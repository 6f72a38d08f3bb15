"""Bring a figure to a file, to a screen, or into a page."""

from __future__ import annotations

import base64
import io
import os
import sys
import tempfile
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from xaimri.archive import whole_file
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.render.panel import DOTS

ELSEWHERE = {
    ".html": ": a page is written by `explanation.view().save(path)`",
    ".nii": ": a map is written by `explanation.to_nifti(path)`",
    ".nii.gz": ": a map is written by `explanation.to_nifti(path)`",
    ".dcm": ": a map is written by `explanation.to_dicom(path, source=...)`",
}
"""What writes the files that are no figures."""


@check_arguments(dpi=DOTS)
def save(drawn: Figure, path: str | Path, *, dpi: int = 150) -> Path:
    """Write a figure whole or not at all; the suffix decides between png, pdf, svg and jpg."""
    target = Path(path)
    kinds = set(drawn.canvas.get_supported_filetypes())
    if target.suffix[1:].lower() not in kinds:
        other = next((how for end, how in ELSEWHERE.items() if target.name.lower().endswith(end)), "")
        raise InvalidInput(f"`{target.name}` must end in .png, .pdf, .svg or .jpg to be drawn into{other}.")
    with whole_file(target) as new:
        drawn.savefig(new, dpi=dpi, facecolor="white")
    return target


@check_arguments()
def show(drawn: Figure) -> None:
    """Show a figure in the running notebook, else in the system's image viewer.

    Where there is none, one sentence on standard error says what to do instead.
    """
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        shell.display.display(drawn)
        return
    if not _screen() or not _opened(drawn):
        sys.stderr.write("There is no image viewer here: use save(path), or show() in a notebook.\n")


def _screen() -> bool:
    """Return False where no window can open: on Linux, without a display."""
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    return not sys.platform.startswith("linux") or any(map(os.environ.get, displays))


def _opened(drawn: Figure) -> bool:
    """Open a figure in the system's viewer, and return whether there is one."""
    from PIL import Image, ImageShow

    with tempfile.TemporaryFile() as kept:
        drawn.savefig(kept, dpi=110, format="png", facecolor="white")
        kept.seek(0)
        return bool(ImageShow.show(Image.open(kept)))


def pixels(drawn: Figure, *, dpi: int = 150) -> UInt8[Array, "rows columns 3"]:
    """Return a figure as red, green and blue."""
    from PIL import Image

    written = io.BytesIO()
    drawn.savefig(written, dpi=dpi, format="png", facecolor="white")
    return np.array(Image.open(written).convert("RGB"))


def embed(drawn: Figure, words: str) -> str:
    """Return a figure as an HTML picture that carries its own data; ``words`` say what it shows."""
    written = io.BytesIO()
    drawn.savefig(written, dpi=90, format="png", facecolor="white")
    encoded = base64.b64encode(written.getvalue()).decode()
    style = "max-width:100%;height:auto;border-radius:4px"
    source = f"data:image/png;base64,{encoded}"
    return f'<img style="{style}" alt="{escape(words, quote=True)}" src="{source}">'

"""Lay panels out in a figure, and bring a figure to a file, a screen or a notebook."""

from __future__ import annotations

import base64
import html as escape
import io
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.render.colour import common_scales, scale_key
from xaimri.render.panel import Plane, cut, headline, plot, strongest_plane

PANEL, BAR = 3.1, 0.75
"""Width of a panel in inches, and how much of it a colour bar takes."""

MOST = 5
"""Panels side by side, at most, unless the caller says otherwise."""


def figure(explanation: Explanation, *, style: str = "side_by_side", **options: Any) -> Figure:
    """Return a figure of one explanation.

    Parameters
    ----------
    explanation
        What to draw. A volume is shown in three planes through its strongest voxel.
    style
        ``"side_by_side"``: the image, then the overlay (the superpixels too, where there are any); or
        a style of :func:`xaimri.render.plot` for a single panel.
    options
        Passed to :func:`xaimri.render.plot`.
    """
    if style == "side_by_side":
        styles = ["image", "overlay", *(["superpixels"] if explanation.regions is not None else [])]
    else:
        styles = [style]
    planes = (
        [None] if explanation.values.ndim == 2 else [strongest_plane(explanation, axis) for axis in range(3)]
    )
    if "plane" in options:
        planes = [options.pop("plane")]
    drawn, axes = _canvas(planes, len(styles), explanation)
    for row, plane in zip(axes, planes, strict=True):
        for ax, name in zip(row, styles, strict=True):
            shown = {"title": "image", "colourbar": False} if name == "image" and len(styles) > 1 else {}
            plot(explanation, ax, style=name, plane=plane, **{**shown, **options})
    _footnote(drawn, [explanation])
    return drawn


def grid(
    explanations: Sequence[Explanation], *, style: str = "overlay", columns: int | None = None, **options: Any
) -> Figure:
    """Return a figure that compares explanations of one image: one scale for all maps of one unit.

    Maps without regions are drawn as overlays where ``style`` is ``"superpixels"``.
    """
    if not explanations:
        raise InvalidInput("there is no explanation to draw: give at least one.")
    scales = common_scales(explanations)
    panels = len(explanations) + 1
    across = columns or -(-panels // -(-panels // MOST))
    down = -(-panels // across)
    plane = options.pop("plane", strongest_plane(explanations[0], 0))
    drawn, axes = _canvas([plane] * down, across, explanations[0])
    flat = [ax for row in axes for ax in row]
    plot(explanations[0], flat[0], style="image", title="image", plane=plane)
    for ax, explanation in zip(flat[1:], explanations, strict=False):
        own = "overlay" if style == "superpixels" and explanation.regions is None else style
        plot(explanation, ax, style=own, scale=scales[scale_key(explanation)], plane=plane, **options)
    for ax in flat[len(explanations) + 1 :]:
        ax.set_axis_off()
    _footnote(drawn, explanations)
    return drawn


def _canvas(planes: Sequence[Plane | None], columns: int, explanation: Explanation) -> tuple[Figure, Any]:
    """Make a figure with a row of axes per plane, each as high as its plane asks for."""
    shapes = [cut(explanation.values, plane, explanation).shape for plane in planes]
    aspects = [min(max(height / width, 0.5), 1.6) for height, width in shapes]
    size = (PANEL * columns + 0.6, sum((PANEL - BAR) * aspect + 0.5 for aspect in aspects) + 0.25)
    drawn = Figure(figsize=size, layout="compressed")
    return drawn, drawn.subplots(len(planes), columns, squeeze=False, height_ratios=aspects)


def _footnote(drawn: Figure, explanations: Sequence[Explanation]) -> None:
    """Write the caveats under the panels, each once."""
    texts = dict.fromkeys(f"{c.name}: {c.text}" for e in explanations for c in e.caveats)
    if texts:
        width = int(drawn.get_size_inches()[0] * 17)
        lines = "\n".join(textwrap.fill(text, width, subsequent_indent="    ") for text in texts)
        drawn.set_size_inches(
            drawn.get_size_inches()[0], drawn.get_size_inches()[1] + 0.14 * (lines.count("\n") + 1)
        )
        drawn.supxlabel(lines, fontsize=6.5, x=0.01, ha="left", color="0.35")


def save(drawn: Figure, path: str | Path, *, dpi: int = 150) -> Path:
    """Write a figure whole or not at all; the suffix decides between png, pdf, svg and jpg."""
    target = Path(path)
    kinds = set(drawn.canvas.get_supported_filetypes())
    if target.suffix[1:].lower() not in kinds:
        raise InvalidInput(f"`{target.name}` must end in .png, .pdf, .svg or .jpg to be drawn into.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as partial:
            written = Path(partial) / target.name
            drawn.savefig(written, dpi=dpi, facecolor="white")
            written.replace(target)
    except OSError as failure:
        raise InvalidInput(
            f"`{target}` can't be written ({failure.strerror}): give another place."
        ) from failure
    return target


def show(drawn: Figure) -> None:
    """Show a figure in the running notebook, else in the system's image viewer."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        shell.display.display(drawn)
        return
    from PIL import Image

    with tempfile.TemporaryFile() as kept:
        drawn.savefig(kept, dpi=110, format="png", facecolor="white")
        kept.seek(0)
        Image.open(kept).show()


def html(explanation: Explanation) -> str:
    """Return an explanation as a picture in HTML, for notebooks."""
    return embedded(figure(explanation), headline(explanation).replace("\n", ": "))


def embedded(drawn: Figure, words: str) -> str:
    """Return a figure as an HTML picture that carries its own data; ``words`` say what it shows."""
    written = io.BytesIO()
    drawn.savefig(written, dpi=90, format="png", facecolor="white")
    encoded = base64.b64encode(written.getvalue()).decode()
    return f'<img alt="{escape.escape(words, quote=True)}" src="data:image/png;base64,{encoded}">'

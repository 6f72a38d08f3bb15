"""Lay panels out in a figure, and bring a figure to a file, a screen or a notebook."""

from __future__ import annotations

import base64
import html as escape
import io
import os
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xaimri.archive import whole_file
from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.render.colour import Scale, common_scales, scale_key
from xaimri.render.panel import COLUMNS, DOTS, MOST_REGIONS, draw_colourbar, headline, plot
from xaimri.render.planes import Plane, cut, pixel_aspect, strongest_plane, strongest_planes

PANEL, BAR = 3.1, 0.75
"""Width of a panel in inches, and how much of it a colour bar takes."""

MOST = 5
"""Panels side by side, at most, unless the caller says otherwise."""


@check_arguments()
def figure(explanation: Explanation, *, style: str = "side_by_side", **options: Any) -> Figure:
    """Return a figure of one explanation.

    Parameters
    ----------
    explanation
        What to draw. A volume is shown in three planes, each the one across its axis whose absolute values
        sum to most within the object; thin lines show where the others lie.
    style
        ``"side_by_side"``: the image, then the overlay (the superpixels too, where there are any, and
        the chart, where their errors are known); or a style of :func:`xaimri.render.plot` alone.
    options
        Passed to :func:`xaimri.render.plot`.
    """
    styles = _panels(explanation) if style == "side_by_side" else [style]
    maps = [name for name in styles if name != "chart"]
    if not maps:
        drawn = Figure(figsize=(4.2, 3.6), layout="constrained")
        bars = plot(explanation, drawn.subplots(), style="chart", **options)
        drawn.set_figheight(max(3.6, 1.3 + 0.16 * len(bars.get_yticks())))
        _footnote(drawn, [explanation])
        return drawn
    planes = [options.pop("plane")] if "plane" in options else strongest_planes(explanation)
    drawn, axes = _canvas(planes, len(maps), explanation, chart=len(maps) < len(styles))
    if len(maps) < len(styles):
        options.setdefault("k", MOST_REGIONS["chart"])
        plot(explanation, drawn.axes[-1], style="chart", **{"title": "strongest regions", **options})
    for place, (row, plane) in enumerate(zip(axes, planes, strict=True)):
        for ax, name in zip(row, maps, strict=True):
            shown: dict[str, Any] = {"title": "image"} if name == "image" and len(maps) > 1 else {}
            if place:
                shown["title"] = ""
            if len(planes) > 1:
                shown["colourbar"] = False
            plot(explanation, ax, style=name, plane=plane, **{**shown, **options, **shown})
            _crosshair(ax, plane, planes)
    if len(planes) > 1 and "overlay" in maps and options.get("colourbar", True):
        _one_bar([row[maps.index("overlay")] for row in axes], explanation, options)
    _footnote(drawn, [explanation])
    return drawn


def _one_bar(axes: list[Axes], explanation: Explanation, options: dict[str, Any]) -> None:
    """Draw one colour bar for all planes of a volume; none for an empty map."""
    own = {name: options.get(name) for name in ("colours", "limit")}
    if explanation.values.any():
        scale = options.get("scale") or Scale.of([explanation.values], **own)
        draw_colourbar(axes, scale, explanation.unit)


def _crosshair(ax: Axes, plane: Plane | None, planes: Sequence[Plane | None]) -> None:
    """Draw thin lines where the other planes cut this one."""
    if plane is None or len(planes) != 3:
        return
    across = [other[1] for other in planes if other is not None and other[0] != plane[0]]
    ax.axhline(across[0], color="white", linewidth=0.5, linestyle=":", alpha=0.7)
    ax.axvline(across[1], color="white", linewidth=0.5, linestyle=":", alpha=0.7)


def _panels(explanation: Explanation) -> list[str]:
    """Return the styles that stand side by side."""
    regions = explanation.regions
    if regions is None:
        return ["image", "overlay"]
    return ["image", "overlay", "superpixels", *([] if regions.errors is None else ["chart"])]


@check_arguments(columns=COLUMNS)
def grid(
    explanations: Sequence[Explanation], *, style: str = "overlay", columns: int | None = None, **options: Any
) -> Figure:
    """Return a figure that compares explanations of one image: one scale for all maps of one unit.

    Maps without regions are drawn as overlays where ``style`` is ``"superpixels"`` or ``"chart"``.
    """
    if not explanations:
        raise InvalidInput("there is no explanation to draw: give at least one.")
    scales = common_scales(
        explanations, colours=options.pop("colours", None), limit=options.pop("limit", None)
    )
    panels = len(explanations) + 1
    across = columns or -(-panels // -(-panels // MOST))
    down = -(-panels // across)
    plane = options.pop("plane", strongest_plane(explanations[0], 0))
    drawn, axes = _canvas([plane] * down, across, explanations[0])
    flat = [ax for row in axes for ax in row]
    plot(explanations[0], flat[0], style="image", title="image", plane=plane)
    for ax, explanation in zip(flat[1:], explanations, strict=False):
        own = "overlay" if style in MOST_REGIONS and explanation.regions is None else style
        plot(explanation, ax, style=own, scale=scales[scale_key(explanation)], plane=plane, **options)
    if style == "chart":
        _share_ranges(flat[1:], explanations)
    for ax in flat[len(explanations) + 1 :]:
        ax.set_axis_off()
    _footnote(drawn, explanations)
    return drawn


def _share_ranges(axes: Sequence[Axes], explanations: Sequence[Explanation]) -> None:
    """Let the charts of one unit reach equally far, with their error bars."""
    charts: dict[str, list[Axes]] = {}
    for ax, explanation in zip(axes, explanations, strict=False):
        if explanation.regions is not None:
            charts.setdefault(scale_key(explanation), []).append(ax)
    for group in charts.values():
        ends = [end for ax in group for end in ax.get_xlim()]
        for ax in group:
            ax.set_xlim(min(ends), max(ends))


def _canvas(
    planes: Sequence[Plane | None], columns: int, explanation: Explanation, *, chart: bool = False
) -> tuple[Figure, Any]:
    """Make a figure with a row of axes per plane, each as high as its plane asks for.

    A chart, the last of the figure's axes then, stands to the right of all rows.
    """
    shapes = [cut(explanation.values, plane, explanation).shape for plane in planes]
    pixels = [pixel_aspect(explanation, plane) for plane in planes]
    aspects = [
        min(max(height / width * pixel, 0.5), 1.6)
        for (height, width), pixel in zip(shapes, pixels, strict=True)
    ]
    width, height = PANEL * columns + 0.6, sum((PANEL - BAR) * aspect + 0.5 for aspect in aspects) + 0.25
    drawn = Figure(figsize=(width + PANEL * chart, height), layout="compressed")
    shape = drawn.add_gridspec(len(planes), columns + chart, height_ratios=aspects)
    axes = [
        [drawn.add_subplot(shape[row, column]) for column in range(columns)] for row in range(len(planes))
    ]
    if chart:
        drawn.add_subplot(shape[:, -1])
    return drawn, axes


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


@check_arguments(dpi=DOTS)
def save(drawn: Figure, path: str | Path, *, dpi: int = 150) -> Path:
    """Write a figure whole or not at all; the suffix decides between png, pdf, svg and jpg."""
    target = Path(path)
    kinds = set(drawn.canvas.get_supported_filetypes())
    if target.suffix[1:].lower() not in kinds:
        raise InvalidInput(f"`{target.name}` must end in .png, .pdf, .svg or .jpg to be drawn into.")
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


@check_arguments()
def html(explanation: Explanation) -> str:
    """Return an explanation as a picture in HTML, for notebooks."""
    return embed(figure(explanation), headline(explanation).replace("\n", ": "))


def embed(drawn: Figure, words: str) -> str:
    """Return a figure as an HTML picture that carries its own data; ``words`` say what it shows."""
    written = io.BytesIO()
    drawn.savefig(written, dpi=90, format="png", facecolor="white")
    encoded = base64.b64encode(written.getvalue()).decode()
    return f'<img alt="{escape.escape(words, quote=True)}" src="data:image/png;base64,{encoded}">'

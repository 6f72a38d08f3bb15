"""Lay the panels of an explanation, or of several, out in a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.planes import Plane, Turn
from xaimri.render.colour import Scale, common_scales, scale_key
from xaimri.render.colourbar import draw_colourbar
from xaimri.render.frame import even_columns, finish
from xaimri.render.glass import glass
from xaimri.render.mosaic import mosaic
from xaimri.render.panel import COLUMNS, MOST_REGIONS, Style, plot
from xaimri.render.planes import PLACE, VOXEL, cut, pixel_aspect, point_of, strongest_plane, strongest_planes
from xaimri.rules import Choice

PANEL, BAR = 3.1, 0.75
"""Width of a panel in inches, and how much of it a colour bar takes."""

LEAST = 3.2
"""Height of a figure with a chart in inches, at least."""

STYLES = ("side_by_side", *get_args(Style), "mosaic", "glass")
"""Ways to draw an explanation."""

MOST = 5
"""Panels side by side, at most, unless the caller says otherwise."""


@check_arguments(style=Choice(STYLES), at=VOXEL, at_mm=PLACE)
def figure(
    explanation: Explanation,
    *,
    style: str = "side_by_side",
    at: Sequence[int] | None = None,
    at_mm: Sequence[float] | None = None,
    heading: str | None = None,
    footnote: bool = True,
    **options: Any,
) -> Figure:
    """Return a figure of one explanation.

    Parameters
    ----------
    explanation
        What to draw. A volume is shown in three planes, each the one across its axis whose absolute values
        sum to most within the object; thin lines show where the others lie.
    style
        ``"side_by_side"``: the image, then the overlay; of a method that works on regions, its strongest
        superpixels, then their chart. ``"mosaic"``: planes of a volume, see :func:`xaimri.render.mosaic`;
        ``"glass"``: a volume seen through, see :func:`xaimri.render.glass`. Or a style of
        :func:`xaimri.render.plot` alone.
    at, at_mm
        Where the three planes of a volume cross instead: indices of a voxel, or a place in mm.
    heading
        Written over all panels, such as the file's name.
    footnote
        Write the caveats under the panels.
    options
        Passed to :func:`xaimri.render.plot` or, for ``"mosaic"`` and ``"glass"``, to the function of that
        name.
    """
    point = point_of(explanation, at, at_mm)
    if point is not None:
        if style in ("mosaic", "glass", "chart") or "plane" in options:
            shown = "`plane`" if "plane" in options else f"style={style!r}"
            raise InvalidInput(f"`at` is a point of three planes, and {shown} shows others: leave one out.")
        options["planes"] = list(enumerate(point))
    if style == "mosaic":
        drawn = mosaic(explanation, **options)
    elif style == "glass":
        drawn = glass(explanation, **options)
    elif style == "chart":
        drawn = _bars(explanation, **options)
    else:
        drawn = _planes(explanation, _panels(explanation) if style == "side_by_side" else [style], **options)
    sides = style != "chart"
    finish(drawn, [explanation], heading=heading, footnote=footnote, sides=sides)
    return drawn


def _bars(explanation: Explanation, **options: Any) -> Figure:
    """Draw the chart alone, as high as its bars ask for."""
    drawn = Figure(figsize=(4.2, 3.6), layout="constrained")
    bars = plot(explanation, drawn.subplots(), style="chart", **options)
    drawn.set_figheight(max(3.6, 1.3 + 0.16 * len(bars.get_yticks())))
    return drawn


def _planes(explanation: Explanation, styles: Sequence[str], **options: Any) -> Figure:
    """Draw styles side by side: a row for a slice, three for a volume, and one chart for all of them."""
    planes = options.pop("planes", None) or (
        [options.pop("plane")] if "plane" in options else strongest_planes(explanation)
    )
    maps = [name for name in styles if name != "chart"]
    charted = len(maps) < len(styles)
    drawn, axes = _canvas(planes, len(maps), explanation, chart=charted)
    if charted:  # the numbers of its bars are in the picture
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
            _crosshair(ax, explanation, plane, planes)
    if len(planes) > 1 and "overlay" in maps and options.get("colourbar", True):
        _one_bar([row[maps.index("overlay")] for row in axes], explanation, options)
    return drawn


def _one_bar(axes: list[Axes], explanation: Explanation, options: dict[str, Any]) -> None:
    """Draw one colour bar for all planes of a volume; none for an empty map."""
    own = {name: options.get(name) for name in ("colours", "limit")}
    if explanation.values.any():
        scale = options.get("scale") or Scale.of([explanation.values], **own)
        draw_colourbar(axes, scale, explanation.unit, hatch=bool(options.get("hatch")))


def _crosshair(
    ax: Axes, explanation: Explanation, plane: Plane | None, planes: Sequence[Plane | None]
) -> None:
    """Draw thin lines where the other planes cut this one."""
    if plane is None or len(planes) != 3:
        return
    turn, shape = Turn.of(plane, explanation.affine), explanation.values.shape
    places = {axis: turn.place(axis, index, shape) for axis, index in filter(None, planes)}
    ax.axhline(places[turn.down], color="white", linewidth=0.5, linestyle=":", alpha=0.7)
    ax.axvline(places[turn.right], color="white", linewidth=0.5, linestyle=":", alpha=0.7)


def _panels(explanation: Explanation) -> list[str]:
    """Return the styles that stand side by side."""
    return ["image", "overlay"] if explanation.regions is None else ["superpixels", "chart"]


@check_arguments(columns=COLUMNS)
def grid(
    explanations: Sequence[Explanation],
    *,
    style: str = "overlay",
    columns: int | None = None,
    heading: str | None = None,
    footnote: bool = True,
    **options: Any,
) -> Figure:
    """Return a figure that compares explanations of one image: one scale for all maps of one unit.

    Maps without regions are drawn as overlays where ``style`` is ``"superpixels"`` or ``"chart"``. The other
    arguments are those of :func:`xaimri.render.figure`.
    """
    if not explanations:
        raise InvalidInput("there is no explanation to draw: give at least one.")
    scales = common_scales(
        explanations, colours=options.pop("colours", None), limit=options.pop("limit", None)
    )
    panels = len(explanations) + 1
    across = even_columns(panels, columns, MOST)
    down = -(-panels // across)
    plane = options.pop("plane", strongest_plane(explanations[0]))
    drawn, axes = _canvas([plane] * down, across, explanations[0])
    flat = [ax for row in axes for ax in row]
    options.setdefault("ticks", False)
    shown = {name: options[name] for name in ("window", "ticks") if name in options}
    plot(explanations[0], flat[0], style="image", title="image", plane=plane, **shown)
    for ax, explanation in zip(flat[1:], explanations, strict=False):
        own = "overlay" if style in MOST_REGIONS and explanation.regions is None else style
        plot(explanation, ax, style=own, scale=scales[scale_key(explanation)], plane=plane, **options)
    if style == "chart":
        _share_ranges(flat[1:], explanations)
    for ax in flat[len(explanations) + 1 :]:
        ax.set_axis_off()
    finish(drawn, explanations, heading=heading, footnote=footnote, sides=style != "chart")
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
    tall = [height / width * pixel for (height, width), pixel in zip(shapes, pixels, strict=True)]
    aspects = [min(max(aspect, 0.5), 1.6) for aspect in tall]
    width, height = PANEL * columns + 0.6, sum((PANEL - BAR) * aspect + 0.5 for aspect in aspects) + 0.25
    drawn = Figure(
        figsize=(width + PANEL * chart, max(height, LEAST * chart)),
        layout="compressed" if aspects == tall else "constrained",  # titles are wider than tall images
    )
    shape = drawn.add_gridspec(len(planes), columns + chart, height_ratios=aspects)
    axes = [
        [drawn.add_subplot(shape[row, column]) for column in range(columns)] for row in range(len(planes))
    ]
    if chart:
        drawn.add_subplot(shape[:, -1])
    return drawn, axes

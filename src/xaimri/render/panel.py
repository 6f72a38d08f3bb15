"""Draw one explanation into one matplotlib axes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation, Regions
from xaimri.images.planes import Plane, Turn, plane_name
from xaimri.images.window import Window
from xaimri.kinds import Anything
from xaimri.render.bars import draw_chart
from xaimri.render.colour import Scale, as_rgb, drawn_window
from xaimri.render.colourbar import draw_colourbar
from xaimri.render.contours import draw_contours
from xaimri.render.fade import FADED, PALE, certain, note
from xaimri.render.hatching import FAINT, draw_hatching
from xaimri.render.planes import cut, pixel_aspect, strongest_plane
from xaimri.render.reduction import Reduction
from xaimri.render.superpixels import draw_superpixels
from xaimri.render.ticks import draw_ticks
from xaimri.rules import OrNone, WholeNumber

Style: TypeAlias = Literal["overlay", "contours", "superpixels", "chart", "image"]

COLUMNS = OrNone(WholeNumber(1, most=100))
"""The rule for panels side by side."""

DOTS = WholeNumber(10, most=2400)
"""The rule for the dots per inch of a file."""

MOST_REGIONS = {"superpixels": 5, "chart": 10}
"""How many regions a style shows unless the caller says otherwise."""


@check_arguments(window=Anything())
def plot(
    explanation: Explanation,
    ax: Axes | None = None,
    *,
    style: str = "overlay",
    scale: Scale | None = None,
    plane: Plane | None = None,
    k: int | None = None,
    fade: bool = True,
    colourbar: bool = True,
    title: str | None = None,
    colours: str | None = None,
    limit: float | None = None,
    hatch: bool = False,
    window: Window | Sequence[float] | None = None,
    ticks: bool | None = None,
) -> Axes:
    """Draw an explanation; nothing outside the axes' figure is touched.

    Parameters
    ----------
    explanation
        What to draw.
    ax
        Where to draw; None makes a figure of its own.
    style
        ``"overlay"``: colours on the image, transparent at zero; ``"contours"``: lines at a quarter, half
        and three quarters of the strongest value; ``"superpixels"``: the ``k`` strongest regions of
        either sign with their borders and numbers; ``"chart"``: a bar for each of them, with its 95 %
        interval (1.96 standard errors to either side) where the method tells errors; ``"image"``: the
        image alone.
    scale
        The colour scale; None takes the explanation's own.
    plane
        Of a volume: axis and index of the plane; None takes the strongest across the first axis: the one
        whose absolute values sum to most within the object.
    k
        How many regions ``"superpixels"`` (None: 5) and ``"chart"`` (None: 10) show.
    fade
        Draw pale what can't be told from zero, where the method tells errors: pixels and regions whose
        own 95 % interval holds 0.
    colourbar
        Draw the colour bar, with the unit.
    title
        None writes the method, the class and its probability.
    colours
        Name of a matplotlib colour map, such as ``"viridis"`` or, for both signs, ``"coolwarm"``; None takes
        this package's own. The opacity follows the absolute value. Colour images are drawn in grey under a
        map.
    limit
        Absolute value with the strongest colour; None takes the map's largest.
    hatch
        Hatch what speaks against the class, in ``"overlay"`` and ``"superpixels"``: both signs can be told in
        grey print. In ``"contours"`` lines against the class are always broken.
    window
        Intensities that are drawn black and white, such as ``(0, 80)``, or a `Window`: a level of 40 and a
        width of 80 say the same. None takes the least and the largest of the image.
    ticks
        Write places in mm beside a plane of a volume. None does where they are known: where the affine is
        given and its axes lie along those of the world.

    Raises
    ------
    InvalidInput
        If the style is unknown, or needs regions that the method does not give, or ``k`` is no number
        of regions.
    """
    if style not in get_args(Style):
        raise InvalidInput(
            f"`style` must be one of {', '.join(map(repr, get_args(Style)))}, got {shown(style)}."
        )
    if scale is not None and (colours is not None or limit is not None):
        raise InvalidInput("`scale` has its own colours and limit: give it alone, or leave it out.")
    if ax is None:
        ax = Figure(figsize=(5, 4.6), layout="constrained").subplots()
    words = _wrap(headline(explanation), ax) if title is None else title
    if style == "chart":
        bars = _regions(explanation, style)
        above = draw_chart(ax, bars, explanation.unit, _count(k, style), fade=fade)
        ax.set_title(words, fontsize=9, pad=18 if above else None, parse_math=False)
        return ax
    chosen = plane if plane is not None else strongest_plane(explanation)
    scale = scale or Scale.of([explanation.values], colours=colours, limit=limit)
    draw_ticks(ax, explanation, chosen, ticks)
    black = drawn_window(explanation.image, window)
    _draw(ax, explanation, chosen, scale, style=style, k=k, fade=fade, hatch=hatch, window=black)
    if colourbar and style == "overlay" and explanation.values.any():
        draw_colourbar(ax, scale, explanation.unit, hatch=hatch)
    words += f"\n{plane_name(chosen, explanation.affine, explanation.values.shape)}" if chosen else ""
    ax.set_title(words, fontsize=9, parse_math=False)
    return ax


def _draw(
    ax: Axes, explanation: Explanation, plane: Plane | None, scale: Scale,
    *, style: str, k: int | None, fade: bool, hatch: bool, window: tuple[float, float],
) -> None:  # fmt: skip
    """Draw a plane of the image, and the map on it."""
    values, picture = (cut(each, plane, explanation) for each in (explanation.values, explanation.image))
    reduction = Reduction.of(values.shape)
    ground = as_rgb(reduction.mean(picture), *window, grey=style != "image")
    ax.imshow(ground, interpolation="nearest", extent=reduction.extent)
    if style == "superpixels":
        regions = _regions(explanation, style)
        labels = cut(regions.labels, plane, explanation)
        draw_superpixels(ax, regions, labels, _count(k, style), fade=fade)
        if hatch:
            cool = [r for r in regions.strongest(_count(k, style)) if regions.values[r] < 0]
            draw_hatching(ax, reduction.central(np.isin(labels, cool)), reduction.extent)
    elif style != "image" and not explanation.values.any():
        say_empty(ax)
    elif style == "overlay":
        told = certain(explanation) if fade else None
        sure = np.ones(values.shape, bool) if told is None else cut(told, plane, explanation)
        _overlay(ax, values, sure, reduction, scale, fade=told is not None)
        if hatch:
            against = reduction.extreme(values)[0] < -FAINT * scale.limit
            draw_hatching(ax, against, reduction.extent)
    elif style == "contours":
        draw_contours(ax, reduction.extreme(values)[0], reduction, scale, explanation.unit)
    if plane is not None:
        say_sides(ax, Turn.of(plane, explanation.affine).ends)
    height, width = values.shape
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect=pixel_aspect(explanation, plane))


def headline(explanation: Explanation) -> str:
    """Return what a panel shows, in two lines: the method with the layer and its cells, and the question."""
    method = ", ".join([title_of(explanation.method), *_opened(explanation.diagnostics)])
    return f"{method}\n{verdict(explanation, 2)}"


def verdict(explanation: Explanation, digits: int) -> str:
    """Return what is explained, and how probable that is: both classes, where one is held against another."""
    named = [explanation.target, *([] if explanation.against is None else [explanation.against])]
    probable = " and ".join(f"{float(explanation.probabilities[n]):.{digits}f}" for n in named)
    return f"{explanation.question}, p = {probable}"


def _opened(diagnostics: Mapping[str, Any]) -> list[str]:
    """Return the layer that a class activation map opened, by the last part of its path, and its cells."""
    layer, cells = diagnostics.get("layer"), diagnostics.get("cells")
    if not layer or not cells:
        return []
    names = " + ".join(path.rsplit("/", 1)[-1] for path in str(layer).split(" + "))
    return [f"{names} ({' x '.join(map(str, cells))} cells)"]


def title_of(record: Mapping[str, Any], name: str | None = None) -> str:
    """Return how a recorded method is written: its title, or the name that the user gave it instead.

    Examples
    --------
    >>> record = {"name": "gradcam", "title": "Grad-CAM", "settings": {}}
    >>> title_of(record), title_of(record, "gradcam"), title_of(record, "mine")
    ('Grad-CAM', 'Grad-CAM', 'mine')
    """
    own = str(record["name"])
    return name if name is not None and name != own else str(record.get("title", own))


def _wrap(words: str, ax: Axes) -> str:
    """Break lines that would reach into the next panel, at 0.075 inches a letter; not inside brackets."""
    figure: Any = ax.figure
    whole = re.sub(r"\(.*?\)", lambda part: part[0].replace(" ", "\u00a0"), words)
    width = int(ax.get_window_extent().width / figure.dpi / 0.075)
    return "\n".join(textwrap.fill(line, max(width, 10)) for line in whole.splitlines())


def say_sides(ax: Axes, ends: tuple[str, str] | None) -> None:
    """Write at both sides what lies there: R and L are the patient's own."""
    for letter, place, side in zip(ends or (), (0.02, 0.98), ("left", "right"), strict=False):
        ax.text(
            place, 0.5, letter, transform=ax.transAxes, ha=side, va="center", fontsize=8, color="white",
            weight="bold",  # at few dots an inch a thin L loses its foot, and looks like I
            path_effects=[withStroke(linewidth=1.6, foreground="black")],
        )  # fmt: skip


def say_empty(ax: Axes) -> None:
    """Say that there is nothing to draw, where an image alone would look like a map of little."""
    ax.text(
        0.5, 0.5, "every value is 0", transform=ax.transAxes, ha="center", va="center", fontsize=8,
        color="0.2", bbox={"facecolor": "white", "edgecolor": "none"}, zorder=3,
    )  # fmt: skip


def _overlay(ax: Axes, values: Array, sure: Array, reduction: Reduction, scale: Scale, *, fade: bool) -> None:
    """Draw the map in colours; what can't be told from zero keeps less of its opacity."""
    values, sure = reduction.extreme(values, sure)
    drawn = ax.imshow(
        values, cmap=scale.colours, norm=scale.norm, interpolation="nearest", extent=reduction.extent
    )
    if not fade:
        return
    drawn.set_alpha(np.where(sure, 1.0, PALE))
    if (~sure & (np.nan_to_num(values) != 0)).any():
        note(ax, FADED)


def _regions(explanation: Explanation, style: str) -> Regions:
    if explanation.regions is None:
        raise InvalidInput(
            f"{explanation.method['name']!r} gives no regions to draw as "
            f"{'a chart' if style == 'chart' else style}: "
            'use style="overlay", or explain with method="lime".'
        )
    return explanation.regions


def _count(k: int | None, style: str) -> int:
    """Return how many regions to show."""
    if k is None:
        return MOST_REGIONS[style]
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidInput(f"`k` must be a whole number of at least 1, got {shown(k)}.")
    return int(k)

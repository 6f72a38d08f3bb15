"""Draw one explanation into one matplotlib axes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation, Regions
from xaimri.kinds import Several
from xaimri.render.bars import draw_chart
from xaimri.render.colour import BACKDROP, COOL, WARM, Scale, as_rgb
from xaimri.render.fade import PALE, certain, note
from xaimri.render.superpixels import draw_superpixels
from xaimri.rules import OrNone, WholeNumber

Style: TypeAlias = Literal["overlay", "contours", "superpixels", "chart", "image"]

Plane: TypeAlias = tuple[int, int]
"""Axis and index of a plane of a volume."""

PLANE = Several(WholeNumber(), 2)
"""The rule for a plane: two whole numbers."""

COLUMNS = OrNone(WholeNumber(1, most=100))
"""The rule for panels side by side."""

DOTS = WholeNumber(10, most=2400)
"""The rule for the dots per inch of a file."""

MOST_REGIONS = {"superpixels": 5, "chart": 10}
"""How many regions a style shows unless the caller says otherwise."""


@check_arguments()
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
        Of a volume: axis and index of the plane; None takes the one through the strongest voxel.
    k
        How many regions ``"superpixels"`` (None: 5) and ``"chart"`` (None: 10) show.
    fade
        Draw pale what can't be told from zero, where the method tells errors: pixels and regions whose
        own 95 % interval holds 0.
    colourbar
        Draw the colour bar, with the unit.
    title
        None writes the method, the class and its probability.

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
    if ax is None:
        ax = Figure(figsize=(5, 4.6), layout="constrained").subplots()
    words = _wrap(headline(explanation), ax) if title is None else title
    if style == "chart":
        bars = _regions(explanation, style)
        above = draw_chart(ax, bars, explanation.unit, _count(k, style), fade=fade)
        ax.set_title(words, fontsize=9, pad=18 if above else None)
        return ax
    chosen = plane if plane is not None else strongest_plane(explanation, 0)
    ax.imshow(cut(as_rgb(explanation.image), chosen, explanation), interpolation="nearest")
    scale = scale or Scale.of([explanation.values])
    if style == "overlay":
        _overlay(ax, explanation, chosen, scale, fade=fade)
    elif style == "contours":
        _contours(ax, cut(explanation.values, chosen, explanation), scale)
    elif style == "superpixels":
        regions = _regions(explanation, style)
        labels = cut(regions.labels, chosen, explanation)
        draw_superpixels(ax, regions, labels, _count(k, style), fade=fade)
    if colourbar and style == "overlay":
        draw_colourbar(ax, scale, explanation.unit)
    ax.set_axis_off()
    ax.set_title(words + (f"\naxis {chosen[0]}, plane {chosen[1]}" if chosen else ""), fontsize=9)
    return ax


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


def draw_colourbar(ax: Axes | list[Axes], scale: Scale, unit: str) -> None:
    """Draw the scale beside one axes or several, on the grey of tissue, with zero marked."""
    figure: Any = (ax[0] if isinstance(ax, list) else ax).figure
    bar = figure.colorbar(ScalarMappable(scale.norm, scale.colours), ax=ax, fraction=0.046, pad=0.03)
    bar.ax.set_facecolor((BACKDROP,) * 3)
    bar.ax.tick_params(labelsize=7)
    bar.ax.ticklabel_format(style="sci", scilimits=(-3, 4))
    bar.ax.yaxis.get_offset_text().set_fontsize(7)
    bar.set_label(f"attribution ({unit})", fontsize=8)
    if scale.signed:
        bar.ax.axhline(0, color="white", linewidth=0.8)


def strongest_plane(explanation: Explanation, axis: int) -> Plane | None:
    """Return the plane of a volume through its strongest voxel; None for a slice."""
    if explanation.values.ndim == 2:
        return None
    strength = np.abs(np.nan_to_num(explanation.values))
    peak = (
        np.unravel_index(int(strength.argmax()), strength.shape)
        if strength.any()
        else np.array(strength.shape) // 2
    )
    return axis, int(peak[axis])


def cut(array: Array, plane: Plane | None, explanation: Explanation) -> Array:
    """Take a plane out of a volume, drawn with its first axis upwards; a slice is its own plane."""
    if plane is None:
        return array
    axis, index = cast(Plane, PLANE.convert(plane, "plane"))
    if not (
        0 <= axis < explanation.values.ndim
        and -explanation.values.shape[axis] <= index < explanation.values.shape[axis]
    ):
        raise InvalidInput(
            f"`plane` must be (axis, index) inside the volume {explanation.values.shape}, got {plane}."
        )
    plane_of: Array = np.take(array, index, axis=axis)
    return plane_of


def _contours(ax: Axes, values: Array, scale: Scale) -> None:
    fractions = np.array([0.25, 0.5, 0.75])
    finite = np.nan_to_num(values)
    for sign, colour in ((1, WARM), (-1, COOL)):
        if (sign * finite).max() > fractions[0] * scale.limit:
            ax.contour(
                sign * finite, levels=fractions * scale.limit, colors=colour, linewidths=[0.8, 1.2, 1.8]
            )


def _overlay(ax: Axes, explanation: Explanation, plane: Plane | None, scale: Scale, *, fade: bool) -> None:
    """Draw the map in colours; what can't be told from zero keeps less of its opacity."""
    values = cut(explanation.values, plane, explanation)
    drawn = ax.imshow(values, cmap=scale.colours, norm=scale.norm, interpolation="nearest")
    told = certain(explanation) if fade else None
    if told is None:
        return
    sure = cut(told, plane, explanation)
    drawn.set_alpha(np.where(sure, 1.0, PALE))
    if (~sure & (np.nan_to_num(values) != 0)).any():
        note(ax)


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

"""Draw one explanation into one matplotlib axes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.render.colour import BACKDROP, Scale, displayed

Style: TypeAlias = Literal["overlay", "contours", "superpixels", "image"]

Plane: TypeAlias = tuple[int, int]
"""Axis and index of a plane of a volume."""

WARM, COOL, LINE = "#ff8a3c", "#4fa8ff", "#f5e663"


def plot(
    explanation: Explanation,
    ax: Axes | None = None,
    *,
    style: str = "overlay",
    scale: Scale | None = None,
    plane: Plane | None = None,
    k: int = 5,
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
        either sign with their borders; ``"image"``: the image alone.
    scale
        The colour scale; None takes the explanation's own.
    plane
        Of a volume: axis and index of the plane; None takes the one through the strongest voxel.
    k
        How many regions ``"superpixels"`` shows.
    colourbar
        Draw the colour bar, with the unit.
    title
        None writes the method, the class and its probability.

    Raises
    ------
    InvalidInput
        If the style is unknown, or needs regions that the method does not give.
    """
    if style not in get_args(Style):
        raise InvalidInput(f"`style` must be one of {', '.join(map(repr, get_args(Style)))}, got {style!r}.")
    if ax is None:
        ax = Figure(figsize=(5, 4.6), layout="constrained").subplots()
    chosen = plane if plane is not None else strongest_plane(explanation, 0)
    scale = scale or Scale.of([explanation.values])
    ax.imshow(cut(displayed(explanation.image), chosen, explanation), interpolation="nearest")
    values = cut(explanation.values, chosen, explanation)
    if style == "overlay":
        ax.imshow(values, cmap=scale.colours, norm=scale.norm, interpolation="nearest")
    elif style == "contours":
        _contours(ax, values, scale)
    elif style == "superpixels":
        _superpixels(ax, explanation, chosen, k)
    if colourbar and style == "overlay":
        draw_colourbar(ax, scale, explanation.unit)
    ax.set_axis_off()
    words = headline(explanation) if title is None else title
    ax.set_title(words + (f"\naxis {chosen[0]}, plane {chosen[1]}" if chosen else ""), fontsize=9)
    return ax


def headline(explanation: Explanation) -> str:
    """Return what a panel shows, in two lines."""
    name = str(explanation.method["name"])
    layer = explanation.method["settings"].get("layer")
    method = NAMES.get(name, name) + (f", {str(layer).rsplit('/', 1)[-1]}" if layer else "")
    return f"{method}\n{explanation.target_class}, p = {explanation.probabilities[explanation.target]:.2f}"


NAMES = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "scorecam": "Score-CAM",
    "eigencam": "Eigen-CAM",
    "saliency": "Saliency",
    "input_x_gradient": "Input x gradient",
    "integrated_gradients": "Integrated gradients",
    "expected_gradients": "Expected gradients",
    "smoothgrad": "SmoothGrad",
    "vargrad": "VarGrad",
    "lime": "LIME",
}
"""How the methods are written in the literature."""


def draw_colourbar(ax: Axes, scale: Scale, unit: str) -> None:
    """Draw the scale beside an axes, on the grey of tissue, with zero marked."""
    figure: Any = ax.figure
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
    axis, index = plane
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


def _superpixels(ax: Axes, explanation: Explanation, plane: Plane | None, k: int) -> None:
    if explanation.regions is None:
        raise InvalidInput(
            f"{explanation.method['name']!r} gives no regions to draw as superpixels: "
            'use style="overlay", or explain with method="lime".'
        )
    labels = cut(explanation.regions.labels, plane, explanation)
    top = explanation.regions.strongest(k)
    tint = np.zeros((*labels.shape, 4))
    for region in top:
        tint[labels == region] = to_rgba(WARM if explanation.regions.values[region] > 0 else COOL, 0.45)
    ax.imshow(tint, interpolation="nearest")
    _outline(ax, labels, labels >= 0, LINE, 0.35)
    for sign, colour in ((1, WARM), (-1, COOL)):
        side = [r for r in top if explanation.regions.values[r] * sign > 0]
        _outline(ax, labels, np.isin(labels, side), colour, 1.6)


def _outline(ax: Axes, labels: Array, where: Array, colour: str, width: float) -> None:
    """Draw the borders of regions along the pixels' edges."""
    from matplotlib.collections import LineCollection

    shown = np.pad(np.where(where, labels, -1), 1, constant_values=-1)
    rows, columns = np.nonzero(shown[1:, :] != shown[:-1, :])
    lines = [((c - 1.5, r - 0.5), (c - 0.5, r - 0.5)) for r, c in zip(rows, columns, strict=True)]
    rows, columns = np.nonzero(shown[:, 1:] != shown[:, :-1])
    lines += [((c - 0.5, r - 1.5), (c - 0.5, r - 0.5)) for r, c in zip(rows, columns, strict=True)]
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=width))

"""A glass brain: the strongest value along every line of sight, within the outline of the head."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.foreground import foreground
from xaimri.images.planes import ACROSS, Turn, world_axes
from xaimri.render.colour import Scale, as_rgb
from xaimri.render.colourbar import draw_colourbar
from xaimri.render.fade import FADED, PALE, certain
from xaimri.render.panel import headline, say_empty, say_sides
from xaimri.render.planes import pixel_aspect
from xaimri.render.ticks import draw_ticks

SIDE = 2.9
"""Width of a panel in inches."""

FAINT = 0.4
"""How bright the head is drawn behind the map."""

OUTLINE = "0.75"


@check_arguments()
def glass(
    explanation: Explanation,
    *,
    scale: Scale | None = None,
    colours: str | None = None,
    limit: float | None = None,
    fade: bool = True,
    colourbar: bool = True,
    ticks: bool | None = None,
    title: str | None = None,
) -> Figure:
    """Return a figure of a volume seen through: of every line of sight, the value farthest from zero.

    Each of three panels looks along an axis of the volume. Behind the map stand the image's mean along the
    line, faintly, and the outline of the head. Depth is not seen: look at planes, too.

    Parameters
    ----------
    explanation
        Of a volume.
    scale, colours, limit, fade, colourbar, ticks, title
        As of :func:`xaimri.render.plot`.

    Raises
    ------
    InvalidInput
        If the explanation is of a slice.
    """
    if explanation.values.ndim != 3:
        raise InvalidInput('a glass brain shows a volume, and this is a slice: use style="overlay".')
    scale = scale or Scale.of([explanation.values], colours=colours, limit=limit)
    turns = [Turn.of((axis, 0), explanation.affine) for axis in range(3)]
    shape, pixels = explanation.values.shape, [pixel_aspect(explanation, (axis, 0)) for axis in range(3)]
    tall = [shape[turn.down] / shape[turn.right] * pixel for turn, pixel in zip(turns, pixels, strict=True)]
    drawn = Figure(figsize=(3 * SIDE + 0.8, SIDE * min(max(*tall, 0.5), 1.6) + 0.5), layout="constrained")
    axes = list(drawn.subplots(1, 3, squeeze=False).ravel())
    sure = certain(explanation) if fade else None
    faded = [
        _draw(ax, explanation, axis, turn, scale, sure)
        for axis, (ax, turn) in enumerate(zip(axes, turns, strict=True))
    ]
    for axis, ax in enumerate(axes):
        draw_ticks(ax, explanation, (axis, 0), ticks)
        ax.set(aspect=pixels[axis])
    if colourbar and explanation.values.any():
        draw_colourbar(axes, scale, explanation.unit)
    words = headline(explanation) if title is None else title
    said = ["the value farthest from zero along each line of sight", *([FADED] if any(faded) else [])]
    drawn.suptitle("\n".join([words, "; ".join(said)]), fontsize=9, parse_math=False)
    return drawn


def project(values: Array, axis: int, *others: Array) -> tuple[Array, ...]:
    """Return of every line along an axis the value farthest from zero, and what others hold there.

    Examples
    --------
    >>> [each.tolist() for each in project(np.array([[1.0, 2.0], [-3.0, 0.5]]), 0)]
    [[-3.0, 2.0]]
    """
    at = np.abs(np.nan_to_num(values, posinf=0.0, neginf=0.0)).argmax(axis=axis, keepdims=True)
    return tuple(np.take_along_axis(each, at, axis).squeeze(axis) for each in (values, *others))


def _draw(
    ax: Axes, explanation: Explanation, axis: int, turn: Turn, scale: Scale, sure: Array | None
) -> bool:
    """Draw one panel, and return whether some of it is faded."""
    told = np.ones(explanation.values.shape, bool) if sure is None else sure
    values, told = (turn.lay(each) for each in project(explanation.values, axis, told))
    image = explanation.image
    mean = turn.lay(image.mean(axis=axis))
    ax.imshow(as_rgb(mean, float(mean.min()), float(mean.max()), grey=True) * FAINT, interpolation="nearest")
    inside = turn.lay(np.asarray(foreground(image).any(axis=axis)))
    if not inside.all() and min(inside.shape) > 1:
        ax.contour(inside, levels=[0.5], colors=OUTLINE, linewidths=0.8)
    if explanation.values.any():
        over: Any = ax.imshow(values, cmap=scale.colours, norm=scale.norm, interpolation="nearest")
        over.set_alpha(np.where(told, 1.0, PALE))
    else:
        say_empty(ax)
    say_sides(ax, turn.ends)
    affine = explanation.affine
    ax.set_title(f"axis {axis}" if affine is None else ACROSS[world_axes(affine)[axis]], fontsize=8)
    return bool((~told & (np.nan_to_num(values) != 0)).any())

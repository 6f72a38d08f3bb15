"""A drawing of a network: its stages, what of it learns, and the layer that is explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from xaimri.arguments import check_arguments
from xaimri.charts.stages import Layer, Stage, State, stages_of, weights_in_words
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: dict[State, str] = dict(
    zip(get_args(State), ("#e69f00", "#f3d08a", "#9cc7e6", "#e7e9ec"), strict=True)
)
MARK, INK, MUTED = "#b0126b", "#1f2937", "#6b7280"

NARROWEST, TALL, DEEP, GAP, MARGIN = 5.5, 1.5, 0.07, 0.05, 0.16
"""In inches: least figure, tallest slab, its depth to the back, between slabs, and between stages."""


@check_arguments()
def network_diagram(model: Layer, explained_layer: str | None = None) -> Figure:
    """Draw a network from left to right, its frozen and its trained parts, and the explained layer.

    A slab is a block of layers, such as a residual block: as high as its maps are fine, as thick as it
    has many features (both on a logarithmic scale). Nested networks are opened and framed.

    Parameters
    ----------
    model
        A Keras model, or anything with ``layers`` that have ``name``, ``trainable``, ``output.shape``,
        ``weights`` and, where they are networks themselves, ``layers``.
    explained_layer
        Name or path, such as ``"resnet50/conv5_block3_out"``; it is marked.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot.

    Raises
    ------
    InvalidInput
        If the model has no layers, or none of this name.
    """
    stages = list(stages_of(model))
    if not stages:
        raise InvalidInput("the network has no layers to draw: build it, or call it on an image first.")
    wanted = None if explained_layer is None else explained_layer.rsplit("/", 1)[-1]
    if wanted is not None and not any(wanted in b.names for s in stages for b in s.blocks):
        raise InvalidInput(
            f"the network has no layer `{explained_layer}`: give the name of one of its layers."
        )
    width = sum(_width(stage) + MARGIN for stage in stages) - MARGIN
    figure, axes = _canvas(max(width, NARROWEST))
    left, frames = 0.0, dict[str, tuple[float, float]]()
    for stage in stages:
        _draw_stage(axes, stage, left, wanted)
        if stage.nested:
            frames[stage.nested] = (frames.get(stage.nested, (left, 0.0))[0], left + _width(stage))
        left += _width(stage) + MARGIN
    for name, (start, stop) in frames.items():
        _frame(axes, name, start, stop)
    _legend(axes, max(width, NARROWEST), weights_in_words(model), {b.state for s in stages for b in s.blocks})
    return figure


def _size(stage: Stage) -> tuple[float, float]:
    """Width and height of each of a stage's slabs, in inches: by features, and by cells along an axis."""
    *space, features = stage.shape or (1,)
    width = 0.08 + 0.016 * math.log2(max(features or 1, 1))
    fine = min(1.0, 0.18 + 0.1 * math.log2(max(space[0] or 64, 1))) if space else 1 / 3
    return width, TALL * fine


def _width(stage: Stage) -> float:
    """Width of a stage in inches, its label included."""
    slabs = len(stage.blocks) * (_size(stage)[0] + GAP) + DEEP
    return max(slabs, 0.052 * max(len(stage.name), len(_times(stage.shape))))


def _times(shape: Sequence[int | None]) -> str:
    return " × ".join("?" if n is None else str(n) for n in shape)


def _canvas(width: float) -> tuple[Figure, Axes]:
    """Return axes whose unit is an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    low, high, side = -0.95, TALL + 0.75, 0.2
    figure = Canvas(figsize=(width + 2 * side, high - low), dpi=200, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-side, width + side)
    axes.set_ylim(low, high)
    axes.set_axis_off()
    return figure, axes


def _draw_stage(axes: Axes, stage: Stage, left: float, wanted: str | None) -> None:
    """Draw the slabs of a stage, and its label beneath."""
    width, height = _size(stage)
    middle = left + _width(stage) / 2
    start = middle - (len(stage.blocks) * (width + GAP) - GAP) / 2
    base = (TALL - height) / 2
    for number, block in enumerate(stage.blocks):
        corner = start + number * (width + GAP)
        _slab(axes, corner, base, width, height, block.state)
        if wanted in block.names:
            place = corner + width * (block.names.index(wanted) + 0.5) / len(block.names)
            _mark(axes, place, base, height, wanted)
    axes.text(middle, -0.16, stage.name, ha="center", va="top", fontsize=7, color=INK, parse_math=False)
    axes.text(middle, -0.31, _times(stage.shape), ha="center", va="top", fontsize=6, color=MUTED)


def _slab(axes: Axes, x: float, y: float, width: float, height: float, state: State) -> None:
    """Draw a box seen a little from the upper right."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Polygon

    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    top = [front[3], front[2], (front[2][0] + DEEP, front[2][1] + DEEP), (x + DEEP, y + height + DEEP)]
    side = [front[1], (x + width + DEEP, y + DEEP), top[2], front[2]]
    base = to_rgb(COLOURS[state])
    for corners, shade in ((top, 1.06), (side, 0.78), (front, 0.95)):
        colour = [min(1.0, c * shade) for c in base]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor=INK, linewidth=0.35, joinstyle="round"))


def _mark(axes: Axes, x: float, base: float, height: float, name: str | None) -> None:
    """Mark a layer on its slab, and name it above."""
    axes.plot([x, x], [base, base + height], color=MARK, linewidth=1.8, solid_capstyle="butt", zorder=3)
    axes.annotate(
        f"explained: {name}", (x, base + height + DEEP), (x, TALL + 0.5), ha="center", va="center",
        fontsize=7, color=MARK, zorder=4, arrowprops={"arrowstyle": "-|>", "color": MARK, "linewidth": 0.9},
    )  # fmt: skip


def _frame(axes: Axes, name: str, start: float, stop: float) -> None:
    """Frame a nested network."""
    from matplotlib.patches import FancyBboxPatch

    edge = MARGIN / 2 - 0.01
    axes.add_patch(
        FancyBboxPatch(
            (start - edge, -0.48), stop - start + 2 * edge, TALL + 0.8, zorder=0, linewidth=0.7,
            boxstyle="round,pad=0,rounding_size=0.08", facecolor="#f8fafc", edgecolor="#cbd5e1",
        )
    )  # fmt: skip
    axes.text(
        start,
        TALL + 0.27,
        name,
        ha="left",
        va="top",
        fontsize=7.5,
        color=MUTED,
        style="italic",
        parse_math=False,
    )


def _legend(axes: Axes, stop: float, summary: str, states: set[State]) -> None:
    """Say beneath what the colours stand for."""
    from matplotlib.patches import Rectangle

    left = 0.0
    for state in [state for state in COLOURS if state in states]:
        axes.add_patch(
            Rectangle((left, -0.83), 0.12, 0.12, facecolor=COLOURS[state], edgecolor=INK, linewidth=0.4)
        )
        axes.text(left + 0.17, -0.77, state, va="center", fontsize=7, color=INK)
        left += 0.32 + 0.06 * len(state)
    axes.text(stop, -0.77, summary, ha="right", va="center", fontsize=7, color=MUTED)

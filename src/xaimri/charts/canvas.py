"""What charts are drawn on: a figure that no global state knows, and a grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MUTED = "#6b7280"
"""The grey of what is said beside a chart."""


def blank_figure(width: float, height: float) -> Figure:
    """Return a figure in inches that no global state knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=(width, height), dpi=200, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure

"""Pictures of maps, drawn by matplotlib without any global state."""

from xaimri.render.colour import Scale
from xaimri.render.comparison import Comparison
from xaimri.render.figure import figure, grid, html, save, show
from xaimri.render.panel import plot
from xaimri.render.sheet import html_table, sheet

__all__ = [
    "Comparison",
    "Scale",
    "figure",
    "grid",
    "html",
    "html_table",
    "plot",
    "save",
    "sheet",
    "show",
]

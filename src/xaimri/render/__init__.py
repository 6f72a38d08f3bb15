"""Pictures of maps, drawn by matplotlib without any global state."""

from xaimri.render.colour import Scale
from xaimri.render.comparison import Comparison
from xaimri.render.figure import figure, grid
from xaimri.render.glass import glass
from xaimri.render.mosaic import mosaic
from xaimri.render.notebook import html, html_table
from xaimri.render.output import save, show
from xaimri.render.panel import plot
from xaimri.render.sheet import sheet
from xaimri.render.view import View, view

__all__ = [
    "Comparison",
    "Scale",
    "View",
    "figure",
    "glass",
    "grid",
    "html",
    "html_table",
    "mosaic",
    "plot",
    "save",
    "sheet",
    "show",
    "view",
]

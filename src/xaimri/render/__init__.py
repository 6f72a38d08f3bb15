"""Pictures of explanations and evaluations, drawn by matplotlib without any global state."""

from xaimri.render.card import confusion_matrix, curves
from xaimri.render.cascade import cascade
from xaimri.render.colour import Scale
from xaimri.render.comparison import Comparison
from xaimri.render.figure import figure, grid, html, save, show
from xaimri.render.heat import heat_table
from xaimri.render.network import network_diagram
from xaimri.render.panel import plot
from xaimri.render.ways import ways

__all__ = [
    "Comparison",
    "Scale",
    "cascade",
    "confusion_matrix",
    "curves",
    "figure",
    "grid",
    "heat_table",
    "html",
    "network_diagram",
    "plot",
    "save",
    "show",
    "ways",
]

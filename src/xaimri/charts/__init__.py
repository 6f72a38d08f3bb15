"""Every drawing that is no map: of training, confusion, reliability, metrics and cascades."""

from xaimri.charts.cascade import cascade
from xaimri.charts.confusion import confusion_matrix
from xaimri.charts.curves import metric_curves
from xaimri.charts.decision import decision_chart
from xaimri.charts.network import network_diagram
from xaimri.charts.reliability import reliability_diagram
from xaimri.charts.table import heat_table
from xaimri.charts.training import training_curves

__all__ = [
    "cascade",
    "confusion_matrix",
    "decision_chart",
    "heat_table",
    "metric_curves",
    "network_diagram",
    "reliability_diagram",
    "training_curves",
]

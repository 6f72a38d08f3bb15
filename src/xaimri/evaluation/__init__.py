"""Figures of a classifier: how well it does on people it has not seen, with intervals over people."""

from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.calibration_error import calibration
from xaimri.evaluation.classification import evaluate
from xaimri.evaluation.decision_curve import DecisionCurve, decision_curve
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.operating import OperatingPoint, operating_point
from xaimri.evaluation.paired import Difference, PairedComparison, compare_predictions
from xaimri.evaluation.populations import Population, Populations, side_by_side
from xaimri.evaluation.reliability import Bin, Calibration, Reliability
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.sign_flips import sign_flip_test
from xaimri.evaluation.temperature import temperature_scaling
from xaimri.evaluation.threshold import Threshold, threshold_for

__all__ = [
    "MINIMUM_SUBJECTS",
    "Bin",
    "Bootstrap",
    "Calibration",
    "ClassFigures",
    "ClassificationReport",
    "DecisionCurve",
    "Difference",
    "Estimate",
    "Level",
    "OperatingPoint",
    "PairedComparison",
    "Population",
    "Populations",
    "Reliability",
    "Threshold",
    "calibration",
    "compare_predictions",
    "decision_curve",
    "evaluate",
    "operating_point",
    "side_by_side",
    "sign_flip_test",
    "temperature_scaling",
    "threshold_for",
]

"""Figures of a classifier: how well it does on people it has not seen, with intervals over people."""

from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.calibration_error import calibration
from xaimri.evaluation.classification import evaluate
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.operating import OperatingPoint, operating_point
from xaimri.evaluation.paired import Difference, PairedComparison, compare_predictions
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
    "Difference",
    "Estimate",
    "Level",
    "OperatingPoint",
    "PairedComparison",
    "Reliability",
    "Threshold",
    "calibration",
    "compare_predictions",
    "evaluate",
    "operating_point",
    "sign_flip_test",
    "temperature_scaling",
    "threshold_for",
]

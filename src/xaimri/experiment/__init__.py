"""The whole journey on one data set: train, evaluate on held-out subjects, explain a case of each class.

Everything it makes lies in one folder: the network with its split (a bundle), the report as text and
JSON, and figures.
"""

from xaimri.experiment.cross_validation import CrossValidation, cross_validate
from xaimri.experiment.explaining import Explained, explain_classes, representatives
from xaimri.experiment.held_out import evaluate
from xaimri.experiment.model_comparison import compare_models
from xaimri.experiment.prediction import Predicted, predict_cases
from xaimri.experiment.temperature import calibrate
from xaimri.experiment.training import train

__all__ = [
    "CrossValidation",
    "Explained",
    "Predicted",
    "calibrate",
    "compare_models",
    "cross_validate",
    "evaluate",
    "explain_classes",
    "predict_cases",
    "representatives",
    "train",
]

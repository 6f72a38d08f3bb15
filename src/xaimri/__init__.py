"""Explain image classifiers, made for brain MRI.

>>> import numpy as np, xaimri
>>> model = xaimri.LinearClassifier.random((8, 8, 1), classes=2, seed=0)
>>> xaimri.explain(model, np.ones((8, 8))).values.shape
(8, 8)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xaimri import forked as forked  # so that a fork is noticed, whatever is loaded by then

if TYPE_CHECKING:
    from xaimri import adapters as adapters
    from xaimri import atlas as atlas
    from xaimri import audit as audit
    from xaimri import callbacks as callbacks
    from xaimri import charts as charts
    from xaimri import cohort as cohort
    from xaimri import data as data
    from xaimri import evaluation as evaluation
    from xaimri import experiment as experiment
    from xaimri import explainers as explainers
    from xaimri import images as images
    from xaimri import judging as judging
    from xaimri import metrics as metrics
    from xaimri import render as render
    from xaimri import reporting as reporting
    from xaimri import testing as testing
    from xaimri import training as training
    from xaimri.adapters import FunctionClassifier as FunctionClassifier
    from xaimri.adapters import LinearClassifier as LinearClassifier
    from xaimri.adapters.keras import KerasClassifier as KerasClassifier
    from xaimri.adapters.keras import clear_cache as clear_cache
    from xaimri.api import compare as compare
    from xaimri.api import evaluate_explanations as evaluate_explanations
    from xaimri.api import explain as explain
    from xaimri.api import explain_all as explain_all
    from xaimri.atlas import Atlas as Atlas
    from xaimri.audit import ModelAudit as ModelAudit
    from xaimri.audit import SplitAudit as SplitAudit
    from xaimri.audit import audit_model as audit_model
    from xaimri.audit import audit_split as audit_split
    from xaimri.caveats import Caveat as Caveat
    from xaimri.classifier import Classifier as Classifier
    from xaimri.cohort import by_region as by_region
    from xaimri.cohort import explain_cohort as explain_cohort
    from xaimri.errors import Cancelled as Cancelled
    from xaimri.errors import InvalidInput as InvalidInput
    from xaimri.errors import MissingCapability as MissingCapability
    from xaimri.errors import MissingExtra as MissingExtra
    from xaimri.errors import StorageFault as StorageFault
    from xaimri.errors import UnusableImage as UnusableImage
    from xaimri.errors import XaimriError as XaimriError
    from xaimri.explainer import Explainer as Explainer
    from xaimri.explainers import EXPLAINERS as EXPLAINERS
    from xaimri.explainers.table import *  # noqa: F403  # every method under its own name
    from xaimri.explanation import Explanation as Explanation
    from xaimri.explanation import load as load
    from xaimri.explanations import Explanations as Explanations
    from xaimri.failure import Failure as Failure
    from xaimri.four_criteria import trustworthiness as trustworthiness
    from xaimri.images.slices import Slices as Slices
    from xaimri.images.window import Window as Window
    from xaimri.judgement import Judgement as Judgement
    from xaimri.metrics import absent_sensitivity as absent_sensitivity
    from xaimri.model import Model as Model
    from xaimri.model import open_model as open_model
    from xaimri.neighbours import nearest_cases as nearest_cases
    from xaimri.perturb.stopping import Auto as Auto
    from xaimri.render import Comparison as Comparison
    from xaimri.reporting import report as report

    __version__: str

_HOMES = {
    "EXPLAINERS": "xaimri.explainers",
    "Atlas": "xaimri.atlas",
    "Auto": "xaimri.perturb.stopping",
    "ModelAudit": "xaimri.audit",
    "SplitAudit": "xaimri.audit",
    "audit_model": "xaimri.audit",
    "audit_split": "xaimri.audit",
    "absent_sensitivity": "xaimri.metrics",
    "by_region": "xaimri.cohort",
    "explain_cohort": "xaimri.cohort",
    "evaluate_explanations": "xaimri.api",
    "trustworthiness": "xaimri.four_criteria",
    "Cancelled": "xaimri.errors",
    "Caveat": "xaimri.caveats",
    "Explanation": "xaimri.explanation",
    "Explanations": "xaimri.explanations",
    "load": "xaimri.explanation",
    "Classifier": "xaimri.classifier",
    "Explainer": "xaimri.explainer",
    "Comparison": "xaimri.render",
    "FunctionClassifier": "xaimri.adapters",
    "LinearClassifier": "xaimri.adapters",
    "KerasClassifier": "xaimri.adapters.keras",
    "clear_cache": "xaimri.adapters.keras",
    "InvalidInput": "xaimri.errors",
    "MissingCapability": "xaimri.errors",
    "MissingExtra": "xaimri.errors",
    "Slices": "xaimri.images",
    "Window": "xaimri.images",
    "XaimriError": "xaimri.errors",
    "Failure": "xaimri.failure",
    "Judgement": "xaimri.judgement",
    "Model": "xaimri.model",
    "StorageFault": "xaimri.errors",
    "UnusableImage": "xaimri.errors",
    "compare": "xaimri.api",
    "explain": "xaimri.api",
    "explain_all": "xaimri.api",
    "nearest_cases": "xaimri.neighbours",
    "open_model": "xaimri.model",
    "report": "xaimri.reporting",
}

_ROOMS = {
    "adapters",
    "atlas",
    "audit",
    "callbacks",
    "charts",
    "cohort",
    "data",
    "evaluation",
    "experiment",
    "explainers",
    "images",
    "judging",
    "metrics",
    "render",
    "reporting",
    "testing",
    "training",
}
"""Packages that are loaded when they are asked for."""


def _load(name: str) -> Any:
    """Load a public name on first use, so that importing xaimri costs nothing."""
    if name == "__version__":
        return import_module("importlib.metadata").version("xaimri")
    if name == "__all__":
        return ["__version__", *_HOMES, *_methods()]
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    if name in _ROOMS:
        return import_module(f"xaimri.{name}")
    if name[:1].isupper() and name in _methods():  # a class, so that no look for a module loads the methods
        value = globals()[name] = _methods()[name]
        return value
    raise AttributeError(f"module 'xaimri' has no attribute {name!r}")


if not TYPE_CHECKING:  # so that a type checker tells a misspelt name
    __getattr__ = _load


def __dir__() -> list[str]:
    return sorted(_load("__all__"))


def _methods() -> dict[str, Any]:
    """Return the explainers of the one table, by the names of their classes."""
    listed = vars(import_module("xaimri.explainers.table"))
    return {name: kind for name, kind in listed.items() if isinstance(kind, type)}

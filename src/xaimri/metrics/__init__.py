"""Measures: how well a model classifies people it has not seen, and what an explanation depends on."""

from __future__ import annotations

from xaimri.metrics.absence import AbsentSensitivity, absent_sensitivity
from xaimri.metrics.classification import evaluate
from xaimri.metrics.report import ClassFigures, ClassificationReport, Estimate, Level

__all__ = [
    "AbsentSensitivity",
    "ClassFigures",
    "ClassificationReport",
    "Estimate",
    "Level",
    "absent_sensitivity",
    "evaluate",
]

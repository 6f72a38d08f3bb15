"""Measures: how well a model classifies people it has not seen."""

from __future__ import annotations

from xaimri.metrics.classification import evaluate
from xaimri.metrics.report import ClassFigures, ClassificationReport, Estimate, Level

__all__ = ["ClassFigures", "ClassificationReport", "Estimate", "Level", "evaluate"]

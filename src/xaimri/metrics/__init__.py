"""Measures: how well a model classifies people it has not seen, and how good its explanations are."""

from __future__ import annotations

from xaimri.metrics.absence import AbsentSensitivity, absent_sensitivity
from xaimri.metrics.agreement import faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.catalogue import METRICS, Metric
from xaimri.metrics.classification import evaluate
from xaimri.metrics.completeness import completeness_gap
from xaimri.metrics.complexity import entropy, sparseness
from xaimri.metrics.curve import Curve, deletion, insertion
from xaimri.metrics.evaluation import Difference, Evaluation, Row, Summary
from xaimri.metrics.imputation import imputed
from xaimri.metrics.judge import evaluate_explanations
from xaimri.metrics.localisation import (
    auprc,
    dice,
    iou,
    mover_similarity,
    pointing_game,
    relevance_mass,
    relevance_rank,
)
from xaimri.metrics.mutants import MUTATIONS, Mutant
from xaimri.metrics.report import ClassFigures, ClassificationReport, Estimate, Level
from xaimri.metrics.road import road
from xaimri.metrics.robustness import max_sensitivity, repeatability, seed_stability
from xaimri.metrics.sanity import Cascade, label_randomisation, randomisation
from xaimri.metrics.seen_through import average_drop, average_increase
from xaimri.metrics.similarity import similarity
from xaimri.metrics.trustworthiness import trustworthiness, unrelated_similarity

__all__ = [
    "METRICS",
    "MUTATIONS",
    "AbsentSensitivity",
    "Cascade",
    "ClassFigures",
    "ClassificationReport",
    "Curve",
    "Difference",
    "Estimate",
    "Evaluation",
    "Level",
    "Metric",
    "Mutant",
    "Row",
    "Summary",
    "absent_sensitivity",
    "auprc",
    "average_drop",
    "average_increase",
    "completeness_gap",
    "deletion",
    "dice",
    "entropy",
    "evaluate",
    "evaluate_explanations",
    "faithfulness_correlation",
    "imputed",
    "infidelity",
    "insertion",
    "iou",
    "label_randomisation",
    "max_sensitivity",
    "mover_similarity",
    "pointing_game",
    "randomisation",
    "relevance_mass",
    "relevance_rank",
    "repeatability",
    "road",
    "seed_stability",
    "sensitivity_n",
    "similarity",
    "sparseness",
    "trustworthiness",
    "unrelated_similarity",
]

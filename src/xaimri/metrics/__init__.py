"""Measures: how good a map is, by faithfulness, localisation, robustness, complexity and sanity."""

from __future__ import annotations

from xaimri.metric import Curve, MaskEffect
from xaimri.metrics.absence import AbsentSensitivity, absent_sensitivity
from xaimri.metrics.agreement import faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.completeness import completeness_gap
from xaimri.metrics.complexity import entropy, sparseness
from xaimri.metrics.curve import deletion, insertion
from xaimri.metrics.imputation import impute
from xaimri.metrics.localisation import auprc, pointing_game, relevance_mass, relevance_rank
from xaimri.metrics.mask_effect import mask_effect
from xaimri.metrics.overlap import dice, iou
from xaimri.metrics.probability_drop import average_drop, average_increase
from xaimri.metrics.road import road
from xaimri.metrics.robustness import max_sensitivity, repeatability, seed_stability
from xaimri.metrics.sanity import Cascade, label_randomisation, randomisation
from xaimri.metrics.similarity import similarity
from xaimri.metrics.transport import mover_similarity

__all__ = [
    "AbsentSensitivity",
    "Cascade",
    "Curve",
    "MaskEffect",
    "absent_sensitivity",
    "auprc",
    "average_drop",
    "average_increase",
    "completeness_gap",
    "deletion",
    "dice",
    "entropy",
    "faithfulness_correlation",
    "impute",
    "infidelity",
    "insertion",
    "iou",
    "label_randomisation",
    "mask_effect",
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
]

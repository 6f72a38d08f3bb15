"""Judge explanations: every metric of every method's maps in one table, with intervals over people."""

from xaimri.judgement import Difference, Judgement, Row, Summary
from xaimri.judging.catalogue import CONTROLS, METRICS, as_metric
from xaimri.judging.judge import evaluate_explanations
from xaimri.judging.mutants import Mutant
from xaimri.judging.trustworthiness import trustworthiness, unrelated_similarity
from xaimri.metric import MUTATIONS, Metric

__all__ = [
    "CONTROLS",
    "METRICS",
    "MUTATIONS",
    "Difference",
    "Judgement",
    "Metric",
    "Mutant",
    "Row",
    "Summary",
    "as_metric",
    "evaluate_explanations",
    "trustworthiness",
    "unrelated_similarity",
]

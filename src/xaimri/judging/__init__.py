"""Judge explanations: every metric of every method's maps in one table, with intervals over people."""

from xaimri.judging.catalogue import METRICS, Metric
from xaimri.judging.judge import evaluate_explanations
from xaimri.judging.judgement import Difference, Judgement, Row, Summary
from xaimri.judging.mutants import MUTATIONS, Mutant
from xaimri.judging.trustworthiness import trustworthiness, unrelated_similarity

__all__ = [
    "METRICS",
    "MUTATIONS",
    "Difference",
    "Judgement",
    "Metric",
    "Mutant",
    "Row",
    "Summary",
    "evaluate_explanations",
    "trustworthiness",
    "unrelated_similarity",
]

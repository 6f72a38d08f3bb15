"""Judge explanations: every metric of every method's maps in one table, with intervals over people."""

from xaimri.judgement import Judgement
from xaimri.judgement.rows import Difference, Row, Summary
from xaimri.judging.catalogue import CONTROLS, METRICS, as_metric
from xaimri.judging.mutants import Mutant
from xaimri.judging.unrelated import unrelated_similarity
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
    "unrelated_similarity",
]

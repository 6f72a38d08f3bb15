"""Whole cohorts: explained into a store that goes on after a stop, read back, and told by regions."""

from xaimri.cohort.class_means import ClassMean
from xaimri.cohort.cohort import Cohort
from xaimri.cohort.cohort import open_cohort as open  # noqa: A004 - as in `PIL.Image.open`
from xaimri.cohort.engine import RayEngine
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.progress import Progress
from xaimri.cohort.regions import by_region
from xaimri.cohort.run import explain_cohort
from xaimri.cohort.table import CohortRow, RegionCohort

__all__ = [
    "ClassMean",
    "Cohort",
    "CohortRow",
    "Manifest",
    "Progress",
    "RayEngine",
    "RegionCohort",
    "by_region",
    "explain_cohort",
    "open",
]

"""Maps of many people together: what they hold in each region of an atlas."""

from xaimri.cohort.regions import by_region
from xaimri.cohort.table import CohortRow, RegionCohort

__all__ = ["CohortRow", "RegionCohort", "by_region"]

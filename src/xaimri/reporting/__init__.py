"""Reports: a cohort, or a trained network, as one page for people to read."""

from xaimri.reporting.report import report

__all__ = ["report"]

"""Whose the cases of a cohort are, where some have a subject and others have not."""

from __future__ import annotations

from xaimri.cohort import Cohort


def known_subjects(cohort: Cohort, independent: bool) -> tuple[Cohort, int]:
    """Return the rows with a subject, where some have one and others have not, and how many cases have none.

    Where none has, or each such case is said to be of a person of its own, all rows are returned, and 0.
    """
    told = dict(zip(*(cohort.table(["case", "subject"])[name].to_pylist() for name in ("case", "subject")),
                    strict=True))  # fmt: skip
    unknown = sum(subject is None for subject in told.values())
    if independent or not unknown or unknown == len(told):
        return cohort, 0
    from pyarrow import dataset

    return cohort.filter(dataset.field("subject").is_valid()), unknown

"""Mean maps of the classes of a cohort, with errors over subjects; few maps are in memory at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from xaimri.arrays import Map
from xaimri.cohort.chosen import Chosen
from xaimri.cohort.rows import MAP_COLUMNS, Row, map_of
from xaimri.errors import InvalidInput
from xaimri.evaluation.mean_maps import MeanMaps

ClassColumn: TypeAlias = Literal["label", "predicted", "target"]
"""What is taken for the class of a case."""

STEP = 0.05
"""By what share of a voxel grids may lie apart."""


@dataclass(frozen=True, eq=False)
class ClassMean:
    """The mean map of a class over its subjects.

    Attributes
    ----------
    name
        Of the class.
    mean, error
        ``(*space)``: in the unit of the maps, and its standard error over subjects: NaN of a single one.
    subjects, cases
        How many there are; a subject's cases count once, by their mean.
    targets
        Which classes its maps explain, and how many maps each.
    """

    name: str
    mean: Map
    error: Map
    subjects: int
    cases: int
    targets: Mapping[str, int]

    def __repr__(self) -> str:
        space = " x ".join(map(str, self.mean.shape))
        return f"<ClassMean: {self.name}, {self.subjects} subjects, {self.cases} cases, {space}>"


def class_means(cohort: Chosen, by: ClassColumn, independent: bool) -> tuple[ClassMean, ...]:
    """Return the mean map of every class, as of :meth:`Cohort.class_means`."""
    heads = _heads(cohort, by, independent)
    open_cases = Counter((row[by], row["person"]) for row in heads.values())
    means: MeanMaps[str] = MeanMaps()
    for row in cohort.rows(MAP_COLUMNS):
        head = heads[row["case"]]
        key = head[by], head["person"]
        means.add(*key, map_of(row))
        open_cases[key] -= 1
        if not open_cases[key]:  # all cases of this subject are there
            means.close(*key)
    cases = Counter(row[by] for row in heads.values())
    targets = {name: Counter(row["target"] for row in heads.values() if row[by] == name) for name in cases}
    return tuple(
        ClassMean(
            name, own.mean.astype(np.float32), own.error().astype(np.float32), own.count, cases[name],
            dict(targets[name]),
        )
        for name, own in sorted(means.closed(), key=lambda each: each[0])
    )  # fmt: skip


def _heads(cohort: Chosen, by: ClassColumn, independent: bool) -> dict[str, dict[str, Any]]:
    """Return what is known of each case with a map, and see that all maps can be laid over each other."""
    columns = ["case", "subject", "label", "predicted", "target", "map_shape", "affine"]
    rows = cohort.table(columns).to_pylist()
    if not rows:
        raise InvalidInput(
            'there are no maps here: finish the run, choose other rows, or run the cohort with maps="whole".'
        )
    if any(row[by] is None for row in rows):
        raise InvalidInput(
            f'{sum(row[by] is None for row in rows)} cases have no label: give `by="predicted"`.'
        )
    unknown = sum(row["subject"] is None for row in rows)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} cases have no subject, and the errors are over subjects: run it with subjects, or "
            "say `independent=True` if each case is of a person of its own."
        )
    if len({row["case"] for row in rows}) < len(rows):
        raise InvalidInput("some cases are there twice: go on with the run, which says in which files.")
    first = rows[0]
    for row in rows:
        if row["map_shape"] != first["map_shape"] or not _same_place(row["affine"], first["affine"]):
            raise InvalidInput(
                f"the maps of `{first['case']}` and `{row['case']}` lie on different grids, so there is no "
                "mean: bring the scans into one space first, or choose rows of one grid by `filter`."
            )
    return {row["case"]: {**row, "person": _person(row)} for row in rows}


def _person(row: Row) -> tuple[str, str]:
    """Return whose case it is; one without a subject is of its own."""
    return ("case", row["case"]) if row["subject"] is None else ("subject", row["subject"])


def _same_place(one: list[float] | None, other: list[float] | None) -> bool:
    """Tell whether two grids of one shape lie at the same place, to a share of a voxel."""
    if one is None or other is None:
        return one is other
    first, second = (np.reshape(each, (4, 4)) for each in (one, other))
    step = float(np.linalg.norm(first[:3, :3], axis=0).min())
    return bool(np.abs(first - second).max() <= STEP * step) if math.isfinite(step) else False

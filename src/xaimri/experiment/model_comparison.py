"""Two models on the same cases, which neither has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data import Dataset
from xaimri.data.attendance import trained_on
from xaimri.errors import InvalidInput
from xaimri.evaluation.paired import PairedComparison, compare_predictions
from xaimri.evaluation.truth import LevelName
from xaimri.experiment.prediction import predict_cases
from xaimri.model import open_model

UNRECORDED = "on whom it was trained is not recorded: were it some of these subjects, it looks too good."
"""What is said of a model without a recorded split."""

Said: TypeAlias = ModelLike | Array
"""A model, or the probabilities that one gave to all cases, ``(cases, classes)``."""


@check_arguments()
def compare_models(
    a: Said,
    b: Said,
    cases: Dataset,
    *,
    names: tuple[str, str] = ("a", "b"),
    level: LevelName = "slice",
    independent: bool = False,
    permutations: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    **options: Any,
) -> PairedComparison:
    """Compare two models on the same people: each figure's difference, its interval, and a permutation test.

    Methods of explanation are compared by :func:`xaimri.compare`.

    Parameters
    ----------
    a, b
        What :func:`xaimri.open_model` takes, or the probabilities of all cases in the order of the data set's
        classes. Classes of models are matched by name.
    cases
        On which both are asked. Those that either can't read count for neither.
    names
        Of the two, in the table.
    level, independent, permutations, confidence, seed
        As of :func:`xaimri.evaluation.compare_predictions`.
    **options
        As of :func:`xaimri.open_model`, for both.

    Returns
    -------
    PairedComparison
        Its ``notes`` say which model was trained on some of these subjects, or doesn't record on whom it
        was, and what can't be read.

    Raises
    ------
    InvalidInput
        If the models have other classes, or as of `evaluate`.

    Examples
    --------
    >>> from xaimri.data import Case, Dataset
    >>> shown = [Case(f"{n}", n % 2, f"s{n}", np.zeros((4, 4))) for n in range(12)]
    >>> dataset = Dataset(("well", "ill"), tuple(shown))
    >>> right, unsure = np.eye(2)[dataset.labels], np.tile([0.6, 0.4], (12, 1))
    >>> found = compare_models(right, unsure, dataset)
    >>> found["accuracy"].a, found["accuracy"].b, found["accuracy"].p < 0.05
    (1.0, 0.5, True)
    """
    first, second = (_said(one, name, cases, options) for name, one in zip(names, (a, b), strict=True))
    if set(first.classes) != set(second.classes):
        known = " and ".join(", ".join(map(repr, each.classes)) for each in (first, second))
        raise InvalidInput(
            f"the models have other classes, {known}: give two that tell the same classes by the same names."
        )
    order = [second.classes.index(name) for name in first.classes]
    there = [n for n, case in enumerate(cases) if case.id in first.rows and case.id in second.rows]
    if not there:
        raise InvalidInput("no case can be read by both models: give other images.")
    kept = cases.take(there).with_classes(first.classes)
    found = compare_predictions(
        np.stack([first.rows[case.id] for case in kept]),
        np.stack([second.rows[case.id][order] for case in kept]),
        kept,
        level=level,
        independent=independent or first.by_case or second.by_case,
        permutations=permutations,
        confidence=confidence,
        seed=seed,
    )
    return replace(found, names=names, notes=(*first.notes, *second.notes))


@dataclass(frozen=True, eq=False)
class _Said:
    """What one of the two says of which case."""

    classes: tuple[str, ...]
    rows: Mapping[str, Array]
    notes: tuple[str, ...] = ()
    by_case: bool = False


def _said(one: Said, name: str, cases: Dataset, options: Mapping[str, Any]) -> _Said:
    """Ask a model, or take the probabilities that one gave."""
    if isinstance(one, np.ndarray):
        shape = len(cases), len(cases.classes)
        if one.shape != shape:
            raise InvalidInput(
                f"probabilities must be (cases, classes) = {shape}, got {one.shape}: give a row per case."
            )
        return _Said(cases.classes, {case.id: row for case, row in zip(cases, one, strict=True)})
    opened = open_model(one, **options)
    found = predict_cases(opened, cases.with_classes(opened.classes))
    odd, split = [*found.notes], opened.split
    odd += [UNRECORDED] if split is None else trained_on(found.cases, split, opened.origin)
    rows = {case.id: row for case, row in zip(found.cases, found.probabilities, strict=True)}
    notes = tuple(f"{name}: {sentence}" for sentence in odd)
    return _Said(tuple(opened.classes), rows, notes, split is not None and split["by"] == "case")

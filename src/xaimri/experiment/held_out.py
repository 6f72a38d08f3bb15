"""A model evaluated on cases that it has not seen, with all that the report is kept with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from xaimri import archive
from xaimri.adapters.options import ModelLike
from xaimri.arguments import check_arguments
from xaimri.calibration import set_on
from xaimri.charts import confusion_matrix, reliability_diagram
from xaimri.data import Dataset, read_loader
from xaimri.data.attendance import absences_beside, are_others, homes, keys_of, trained_on
from xaimri.data.epoch import Loader, chances
from xaimri.errors import InvalidInput
from xaimri.evaluation import classification
from xaimri.evaluation.operating import OperatingPoint, operating_point
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.threshold import TooFewSubjects, threshold_for
from xaimri.evaluation.truth import LevelName
from xaimri.experiment.prediction import Predicted, predict_cases
from xaimri.model import Model, open_model
from xaimri.render import save
from xaimri.rules import Number, OrNone

EVALUATED = (
    "report.txt",
    "report.json",
    "confusion_slice.png",
    "confusion_subject.png",
    "reliability_slice.png",
    "reliability_subject.png",
)
"""What an evaluation writes."""

LEVELS: tuple[LevelName, ...] = ("slice", "subject")


@check_arguments(sensitivity=OrNone(Number(above=0, most=1)))
def evaluate(
    model: ModelLike,
    part: Dataset | Loader,
    folder: str | Path,
    *,
    independent: bool = False,
    sensitivity: float | None = None,
    validation: Dataset | None = None,
    positive: str | int | None = None,
    **options: Any,
) -> ClassificationReport:
    """Evaluate on cases that the network has not seen, and keep report and figures.

    Classes are matched by name. The report says who of the recorded split is missing, how many of the cases
    the network was trained on, how many can't be read, what is odd about how the images reach the network,
    such as another window than the bundle's, and whether images of 0 to 1 stand beside others. Writes
    ``report.txt``, ``report.json``, and of slices and of subjects the confusion matrix and the reliability
    diagram: ``confusion_slice.png``, ``reliability_slice.png`` and so on.

    Parameters
    ----------
    model, **options
        As of :func:`xaimri.open_model`.
    part
        The cases; or a loader of Keras or ``tf.data``, as of :func:`xaimri.data.read_loader`.
    folder
        Made if it is missing.
    independent
        True states that every case without a subject is of a person of its own.
    sensitivity
        Above 0, at most 1. Chooses, on ``validation``, the highest threshold that finds at least such a share
        of a class, and reports what it does on ``part``, by slice and by subject.
    validation
        The cases on which thresholds are chosen: of other subjects than those of ``part``.
    positive
        The class whose threshold is chosen, by name or number; every one against the rest unless it is said.

    Raises
    ------
    InvalidInput
        If the cases have a class that the network does not know, or none of them can be read; if there is a
        ``sensitivity`` and no ``validation``, or that shares subjects with ``part``.
    """
    if sensitivity is not None and validation is None:
        raise InvalidInput(
            "`sensitivity` needs `validation=`, the cases on which the threshold is chosen: give the "
            "validation part of the split."
        )
    if sensitivity is None and not (validation is None and positive is None):
        raise InvalidInput(
            "`validation` and `positive` choose a threshold: say for which `sensitivity=`, as 0.9."
        )
    opened = open_model(model, **options)
    read = part if isinstance(part, Dataset) else read_loader(part, axes=len(opened.intake.shape) or 3)
    cases = read.with_classes(opened.classes)
    independent = independent or (opened.split is not None and opened.split["by"] == "case")
    found = predict_cases(opened, cases)
    report = classification.evaluate(found.probabilities, found.cases, independent=independent)
    odd = [*([] if isinstance(part, Dataset) else chances(part)), *found.notes]
    if opened.split is not None:
        odd += (
            *trained_on(found.cases, opened.split, opened.origin),
            *absences_beside(found.cases, opened.split),
        )
    if opened.scaling is not None:
        odd += set_on(found.cases, opened.scaling)
    points: list[OperatingPoint] = []
    if sensitivity is not None and validation is not None:
        chosen = predict_cases(opened, validation.with_classes(opened.classes))
        points, told = _operating_points(found, chosen, sensitivity, positive, independent)
        odd += told
    report = replace(
        report,
        remarks=tuple(odd),
        failures=found.failures,
        operating_points=tuple(points),
        model=_of_which(opened, found.cases),
    )
    return _kept(report, Path(folder))


def _of_which(model: Model, cases: Dataset) -> dict[str, Any]:
    """Return which network the figures are of, and how many cases are of each recorded part."""
    counts: dict[str, int] | None = None
    if model.split is not None:
        part_of = {} if are_others(model.origin, cases.origin) else homes(model.split)
        counts = dict(Counter(part_of.get(str(key), "none") for key in keys_of(cases, model.split)))
    return {"sha256": model.sha256, "temperature": model.temperature, "cases": counts}


def _kept(report: ClassificationReport, target: Path) -> ClassificationReport:
    """Write a report and its figures."""
    report.save(target / "report.json")
    archive.write_text(target / "report.txt", f"{report}\n")
    for level in LEVELS:
        save(confusion_matrix(report, level), target / f"confusion_{level}.png")
        save(reliability_diagram(report.level(level).calibration), target / f"reliability_{level}.png")
    return report


def _operating_points(
    found: Predicted, others: Predicted, sensitivity: float, positive: str | int | None, independent: bool
) -> tuple[list[OperatingPoint], list[str]]:
    """Return what thresholds that are chosen on others do here, and for which classes none can be chosen."""
    classes = range(len(found.cases.classes)) if positive is None else [positive]
    points, told = list[OperatingPoint](), dict[str, None]()
    for one, level in product(classes, LEVELS):
        try:
            chosen = threshold_for(
                others.probabilities, others.cases, one, sensitivity, level=level, independent=independent
            )
        except TooFewSubjects as few:
            if positive is not None:
                raise
            told[f"No operating point: {few}"] = None
            continue
        points.append(
            operating_point(
                found.probabilities, found.cases, one, chosen, level=level, independent=independent
            )
        )
    return points, [*told]

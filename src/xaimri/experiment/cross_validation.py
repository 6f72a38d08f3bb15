"""Cross-validation by subject: every subject is tested once, by a network that never saw them."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xaimri import archive
from xaimri.arguments import check_arguments
from xaimri.data import Dataset, folds
from xaimri.data.copies import OnCopies
from xaimri.data.groups import Groups
from xaimri.evaluation import classification
from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.report import ClassificationReport
from xaimri.experiment.prediction import Predicted, predict_cases
from xaimri.experiment.training import train
from xaimri.failure import Failure
from xaimri.model import open_model
from xaimri.table import csv_text


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The result of `cross_validate`; printing it gives the pooled report and a table of the folds.

    Attributes
    ----------
    pooled
        All predictions together, each of the network that had not seen its subject. Its ``remarks`` say what
        pooling does.
    folds
        Each fold by itself, in order.
    """

    pooled: ClassificationReport
    folds: tuple[ClassificationReport, ...]

    def mean(self, figure: str, level: str = "subject") -> float:
        """Return the mean over folds of ``accuracy``, ``balanced_accuracy``, ``auroc`` and so on."""
        values = [_figure(each.slice if level == "slice" else each.subject, figure) for each in self.folds]
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {"pooled": self.pooled.to_dict(), "folds": [each.to_dict() for each in self.folds]}

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file and return its path."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return archive.write_text(path, text + "\n")

    def __str__(self) -> str:
        heads = ("accuracy", "balanced accuracy", "AUROC", "average precision")
        lines = [f"{'fold, by subject':>17}{'subjects':>10}" + "".join(f"{head:>20}" for head in heads)]
        names = ("accuracy", "balanced_accuracy", "auroc", "average_precision")
        for number, each in enumerate(self.folds, start=1):
            cells = "".join(f"{_short(_figure(each.subject, name)):>20}" for name in names)
            lines.append(f"{number:>17}{each.subjects:>10}{cells}")
        means = "".join(f"{_short(self.mean(name)):>20}" for name in names)
        lines.append(f"{'mean of folds':>17}{self.pooled.subjects:>10}{means}")
        return "\n".join([str(self.pooled), "", *lines])


@check_arguments()
def cross_validate(
    dataset: Dataset,
    folder: str | Path,
    *,
    k: int = 5,
    validation: float = 0.2,
    seed: int = 0,
    groups: Sequence[Hashable] | str | None = None,
    independent: bool = False,
    copies: OnCopies = "refuse",
    **settings: Any,
) -> CrossValidation:
    """Train a network for each of several folds, and evaluate all on the subjects that each had not seen.

    Parameters
    ----------
    dataset, k, validation, groups, independent, copies
        As of :func:`xaimri.data.folds`: ``k`` is the number of folds, and of each fold's other subjects a
        share is held out for early stopping.
    folder
        A folder for each fold in it, ``fold_1`` and so on, each a bundle; ``predictions.csv``,
        ``report.json`` and ``report.txt``. The same call again goes on where an interrupted one stopped.
    seed
        Of the folds and of every training.
    settings
        The rest of :func:`xaimri.experiment.train`'s arguments, the same for every fold.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InvalidInput
        As of :func:`xaimri.data.folds` and :func:`xaimri.experiment.train`.

    Notes
    -----
    Each of the ``k`` networks is trained from scratch: it takes ``k`` times as long as one training. Choosing
    settings by the result makes it too good; that needs people who are in no fold.
    """
    target = Path(folder)
    parts = folds(
        dataset, k, validation=validation, seed=seed, groups=groups, independent=independent, copies=copies
    )
    found: list[Predicted] = []
    for number, part in enumerate(parts, start=1):
        bundle = train(dataset, part, target / f"fold_{number}", seed=seed, copies=copies, **settings)
        found.append(predict_cases(open_model(bundle), part.test.with_classes(bundle.classes)))
    together = Groups.of(dataset, groups, independent).of_case
    whose = {
        case.id: f"group {group}" if case.subject is None else f"subject {case.subject}"
        for case, group in zip(dataset, together, strict=True)
    }
    each = tuple(
        replace(_evaluated([one], whose), remarks=(*part.notes, *one.notes), failures=one.failures)
        for one, part in zip(found, parts, strict=True)
    )
    result = CrossValidation(_pooled(found, whose), each)
    result.save(target / "report.json")
    archive.write_text(target / "report.txt", f"{result}\n")
    archive.write_text(target / "predictions.csv", _table(found))
    return result


def _evaluated(found: Sequence[Predicted], whose: Mapping[str, str]) -> ClassificationReport:
    """Evaluate the predictions of some folds together; a case without a subject counts for its group."""
    cases = tuple(case for one in found for case in one.cases)
    p = np.concatenate([one.probabilities for one in found])
    everything = replace(found[0].cases, cases=cases)
    return classification.evaluate(p, everything, [whose[case.id] for case in cases])


def _pooled(found: Sequence[Predicted], whose: Mapping[str, str]) -> ClassificationReport:
    """Evaluate the predictions of all folds, and say what pooling does."""
    failures = tuple[Failure, ...](failure for one in found for failure in one.failures)
    remarks = (
        f"Pooled are the predictions of {len(found)} networks, each on subjects that it had not seen.",
        "AUROC and average precision of the pool set probabilities of different networks against each other, "
        "which may be of different scales; the mean of folds does not.",
        "Intervals are over the tested subjects. That the networks were trained on largely the same people, "
        "and that another training would differ, is not in them.",
    )
    return replace(_evaluated(found, whose), remarks=remarks, failures=failures)


def _table(found: Sequence[Predicted]) -> str:
    """Return a row for every case: its fold, its class, and the probability of each class."""
    classes = found[0].cases.classes
    rows = [
        {"case": case.id, "subject": case.subject or "", "fold": number, "class": classes[case.label]}
        | {f"p({name})": f"{value:.9g}" for name, value in zip(classes, row, strict=True)}
        for number, one in enumerate(found, start=1)
        for case, row in zip(one.cases, one.probabilities, strict=True)
    ]
    return csv_text(["case", "subject", "fold", "class", *(f"p({name})" for name in classes)], rows)


def _figure(level: Level, name: str) -> float:
    """Return a figure of a level, or its mean over classes."""
    of: Level | ClassFigures = level if name in ("accuracy", "balanced_accuracy") else level.macro
    return float(getattr(of, name).value)


def _short(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"

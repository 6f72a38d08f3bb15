"""What a report of an evaluation tells, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xaimri.card.evidence import is_named
from xaimri.card.fact import Fact, counted, figure, told

LEVELS = {"subject": "By subject", "slice": "By slice"}

CLASS_FIGURES = {
    "recall": "sensitivity",
    "precision": "precision",
    "f1": "F1",
    "auroc": "AUROC",
    "average_precision": "average precision",
}
"""Figures of a class in a report, and what they are called here."""

POINT_FIGURES = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "positive_predictive_value": "positive predictive value",
    "negative_predictive_value": "negative predictive value",
}


def result_facts(report: Mapping[str, Any], source: str) -> dict[str, tuple[Fact, ...]]:
    """Return what a report tells, by the names that the items ask for."""
    whose = list(_whose(report))
    external = bool(_parts(report)) and set(_parts(report)) == {"none"}
    unreadable = len(report.get("failures", ()))
    many = f"{counted(report['images'], 'image')} of {counted(report['subjects'], 'subject')}"
    lost = [f"{counted(unreadable, 'case')} left out of the evaluation: the image can't be read."]
    return told(
        source,
        {
            "internal": [] if external else [f"Evaluated on {many}.", *whose],
            "external": [f"Evaluated on {many}.", *whose] if external else [],
            "flow": [f"Evaluated: {many}.", *(lost if unreadable else [])],
            "missing": lost if unreadable else [],
            "measures": [_measures(report)],
            "uncertainty": [_uncertainty(report)],
            "performance": [_overall(report, level) + _flattered(report) for level in LEVELS],
            "accuracy": [line for level in LEVELS for line in _classes(report, level)],
            "operating": list(_points(report)),
            "calibration": [line for level in LEVELS for line in _calibration(report, level)],
            "confusion": [line for level in LEVELS for line in _confusion(report, level)],
            "combination": ["By subject, the probabilities of a subject's images are averaged."],
            "limitations": [*report["notes"], *_unnamed(report)],
        },
    )


def _parts(report: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many cases are of which recorded part; nothing where that isn't recorded."""
    return (report.get("model") or {}).get("cases") or {}


def _whose(report: Mapping[str, Any]) -> Iterator[str]:
    parts = _parts(report)
    if not parts:
        yield "Which of the recorded parts the cases are of is not recorded."
        return
    names = {"train": "the training part", "validation": "the validation part", "test": "the test part"}
    listed = ", ".join(f"{counted(n, 'case')} of {names.get(part, 'no part')}" for part, n in parts.items())
    yield f"By the recorded split: {listed}."


def _flattered(report: Mapping[str, Any]) -> str:
    """Say that figures are too good, where they are."""
    parts = _parts(report)
    if parts.get("train"):
        return f" Too good: {counted(parts['train'], 'case')} of the training part are among them."
    if parts.get("validation"):
        many = counted(parts["validation"], "case")
        return f" Too good: {many} of the validation part, which chose the weights, are among them."
    return ""


def _unnamed(report: Mapping[str, Any]) -> list[str]:
    return [] if is_named(report) else ["The report does not say of which network it is."]


def _measures(report: Mapping[str, Any]) -> str:
    names = ["accuracy", "balanced accuracy", *CLASS_FIGURES.values(), "confusion matrix"]
    names += ["Brier score and expected calibration error"] if report["subject"].get("calibration") else []
    names += ["operating points"] if report.get("operating_points") else []
    return f"By slice and by subject: {', '.join(names)}."


def _uncertainty(report: Mapping[str, Any]) -> str:
    drawn = f" from {report['resamples']:,} resamples, seed {report['seed']}" if "resamples" in report else ""
    few = report.get("minimum_subjects", 0)
    classes = f"; classes of fewer than {few} subjects have no figures" if few else ""
    return f"{report['confidence']:.0%} intervals over subjects, in brackets{drawn}{classes}."


def _overall(report: Mapping[str, Any], level: str) -> str:
    found = report[level]
    return (
        f"{LEVELS[level]}: balanced accuracy {figure(found['balanced_accuracy'])}, accuracy "
        f"{figure(found['accuracy'])}, mean AUROC of the classes {figure(found['macro']['auroc'])}."
    )


def _classes(report: Mapping[str, Any], level: str) -> Iterator[str]:
    for name, found in report[level]["classes"].items():
        many = f"{counted(found['images'], 'image')} of {counted(found['subjects'], 'subject')}"
        figures = ", ".join(f"{words} {figure(found[key])}" for key, words in CLASS_FIGURES.items())
        told_of = found["note"] if found.get("note") else figures
        yield f"{LEVELS[level]}, {name} ({many}): {told_of}."


def _points(report: Mapping[str, Any]) -> Iterator[str]:
    for point in report.get("operating_points", ()):
        figures = ", ".join(f"{words} {figure(point[k])}" for k, words in POINT_FIGURES.items() if k in point)
        chosen = point.get("chosen")
        on = "" if chosen is None else f", chosen on {counted(chosen['subjects'], 'other subject')}"
        at = f"{point['positive']} at {point['threshold']:.3g} and above"
        yield f"By {point['level']}, {at}{on}: {figures}."


def _calibration(report: Mapping[str, Any], level: str) -> Iterator[str]:
    found = report[level].get("calibration")
    if found is None:
        return
    top = found["top"]
    chance = top.get("ece_of_chance")
    beside = "" if chance is None else f" (perfect probabilities would have {chance:.2f} by chance)"
    yield (
        f"{LEVELS[level]}: Brier score {figure(found['brier'])}; expected calibration error of the most "
        f"probable class {figure(top['ece'])}{beside}."
    )


def _confusion(report: Mapping[str, Any], level: str) -> Iterator[str]:
    for name, row in zip(report["classes"], report[level]["confusion"], strict=True):
        told_of = ", ".join(f"{other} {count}" for other, count in zip(report["classes"], row, strict=True))
        yield f"{LEVELS[level]}, truly {name}, predicted: {told_of}."

"""How sure a model is, set on people it was not trained on: the temperature of its logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xaimri.classifier import Classifier, Temperable
from xaimri.data.attendance import are_others, homes, keys_of
from xaimri.data.case import Dataset
from xaimri.data.unread import say_lost, say_unread, without_unread
from xaimri.endings import logits
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.evaluation.temperature import temperature_scaling
from xaimri.failure import Failure
from xaimri.images.intake import Intake
from xaimri.names import first_names
from xaimri.sources import Named, attempt
from xaimri.temperature import TemperatureScaling

TOLERANCE = 1e-3
"""How far logits that were divided may lie beside the quotient, in parts of their range."""


def calibrate(
    classifier: Classifier,
    intake: Intake,
    cases: Dataset,
    *,
    split: Mapping[str, Any] | None = None,
    origin: Mapping[str, Any] | None = None,
    independent: bool = False,
) -> tuple[Classifier, TemperatureScaling]:
    """Return a classifier as sure as it is right, and what its logits are divided by.

    Parameters
    ----------
    classifier, intake
        The model, and how images reach it.
    cases
        Of people that it was not trained on and is not to be tested on, such as those of validation.
    split, origin
        Of the model, where they are recorded: who must not be among the cases.
    independent
        True states that every case without a subject is of a person of its own.

    Raises
    ------
    InvalidInput
        If cases are of the recorded training or test part, or no temperature is the best.
    MissingCapability
        If the classifier can't be had with other logits, or is one of slices that is given volumes.
    """
    if not isinstance(classifier, Temperable):
        raise MissingCapability(
            f"a {type(classifier).__name__} has no `tempered(temperature)`, which returns it with all logits "
            "divided by a number: add that, or give a Keras network or a function."
        )
    if intake.slices is not None:
        raise MissingCapability(
            "a network of slices that is given volumes has no logits of a volume: calibrate it on slices, "
            "opened without `slices`, and open it with them then."
        )
    own = independent or (split is not None and split["by"] == "case")
    remarks = _apart(cases, split, origin)
    failures: list[Failure] = []

    def whole() -> Iterator[Named]:
        for case in cases:
            taken = attempt(Named(case.id, case), intake)
            if isinstance(taken, Failure):
                failures.append(taken)
            else:
                yield Named(case.id, taken)
        without_unread(cases, failures)

    scores = logits(classifier, intake, whole())
    left = without_unread(cases, failures)
    found = temperature_scaling(scores, left, classes=cases.classes, independent=own)
    tempered = classifier.tempered(found.temperature)
    _check(tempered, intake, left, scores / found.temperature)
    remarks += [*say_unread(failures, len(cases)), *say_lost(cases, failures)]
    by_subject = all(case.subject is not None for case in left)
    keys = sorted({str(case.subject) if by_subject else case.id for case in left})
    by = "subject" if by_subject else "case"
    return tempered, replace(found, by=by, keys=tuple(keys), remarks=(*found.remarks, *remarks))


def _apart(cases: Dataset, split: Mapping[str, Any] | None, origin: Mapping[str, Any] | None) -> list[str]:
    """See that nobody is of the training or the test part, or say that this can't be told."""
    if split is None:
        return ["Whether the network was trained on these cases is not recorded: they must be others."]
    if are_others(origin, cases.origin):
        return []
    part_of, same = homes(split), None in (origin, cases.origin) or origin == cases.origin
    told = list[str]()
    for part, why in (("train", "trained on"), ("test", "to be tested on")):
        met = [key for key in keys_of(cases, split) if key is not None and part_of.get(key) == part]
        if not met:
            continue
        whom = f"{split['by']}s that the network was {why}: {first_names(list(dict.fromkeys(met)))}"
        if same:
            raise InvalidInput(
                f"{len(met)} of {len(cases)} cases are of {whom}. Give cases of validation, or of others."
            )
        told.append(
            f"{len(met)} of {len(cases)} cases, read in another way than those, are named as {whom}. "
            "Are they the same, the temperature is of no use."
        )
    unknown = sum(key is None for key in keys_of(cases, split))
    if unknown:
        told.append(
            f"{unknown} of {len(cases)} cases have no subject, so whether the network was trained on them "
            "can't be told."
        )
    return told


def _check(tempered: Classifier, intake: Intake, cases: Dataset, expected: Any) -> None:
    """See that the logits are divided indeed: a classifier of somebody else's may do otherwise."""
    first = logits(tempered, intake, [Named(case.id, case) for case in cases.take(range(min(4, len(cases))))])
    gap = float(np.abs(_about(first) - _about(expected[: len(first)])).max())
    if not gap <= TOLERANCE * max(float(np.ptp(expected)), 1e-6):
        raise InvalidInput(
            f"`tempered` of a {type(tempered).__name__} gives logits that are {gap:.2g} beside the quotient: "
            "let it divide all logits, and leave the rest as it is."
        )


def _about(scores: Any) -> Any:
    """Return logits about their mean over the classes."""
    return scores - scores.mean(axis=1, keepdims=True)


def set_on(cases: Dataset, scaling: TemperatureScaling) -> tuple[str, ...]:
    """Say how many cases the temperature was learned from, if any: figures of calibration are too good there.

    Examples
    --------
    >>> from xaimri.data import Case
    >>> cases = Dataset(("a", "b"), (Case("1", 0, "S1", np.zeros((2, 2))),))
    >>> found = TemperatureScaling(2.0, 0.1, 1.8, 2.2, 0.9, 0.7, 8, 2, by="subject", keys=("S1", "S2"))
    >>> print(*set_on(cases, found))
    1 of 1 cases set the temperature: S1. What is said of their calibration is too good.
    """
    names = [str(case.subject) if scaling.by == "subject" else case.id for case in cases]
    met = [name for name in names if name in set(scaling.keys)]
    if not met:
        return ()
    return (
        f"{len(met)} of {len(cases)} cases set the temperature: {first_names(list(dict.fromkeys(met)))}. "
        "What is said of their calibration is too good.",
    )

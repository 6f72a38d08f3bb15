"""Judge explainers on cases: every metric of every map in one table, failures counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.data.case import Case, Dataset, check_ids
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import read_loader
from xaimri.data.persons import known_persons
from xaimri.endings import Opened
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.explainer import require
from xaimri.failure import Failure
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Row
from xaimri.judging.catalogue import as_metric
from xaimri.judging.trials import Result, measure_all
from xaimri.kinds import Anything, Stream
from xaimri.methods import Methods, build_named
from xaimri.metric import Curve, MaskEffect, Metric
from xaimri.objective import Of
from xaimri.perturb.progress import Watcher, watched
from xaimri.perturb.workload import repeated
from xaimri.rules import Choice
from xaimri.targets import Target, is_listed, resolve_targets

Aim: TypeAlias = Literal["predicted", "label"]
"""Which class is explained: the one that the model predicts, or the case's own."""

Measure: TypeAlias = str | Metric | Callable[..., Any]
"""A metric by name, as itself, or as a function of this library."""

Metrics: TypeAlias = Measure | Iterable[Measure]
"""One metric or several."""

T = TypeVar("T")

TOGETHER = 16
"""Cases that are explained, and measured, at once."""


@check_arguments(methods=Anything(), cases=Anything(), against=Anything(), progress=Anything())
def judge(
    model: Opened,
    methods: Methods,
    cases: Iterable[Case] | Loader,
    metrics: Metrics = ("deletion", "insertion"),
    *,
    target: Aim = "predicted",
    of: Of | None = None,
    against: Target = None,
    independent: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    progress: bool | Watcher = False,
    **settings: Any,
) -> Judgement:
    """Judge methods on a model that is open; as :func:`xaimri.evaluate_explanations`, which opens it."""
    explainers, measures = build_named(methods, settings), named_metrics(metrics)
    notes: tuple[str, ...] = ()
    if model.intake.slices is not None:
        raise InvalidInput(
            "methods are judged on the images that the network takes, here slices: give slices as the cases, "
            "and a model that was opened without `slices`."
        )
    if is_loader(cases):
        cases = read_loader(cases, axes=len(model.intake.shape) or 3)
        notes = cases.notes
    listed = cast("list[Case]", list(cases) if isinstance(cases, Iterable) else [cases])
    _check(listed, measures, target)
    Bootstrap(resamples, confidence, seed)  # in range, or told before hours of work
    for explainer in explainers.values():
        require(explainer, model.classifier)
    if of is not None:
        check_heeded("of", measures)
    other = _other(against, tuple(model.classifier.classes), measures)
    subjects = known_persons([case.id for case in listed], [case.subject for case in listed], independent)
    names = cases.classes if isinstance(cases, Dataset) else ()
    aims = (
        _aims(listed, names, tuple(model.classifier.classes)) if target == "label" else [None] * len(listed)
    )
    found = _Found(tuple(explainers))
    with watched(progress), repeated(len(listed)):
        for part in _parts(list(zip(listed, subjects, aims, strict=True))):
            for result in measure_all(explainers, model, part, measures, other, of):
                found.add(result)
    return Judgement(
        tuple(found.rows),
        found.explainers,
        measures,
        {name: explainer.record() for name, explainer in explainers.items()},
        {key: tuple(each) for key, each in found.curves.items()},
        confidence,
        resamples,
        seed,
        None if other is None else next((row.against for row in found.rows if row.against), str(other)),
        found.effects,
        notes,
        found.counts(),
        of,
    )


@dataclass
class _Found:
    """What was measured so far.

    Attributes
    ----------
    explainers
        Names of the methods.
    rows, curves, effects
        In the order of the cases; curves by method and metric, effects of a mask by case.
    caveats
        By method and caveat the cases that have it.
    """

    explainers: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    curves: dict[tuple[str, str], list[Curve]] = field(default_factory=dict)
    effects: dict[str, MaskEffect | Failure] = field(default_factory=dict)
    caveats: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Take one more result."""
        row = result.row
        self.rows.append(row)
        for caveat in result.caveats:
            self.caveats.setdefault((row.explainer, caveat), set()).add(row.case)
        if result.effect is not None:
            self.effects[row.case] = result.effect
        if result.curve is not None:
            self.curves.setdefault((row.explainer, row.metric), []).append(result.curve)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return on how many cases each caveat lies, by method, of those that have any."""
        told: dict[str, dict[str, int]] = {name: {} for name in self.explainers}
        for (name, caveat), on in self.caveats.items():
            told[name][caveat] = len(on)
        return {name: each for name, each in told.items() if each}


def _check(cases: Sequence[Case], metrics: Mapping[str, Metric], target: str) -> None:
    """See that a judgement can be made of these, before hours of work."""
    if not cases:
        raise InvalidInput("there are no cases: give at least one.")
    Choice(get_args(Aim)).convert(target, "target")
    if not all(isinstance(case, Case) for case in cases):
        raise InvalidInput(
            "`cases` must be a data set or a list of cases: read one with xaimri.data, or make a case with "
            "xaimri.data.Case(id, label, subject, source)."
        )
    check_ids(cases)
    if all(case.mask is None for case in cases):
        for metric in metrics.values():
            if "region" in metric.needs:
                raise InvalidInput(f"{metric.name!r} needs a region, and no case has a mask: leave it out.")


def check_heeded(asked: str, metrics: Mapping[str, Metric]) -> None:
    """See that what is asked reaches the metrics that explain by themselves."""
    for metric in metrics.values():
        if metric.measures == "explainer" and not metric.takes(asked):
            raise InvalidInput(
                f"the metric {metric.name!r} explains by itself and takes no `{asked}`, so it would measure "
                f"maps of another score: give its function a parameter `{asked}`, or leave it out."
            )


def _other(against: Target, classes: tuple[str, ...], metrics: Mapping[str, Metric]) -> Target:
    """Return the class that the others are held against, if there is such a one and every metric heeds it."""
    if against is None:
        return None
    if is_listed(against):
        raise InvalidInput("`against` must be one class for all cases, got a list.")
    check_heeded("against", metrics)
    if classes:
        resolve_targets(against, classes, 1, "against")
    return against


def named_metrics(metrics: Metrics) -> dict[str, Metric]:
    """Return one metric or several by their names.

    Raises
    ------
    InvalidInput
        If there is none, or two have one name.
    """
    if isinstance(metrics, str | Metric) or callable(metrics):
        metrics = [metrics]
    listed = cast("Iterable[Measure]", Stream().convert(metrics, "metrics"))
    built = [as_metric(metric) for metric in listed]
    named = {metric.name: metric for metric in built}
    if not named or len(named) < len(built):
        raise InvalidInput(
            "`metrics` must be at least one, each with a name of its own: rename one with "
            "Metric(name, function, better)."
        )
    return named


def _parts(cases: Sequence[T]) -> list[list[T]]:
    """Cut the cases into even parts of at most so many as are taken at once."""
    cut = np.array_split(np.arange(len(cases)), -(-len(cases) // TOGETHER))
    return [[cases[int(place)] for place in part] for part in cut]


def _aims(cases: Sequence[Case], names: Sequence[str], classes: tuple[str, ...]) -> list[Target]:
    """Return every case's own class, by name where the model knows the names, else by index."""
    wrong = [case for case in cases if not 0 <= case.label < (len(names) or len(classes) or case.label + 1)]
    if wrong:
        raise InvalidInput(f"the label {wrong[0].label} of the case {wrong[0].id!r} is none of the classes.")
    held = {names[case.label] for case in cases} if names else set()
    if held and held <= set(classes):
        return [names[case.label] for case in cases]
    nameless = classes == tuple(f"class_{n}" for n in range(len(classes)))
    if names and not (nameless and len(classes) in (0, len(names))):
        raise InvalidInput(
            f"the model knows {', '.join(map(repr, classes))}, and the cases hold "
            f"{min(held - set(classes))!r}: name its classes as the data's, or explain the predicted ones."
        )
    return [case.label for case in cases]

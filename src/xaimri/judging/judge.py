"""Judge explainers on cases: every metric of every map in one table, failures counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.data.case import Case, Dataset, check_ids
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import read_loader
from xaimri.endings import Opened
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.explainer import require
from xaimri.failure import Failure
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Row
from xaimri.judging.catalogue import as_metric
from xaimri.judging.trials import measure_all
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
    explainers, measures = build_named(methods, settings), _metrics(metrics)
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
        _check_heeded("of", measures)
    other = _other(against, tuple(model.classifier.classes), measures)
    subjects = _subjects(listed, independent)
    names = cases.classes if isinstance(cases, Dataset) else ()
    aims = (
        _aims(listed, names, tuple(model.classifier.classes)) if target == "label" else [None] * len(listed)
    )
    rows: list[Row] = []
    curves: dict[tuple[str, str], list[Curve]] = {}
    effects: dict[str, MaskEffect | Failure] = {}
    caveats: dict[str, dict[str, set[str]]] = {name: {} for name in explainers}
    with watched(progress), repeated(len(listed)):
        for part in _parts(list(zip(listed, subjects, aims, strict=True))):
            for result in measure_all(explainers, model, part, measures, other, of):
                rows.append(result.row)
                for caveat in result.caveats:
                    caveats[result.row.explainer].setdefault(caveat, set()).add(result.row.case)
                if result.effect is not None:
                    effects[result.row.case] = result.effect
                if result.curve is not None:
                    curves.setdefault((result.row.explainer, result.row.metric), []).append(result.curve)
    return Judgement(
        tuple(rows),
        tuple(explainers),
        measures,
        {name: explainer.record() for name, explainer in explainers.items()},
        {key: tuple(each) for key, each in curves.items()},
        confidence,
        resamples,
        seed,
        None if other is None else next((row.against for row in rows if row.against), str(other)),
        effects,
        notes,
        {name: {each: len(on) for each, on in found.items()} for name, found in caveats.items() if found},
        of,
    )


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


def _check_heeded(asked: str, metrics: Mapping[str, Metric]) -> None:
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
    _check_heeded("against", metrics)
    if classes:
        resolve_targets(against, classes, 1, "against")
    return against


def _metrics(metrics: Metrics) -> dict[str, Metric]:
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


def _subjects(cases: Sequence[Case], independent: bool) -> list[str]:
    unknown = sum(case.subject is None for case in cases)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(cases)} cases have no subject, and the intervals are over subjects: give "
            "`independent=True` if each such image is of its own person."
        )
    return [f"case {case.id}" if case.subject is None else str(case.subject) for case in cases]


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

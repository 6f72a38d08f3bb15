"""Explain and measure a few cases by every method: a row for each, the failures among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, SupportsFloat, TypeAlias, TypeVar, cast

import numpy as np

from xaimri.arrays import Mask
from xaimri.data.case import Case
from xaimri.endings import Ending, Opened, endings
from xaimri.errors import Cancelled, InvalidInput, XaimriError
from xaimri.explainer import Explainer
from xaimri.explainers.anatomy import for_scan
from xaimri.explanation import Explanation
from xaimri.failure import Failure
from xaimri.images.foreground import foreground
from xaimri.images.mask import mask_on_grid, read_mask
from xaimri.images.picture import Picture
from xaimri.images.taken import Taken
from xaimri.judgement.rows import Row
from xaimri.metric import Curve, MaskEffect, Metric
from xaimri.metrics.mask_effect import mask_effect
from xaimri.metrics.score import refuse_constant
from xaimri.objective import Of
from xaimri.questions import Question
from xaimri.sources import Named
from xaimri.targets import Target, resolve_targets

T = TypeVar("T")

MASKLESS, UNREAD = "the case has no mask", "no metric asks for the mask"

NOTHING = (
    "the metric is not defined for this map (it is empty, constant, changes nothing, or has no other to be "
    "compared with)"
)


@dataclass(frozen=True, eq=False)
class Trial:
    """A case as it is judged: its subject, the class to explain, and the image on the model's grid.

    ``region`` is its mask there, or why there is none.
    """

    case: Case
    subject: str
    target: Target
    taken: Taken
    region: Mask | Failure
    within: Mask


@dataclass(frozen=True, eq=False)
class Result:
    """A row of the judgement, what is behind its value, and the caveats on its map.

    ``curve`` is that of the value, and ``effect`` what erasing the case's mask does, each if there is one.
    """

    row: Row
    curve: Curve | None = None
    effect: MaskEffect | Failure | None = None
    caveats: tuple[str, ...] = ()


Value: TypeAlias = SupportsFloat | Failure
"""What a metric says of one map, or why nothing."""

Key: TypeAlias = tuple[str, int]
"""Name of the explainer, and place of the case."""


def trial_of(
    case: Case,
    subject: str,
    target: Target,
    model: Opened,
    against: Target = None,
    *,
    masked: bool = True,
) -> Trial | Failure:
    """Bring a case to the model's grid, or say why it can't be brought there, or not be asked about.

    Its mask is read where a metric asks for it.
    """
    same = None if target is None or against is None else _shared(target, against, model)
    if same is not None:
        return Failure(case.id, "explain", f"the case's own class is {same!r}, the one to hold it against")
    taken = model.intake.attempt(case.id, case.source)
    if isinstance(taken, Failure):
        return taken
    region = _region(case, taken, model) if masked else Failure(case.id, "read", UNREAD)
    return Trial(case, subject, target, taken, region, foreground(taken.fitted))


def _region(case: Case, taken: Taken, model: Opened) -> Mask | Failure:
    """Bring a case's mask to the model's grid, or say why it can't be brought there."""
    if case.mask is None:
        return Failure(case.id, "measure", MASKLESS)
    try:
        lies = Picture(taken.image, taken.spacing, taken.affine).on(taken.scan)
        mask = read_mask(case.mask, taken.image.shape[:-1], layout=model.intake.layout, image=lies)
        return mask_on_grid(mask, taken.grid)
    except InvalidInput as fault:
        return Failure(case.id, "read", str(fault))


def _shared(target: Target, against: Target, model: Opened) -> Target:
    """Return the class that two words mean, by name where there are names; None where they mean two."""
    classes = tuple(model.classifier.classes)
    if not classes:
        return target if target == against else None
    one, other = resolve_targets([target, against], classes, 2)
    return classes[one] if one == other and one is not None else None


def measure_all(
    explainers: Mapping[str, Explainer[Any]],
    model: Opened,
    cases: Sequence[tuple[Case, str, Target]],
    metrics: Mapping[str, Metric],
    against: Target = None,
    of: Of | None = None,
) -> Iterator[Result]:
    """Yield every result, ordered by metric, explainer and case; the maps are made once."""
    masked = any("region" in metric.needs for metric in metrics.values())
    tried = [trial_of(*one, model, against, masked=masked) for one in cases]
    trials = {place: trial for place, trial in enumerate(tried) if isinstance(trial, Trial)}
    made: dict[Key, Ending] = {}
    for name, explainer in explainers.items():
        for place, trial in enumerate(tried):
            if isinstance(trial, Failure):
                made[name, place] = trial
        asked = [
            Question(Named(trial.case.id, trial.taken), trial.target, against=against)
            for trial in trials.values()
        ]
        ends = endings(model.classifier, model.intake, explainer, asked, of=of, on_grid=True)
        made |= {(name, place): ending for place, (_, ending) in zip(trials, ends, strict=True)}
    yield from measured(explainers, model, cases, tried, made, metrics, of)


def measured(
    explainers: Mapping[str, Explainer[Any] | None],
    model: Opened,
    cases: Sequence[tuple[Case, str, Target]],
    tried: Sequence[Trial | Failure],
    made: Mapping[Key, Ending],
    metrics: Mapping[str, Metric],
    of: Of | None = None,
) -> Iterator[Result]:
    """Yield every result of maps that are made, ordered by metric, explainer and case.

    Explainers can be None where no metric explains by itself; ``tried`` has an entry for each case.
    """
    masked = any("region" in metric.needs for metric in metrics.values())
    trials = {place: trial for place, trial in enumerate(tried) if isinstance(trial, Trial)}
    maps = {key: ending for key, ending in made.items() if isinstance(ending, Explanation)}
    erasing = _erasing(metrics)
    followed = maps if erasing in metrics.values() else _first(maps) if masked else {}
    erased = _values(erasing, explainers, followed, model, trials, of)
    effects = _effects(erased, trials)
    for metric in metrics.values():
        values = erased if metric is erasing else _values(metric, explainers, maps, model, trials, of)
        for name in explainers:
            for place, (case, subject, _) in enumerate(cases):
                ending = made[name, place]
                value = ending if isinstance(ending, Failure) else values[name, place]
                row = Row(name, metric.name, case.id, subject, "", float("nan"))
                odd: tuple[str, ...] = ()
                if isinstance(ending, Explanation):
                    row = replace(row, target=ending.target_class, against=ending.against_class or "")
                    odd = tuple(caveat.name for caveat in ending.caveats)
                yield replace(_result(row, value), effect=effects.get(place), caveats=odd)


def _erasing(metrics: Mapping[str, Metric]) -> Metric:
    """Return the metric of what erasing the mask does: the caller's own, else as it is by default."""
    for metric in metrics.values():
        function = metric.function.func if isinstance(metric.function, partial) else metric.function
        if function is mask_effect and metric.needs == ("classifier", "region"):
            return metric
    return Metric("mask_effect", mask_effect, "higher", ("classifier", "region"))


def _first(maps: Mapping[Key, Explanation]) -> dict[Key, Explanation]:
    """Return the first map of every case."""
    found: dict[int, Key] = {}
    for key in maps:
        found.setdefault(key[1], key)
    return {key: maps[key] for key in found.values()}


def _effects(erased: Mapping[Key, Value], trials: Mapping[int, Trial]) -> dict[int, MaskEffect | Failure]:
    """Return what erasing the mask of a case does, of the first map, where there is a mask."""
    found: dict[int, MaskEffect | Failure] = {}
    for (_, place), value in erased.items():
        if isinstance(trials[place].region, np.ndarray) and isinstance(value, MaskEffect | Failure):
            found.setdefault(place, value)
    return found


def _result(row: Row, value: Value) -> Result:
    """Put a value into its row; what is no number is none of the map's."""
    if not isinstance(value, Failure) and not np.isfinite(float(value)):
        value = Failure(row.case, "measure", NOTHING)
    if isinstance(value, Failure):
        return Result(replace(row, failure=value))
    curve = value if isinstance(value, Curve) else None
    return Result(replace(row, value=float(value)), curve)


def _values(
    metric: Metric,
    explainers: Mapping[str, Explainer[Any] | None],
    maps: Mapping[Key, Explanation],
    model: Opened,
    trials: Mapping[int, Trial],
    of: Of | None,
) -> dict[Key, Value]:
    """Return what a metric says of every map: maps of one shape together, or explainer by explainer."""
    found: dict[Key, Value] = {}
    groups: dict[tuple[int, ...], list[Key]] = {}
    for key, explanation in maps.items():
        trial = trials[key[1]]
        still = attempt(partial(refuse_constant, explanation), trial)
        if isinstance(still, Failure):
            found[key] = still
        elif "region" in metric.needs and isinstance(trial.region, Failure):
            found[key] = trial.region
        elif metric.measures == "explainer":
            found[key] = _alone(
                metric, cast(Explainer[Any], explainers[key[0]]), explanation, model, trial, of
            )
        else:
            groups.setdefault(explanation.image.shape, []).append(key)
    for keys in groups.values():
        each = [(maps[key], trials[key[1]]) for key in keys]
        found |= dict(zip(keys, _together(metric, each, model), strict=True))
    return found


def _together(metric: Metric, maps: Sequence[tuple[Explanation, Trial]], model: Opened) -> list[Value]:
    """Measure maps together; if one of them can't be measured, each alone, to find out which."""
    trials = [trial for _, trial in maps]
    context: dict[str, Any] = {
        "classifier": model.classifier,
        "region": [trial.region for trial in trials],
        "within": [trial.within for trial in trials],
    }
    given = [context[need] for need in metric.needs]
    found = attempt(lambda: metric.function([explanation for explanation, _ in maps], *given), trials[0])
    if isinstance(found, Failure):
        if len(maps) == 1:
            return [found]
        return [value for one in maps for value in _together(metric, [one], model)]
    if not hasattr(found, "__len__") or len(found) != len(maps):
        raise InvalidInput(
            f"the metric {metric.name!r} must give one value for each of {len(maps)} explanations: return an "
            "array or a list."
        )
    return list(found)


def _alone(
    metric: Metric, explainer: Explainer[Any], made: Explanation, model: Opened, trial: Trial, of: Of | None
) -> Value:
    """Call a metric that explains by itself with what it asks for."""
    context: dict[str, Any] = {
        "classifier": model.classifier,
        "image": trial.taken.fitted,
        "target": made.target,
        "region": trial.region,
        "within": trial.within,
    }
    given = [context[need] for need in metric.needs]
    asked = {name: value for name, value in (("of", of), ("against", made.against)) if value is not None}
    found: Value = attempt(lambda: metric.function(for_scan(explainer, trial.taken), *given, **asked), trial)
    return found


def attempt(call: Callable[[], T], trial: Trial) -> T | Failure:
    """Return what a metric gives, or why it gives nothing; a cancelled run stays cancelled."""
    try:
        return call()
    except Cancelled:
        raise
    except XaimriError as fault:
        return Failure(trial.case.id, "measure", str(fault))

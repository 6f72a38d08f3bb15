"""Explain and measure a few cases; whatever fails is noted with its sentence, and stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np

from xaimri.arrays import Image, Mask
from xaimri.classifier import Classifier
from xaimri.data.case import Case
from xaimri.errors import Cancelled, InvalidInput, XaimriError
from xaimri.explainer import Explainer, Target
from xaimri.explanation import Explanation
from xaimri.judging.catalogue import Metric

T = TypeVar("T")

MASKLESS = "the case has no mask"


@dataclass(frozen=True, eq=False)
class Trial:
    """A case as the classifier sees it."""

    case: Case
    image: Image
    region: Mask | None
    within: Mask
    target: Target


Result: TypeAlias = tuple[str, str, int, Any, str, str | None]
"""Explainer, metric, number of the case, what was found, the class, and why there is nothing."""


def judged(
    explainers: Mapping[str, Explainer[Any]],
    model: Classifier,
    given: Sequence[Trial | str],
    metrics: Mapping[str, Metric],
) -> Iterator[Result]:
    """Yield every result, ordered by metric, explainer and case; the maps are made once.

    A case that could not be read is given as the sentence why.
    """
    trials = {number: trial for number, trial in enumerate(given) if isinstance(trial, Trial)}
    maps: dict[tuple[str, int], Explanation] = {}
    failed = {(name, n): why for n, why in enumerate(given) if isinstance(why, str) for name in explainers}
    for name, explainer in explainers.items():
        for number, found in zip(trials, _explained(explainer, model, list(trials.values())), strict=True):
            if isinstance(found, Explanation):
                maps[name, number] = found
            else:
                failed[name, number] = found
    for metric in metrics.values():
        found_: dict[tuple[str, int], Any] = {}
        if metric.of_explainer:
            for key, own in maps.items():
                found_[key] = _alone(metric, explainers[key[0]], own.target, model, trials[key[1]])
        else:
            found_ = _measured(metric, maps, model, trials)
        for name in explainers:
            for number in range(len(given)):
                key = name, number
                if key in failed:
                    yield name, metric.name, number, None, "", failed[key]
                    continue
                value, to = found_[key], maps[key].target_class
                bad = value if isinstance(value, str) else None
                yield name, metric.name, number, None if bad else value, to, bad


def _explained(
    explainer: Explainer[Any], model: Classifier, trials: Sequence[Trial]
) -> list[Explanation | str]:
    """Return each trial's map, or why there is none; images of one shape are explained together."""

    def made(some: Sequence[Trial]) -> list[Explanation]:
        images, targets = np.stack([t.image for t in some]), [t.target for t in some]
        return list(explainer.explain(model, images, targets))

    if len({trial.image.shape for trial in trials}) == 1:
        together = attempted(lambda: made(trials))
        if not isinstance(together, str):
            return [*together]
    alone = [attempted(partial(made, [trial])) for trial in trials]
    return [each if isinstance(each, str) else each[0] for each in alone]


def _measured(
    metric: Metric,
    maps: Mapping[tuple[str, int], Explanation],
    model: Classifier,
    trials: Mapping[int, Trial],
) -> dict[tuple[str, int], Any]:
    """Return what a metric says of every map, or why nothing: maps of one shape together."""
    groups: dict[tuple[int, ...], list[tuple[str, int]]] = {}
    found: dict[tuple[str, int], Any] = {}
    for key, explanation in maps.items():
        if "region" in metric.needs and trials[key[1]].region is None:
            found[key] = MASKLESS
        else:
            groups.setdefault(explanation.image.shape, []).append(key)
    for keys in groups.values():
        each = [maps[key] for key in keys]
        values = _together(metric, each, model, [trials[key[1]] for key in keys])
        if isinstance(values, str):  # one of them can't be measured: find out which
            pairs = zip(keys, each, strict=True)
            values = [_together(metric, [one], model, [trials[key[1]]]) for key, one in pairs]
            values = [value if isinstance(value, str) else value[0] for value in values]
        found |= dict(zip(keys, values, strict=True))
    return found


def _together(metric: Metric, maps: Sequence[Explanation], model: Classifier, trials: Sequence[Trial]) -> Any:
    """Call a metric of maps with what it asks for, or return the sentence of its error."""
    context: dict[str, Any] = {
        "classifier": model,
        "region": [trial.region for trial in trials],
        "within": [trial.within for trial in trials],
    }
    given = {name: context[name] for name in metric.needs}
    found = attempted(lambda: metric.function(maps, **given))
    if not hasattr(found, "__len__") or (len(found) != len(maps) and not isinstance(found, str)):
        raise InvalidInput(
            f"the metric {metric.name!r} must give one value for each of {len(maps)} explanations: return an "
            "array or a list."
        )
    return found


def _alone(metric: Metric, explainer: Explainer[Any], target: int, model: Classifier, trial: Trial) -> Any:
    """Call a metric that explains by itself with what it asks for, or return the sentence of its error."""
    if "region" in metric.needs and trial.region is None:
        return MASKLESS
    context: dict[str, Any] = {
        "explainer": explainer,
        "classifier": model,
        "image": trial.image,
        "target": target,
        "region": trial.region,
        "within": trial.within,
    }
    given = {name: context[name] for name in metric.needs}
    return attempted(lambda: metric.function(**given))


def attempted(call: Callable[[], T]) -> T | str:
    """Return what a call gives, or the sentence of its error; a cancelled run stays cancelled."""
    try:
        return call()
    except Cancelled:
        raise
    except XaimriError as error:
        return str(error)

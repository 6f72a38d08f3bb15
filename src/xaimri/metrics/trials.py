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
from xaimri.errors import Cancelled, XaimriError
from xaimri.explainer import Explainer, Target
from xaimri.explanation import Explanation
from xaimri.metrics.catalogue import Metric

T = TypeVar("T")


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
                asked = {"explainer": explainers[key[0]], "target": own.target}
                found_[key] = _attempt(metric, [], model, [trials[key[1]]], asked)
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
            found[key] = "the case has no mask"
        else:
            groups.setdefault(explanation.image.shape, []).append(key)
    for keys in groups.values():
        each = [maps[key] for key in keys]
        values = _attempt(metric, each, model, [trials[key[1]] for key in keys], {})
        if isinstance(values, str):  # one of them can't be measured: find out which
            values = [
                _attempt(metric, [one], model, [trials[key[1]]], {})
                for key, one in zip(keys, each, strict=True)
            ]
            values = [value if isinstance(value, str) else value[0] for value in values]
        found |= dict(zip(keys, values, strict=True))
    return found


def _attempt(
    metric: Metric,
    explanations: Sequence[Explanation],
    model: Classifier,
    trials: Sequence[Trial],
    given: Mapping[str, Any],
) -> Any:
    """Call a metric with what it asks for; return the sentence of an error instead of raising it."""
    context: dict[str, Any] = {
        "classifier": model,
        "image": trials[0].image,
        "region": [trial.region for trial in trials],
        "within": [trial.within for trial in trials],
        **given,
    }
    if not explanations:
        context |= {"region": trials[0].region, "within": trials[0].within}
    wanted = {name: context[name] for name in metric.needs if name in context}
    return attempted(lambda: metric.function(*([explanations] if explanations else []), **wanted))


def attempted(call: Callable[[], T]) -> T | str:
    """Return what a call gives, or the sentence of its error; a cancelled run stays cancelled."""
    try:
        return call()
    except Cancelled:
        raise
    except XaimriError as error:
        return str(error)

"""The metrics by name: what each measures and must be given, and which values of it are better."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, shown
from xaimri.kinds import Anything
from xaimri.metric import MUTATIONS, Better, Metric, Mutation, Need
from xaimri.metrics.agreement import faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.completeness import completeness_gap
from xaimri.metrics.complexity import entropy, sparseness
from xaimri.metrics.curve import deletion, insertion
from xaimri.metrics.localisation import auprc, pointing_game, relevance_mass, relevance_rank
from xaimri.metrics.mask_effect import mask_effect
from xaimri.metrics.overlap import dice, iou
from xaimri.metrics.probability_drop import average_drop, average_increase
from xaimri.metrics.road import road
from xaimri.metrics.robustness import max_sensitivity, repeatability, seed_stability
from xaimri.metrics.sanity import label_randomisation, randomisation
from xaimri.metrics.transport import mover_similarity
from xaimri.names import known_name

RANDOM, SHARE = "a random map's", "the region's share of the object"

SHARP: tuple[Mutation, ...] = ("negated", "shifted", "other class", "untrained")
"""What is seen by metrics that a blurred map deceives."""

AMOUNTS: tuple[Mutation, ...] = ("negated", "other class", "untrained")
"""What is seen by metrics that ask how much, and not where."""

POINT: tuple[Mutation, ...] = ("negated", "shifted", "other class")
"""What is seen by a metric of the strongest pixel."""


def _by_name(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


def _faithfulness(function: Callable[..., Any], better: Better, chance: str, *sees: Mutation) -> Metric:
    """Return a metric of maps that asks the model, under its function's name."""
    return Metric(function.__name__, function, better, ("classifier",), chance=chance, sees=sees)


def _localisation(function: Callable[..., Any], chance: str, *sees: Mutation) -> Metric:
    """Return a metric of maps against a mask, under its function's name."""
    return Metric(function.__name__, function, "higher", ("region", "within"), chance=chance, sees=sees)


def _complexity(function: Callable[..., Any], better: Better) -> Metric:
    """Return a metric of the maps alone, under its function's name."""
    return Metric(function.__name__, function, better, sees=("flat",))


def _of_explainer(function: Callable[..., Any], better: Better, chance: str, *sees: Mutation) -> Metric:
    """Return a metric of an explainer, under its function's name."""
    needs: tuple[Need, ...] = ("classifier", "image", "target")
    return Metric(function.__name__, function, better, needs, "explainer", chance, sees)


METRICS: Mapping[str, Metric] = _by_name(
    _faithfulness(deletion, "lower", RANDOM, *MUTATIONS),
    _faithfulness(insertion, "higher", RANDOM, *MUTATIONS),
    _faithfulness(road, "higher", "0", *MUTATIONS),
    _faithfulness(average_drop, "lower", RANDOM, *SHARP),
    _faithfulness(average_increase, "higher", RANDOM),
    _faithfulness(infidelity, "lower", "a little less than 1", *MUTATIONS),
    _faithfulness(sensitivity_n, "higher", "0", *MUTATIONS),
    _faithfulness(faithfulness_correlation, "higher", "0", *MUTATIONS),
    _faithfulness(completeness_gap, "lower", "1 for values that add up to 0", *AMOUNTS),
    _localisation(relevance_mass, SHARE, *MUTATIONS),
    _localisation(relevance_rank, SHARE, *MUTATIONS),
    _localisation(pointing_game, SHARE, *POINT),
    _localisation(iou, RANDOM, *MUTATIONS),
    _localisation(dice, RANDOM, *MUTATIONS),
    _localisation(auprc, SHARE, *MUTATIONS),
    _localisation(mover_similarity, "an even map's", "shifted"),
    Metric("mask_effect", mask_effect, "higher", ("classifier", "region"), chance="the same number"),
    _complexity(sparseness, "higher"),
    _complexity(entropy, "lower"),
    _of_explainer(max_sensitivity, "lower", "about 1.4"),
    _of_explainer(seed_stability, "higher", "0"),
    _of_explainer(randomisation, "lower", "1", "untrained"),
)
"""The metrics that need nothing beyond an explainer, a classifier and a case."""

CONTROLS: Mapping[str, Metric] = _by_name(
    _of_explainer(repeatability, "higher", "0"),
    _of_explainer(label_randomisation, "lower", "0"),
)
"""The metrics that compare with a second network, which is bound: ``partial(repeatability, other=again)``."""


@check_arguments(metric=Anything())
def as_metric(metric: str | Metric | Callable[..., Any]) -> Metric:
    """Return the metric of a name, or of a function of this library with settings bound.

    Raises
    ------
    InvalidInput
        If it isn't known, or asks for something that it isn't given.

    Examples
    --------
    >>> as_metric("road").better, as_metric(partial(deletion, absent=0.0)).name
    ('higher', 'deletion')
    """
    if isinstance(metric, Metric):
        found = metric
    elif isinstance(metric, str):
        found = {**METRICS, **CONTROLS}[known_name(metric, [*METRICS, *CONTROLS], "metric")]
    else:
        found = _bound(metric)
    found.check_call()
    return found


def _bound(function: Callable[..., Any]) -> Metric:
    """Return the metric that a function of this library is, whatever settings are bound."""
    inner = function.func if isinstance(function, partial) else function
    for known in (*METRICS.values(), *CONTROLS.values()):
        if known.function is inner:
            return replace(known, function=function, needs=_free_needs(known, function))
    raise InvalidInput(
        f"{shown(getattr(inner, '__name__', inner))} is no metric of this library: give "
        "Metric(name, function, better, needs)."
    )


def _free_needs(known: Metric, function: Callable[..., Any]) -> tuple[Need, ...]:
    """Return what a metric still needs where some of it is bound as a setting, such as ``within=None``."""
    bound = function.keywords if isinstance(function, partial) else {}
    names = list(inspect.signature(known.function).parameters)[1:]
    free = tuple(need for need, name in zip(known.needs, names, strict=False) if name not in bound)
    if free != known.needs[: len(free)]:
        raise InvalidInput(
            f"{known.name!r} can't be given `{free[-1]}` with what stands before it bound: give "
            "Metric(name, function, better, needs) with a function that takes them in its own order."
        )
    return free

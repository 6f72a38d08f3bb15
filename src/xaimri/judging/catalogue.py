"""The metrics by name: what each measures and must be given, and which values of it are better."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from xaimri.errors import InvalidInput
from xaimri.judging.mutants import MUTATIONS, Mutation
from xaimri.metrics.agreement import faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.completeness import completeness_gap
from xaimri.metrics.complexity import entropy, sparseness
from xaimri.metrics.curve import deletion, insertion
from xaimri.metrics.localisation import auprc, pointing_game, relevance_mass, relevance_rank
from xaimri.metrics.overlap import dice, iou
from xaimri.metrics.probability_drop import average_drop, average_increase
from xaimri.metrics.road import road
from xaimri.metrics.robustness import max_sensitivity, repeatability, seed_stability
from xaimri.metrics.sanity import label_randomisation, randomisation
from xaimri.metrics.transport import mover_similarity

Better: TypeAlias = Literal["higher", "lower"]

Measures: TypeAlias = Literal["maps", "explainer"]
"""What a metric measures: a list of explanations, or an explainer, which it lets explain by itself."""

Need: TypeAlias = Literal["classifier", "region", "within", "image", "target"]
"""What a metric can be given beside that:

``"classifier"``: the model; ``"region"``: a mask of where the answer lies; ``"within"``: of where the object
does, such as the brain. A metric of maps is given a mask for each of them; one of an explainer is asked case
by case, and can have its ``"image"`` and the ``"target"`` that is explained too."""


@dataclass(frozen=True)
class Metric:
    """A measure with a name and a direction.

    Attributes
    ----------
    name
        How it stands in tables.
    function
        Called with what it measures, and then with what it ``needs``, in that order and by position: the
        names of its parameters don't matter. It gives one number for each of a list of explanations; for an
        explainer a single one. All other parameters must have defaults: bind them with
        :func:`functools.partial`.
    better
        ``"higher"`` or ``"lower"``.
    needs
        What it is given, of ``"classifier"``, ``"region"``, ``"within"``, and for a metric of an explainer
        ``"image"`` and ``"target"``.
    measures
        ``"maps"`` or ``"explainer"``.
    chance
        What a map that knows nothing gets, in words.
    sees
        The mutations that it claims to see: that it ranks a right map above one made wrong so.

    Raises
    ------
    InvalidInput
        If a field holds what it can't.

    Examples
    --------
    >>> def outside(maps, objects):
    ...     return [abs(each.values[~where]).sum() for each, where in zip(maps, objects)]
    >>> Metric("outside", outside, "lower", needs=("within",)).measures
    'maps'
    """

    name: str
    function: Callable[..., Any]
    better: Better
    needs: tuple[Need, ...] = ()
    measures: Measures = "maps"
    chance: str = "a random map's"
    sees: tuple[Mutation, ...] = ()

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower"):
            raise InvalidInput(f'`better` must be "higher" or "lower", got {self.better!r}.')
        if self.measures not in ("maps", "explainer"):
            raise InvalidInput(f'`measures` must be "maps" or "explainer", got {self.measures!r}.')
        known = get_args(Need) if self.measures == "explainer" else ("classifier", "region", "within")
        object.__setattr__(self, "needs", _some_of("needs", known, self.needs))
        object.__setattr__(self, "sees", _some_of("sees", MUTATIONS, self.sees))

    def check_call(self) -> None:
        """See that the function can be called with what it measures and needs, and nothing else.

        Raises
        ------
        InvalidInput
            If it asks for more, or takes less.
        """
        signature = inspect.signature(self.function)
        given = (self.measures, *self.needs)
        try:
            taken = signature.bind_partial(*given).arguments
        except TypeError as wrong:
            raise InvalidInput(
                f"{self.name!r} can't be called with {', '.join(given)}, one after the other ({wrong}): "
                "say in `needs` what it takes."
            ) from wrong
        for name, parameter in signature.parameters.items():
            if name not in taken and _lacks_default(parameter):
                raise InvalidInput(
                    f"{self.name!r} needs `{name}`: bind it, with functools.partial(..., {name}=...), or say "
                    f"in `needs` which of {', '.join(map(repr, get_args(Need)))} it is."
                )


def _some_of(field: str, known: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a field holds as a tuple, if all of it is known and stands once."""
    wrong = [each for each in given if each not in known or list(given).count(each) > 1]
    if wrong:
        raise InvalidInput(f"`{field}` must hold some of {', '.join(known)}, each once, got {wrong[0]!r}.")
    return tuple(given)


def _lacks_default(parameter: inspect.Parameter) -> bool:
    several = parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and not several


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
        if metric not in {**METRICS, **CONTROLS}:
            raise InvalidInput(f"there is no metric {metric!r}: use {', '.join(map(repr, METRICS))}.")
        found = {**METRICS, **CONTROLS}[metric]
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
        f"{getattr(inner, '__name__', repr(inner))!r} is no metric of this library: give "
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

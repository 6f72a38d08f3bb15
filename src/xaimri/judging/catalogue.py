"""The metrics by name: which way is better, and what each must be given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from xaimri.errors import InvalidInput
from xaimri.judging.mutants import MUTATIONS, Mutation
from xaimri.metrics.agreement import faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.completeness import completeness_gap
from xaimri.metrics.complexity import entropy, sparseness
from xaimri.metrics.curve import deletion, insertion
from xaimri.metrics.localisation import (
    auprc,
    dice,
    iou,
    mover_similarity,
    pointing_game,
    relevance_mass,
    relevance_rank,
)
from xaimri.metrics.road import road
from xaimri.metrics.robustness import max_sensitivity, repeatability, seed_stability
from xaimri.metrics.sanity import label_randomisation, randomisation
from xaimri.metrics.seen_through import average_drop, average_increase

Better: TypeAlias = Literal["higher", "lower"]

GIVEN = ("classifier", "region", "within")
"""What a metric of maps can ask for by the names of its arguments; masks come as one for each."""

GIVEN_ALONE = ("explainer", "classifier", "image", "target", "region", "within")
"""What a metric that explains by itself can ask for."""


@dataclass(frozen=True)
class Metric:
    """A measure with a name and a direction.

    Attributes
    ----------
    name
        How it stands in tables.
    function
        Its first argument is a list of explanations, for each of which it gives a number, or ``explainer``.
        Of the others, those named ``classifier``, ``region`` and ``within`` are given to it, and to a
        metric of an explainer ``image`` and ``target`` too; all else must have a default: bind it with
        :func:`functools.partial`.
    better
        ``"higher"`` or ``"lower"``.
    chance
        What a map that knows nothing gets, in words.
    sees
        The mutations that it claims to see: that it ranks a right map above one made wrong so.

    Examples
    --------
    >>> Metric("deletion by black", partial(deletion, absent=0.0), "lower").needs
    ('classifier',)
    """

    name: str
    function: Callable[..., Any]
    better: Better
    chance: str = "a random map's"
    sees: tuple[Mutation, ...] = ()

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower"):
            raise InvalidInput(f'`better` must be "higher" or "lower", got {self.better!r}.')
        unknown = [mutation for mutation in self.sees if mutation not in MUTATIONS]
        if unknown:
            raise InvalidInput(f"`sees` must hold some of {', '.join(MUTATIONS)}, got {unknown[0]!r}.")
        lacking = [
            name
            for name, parameter in self._free().items()
            if parameter.default is inspect.Parameter.empty
            and name not in self._given
            and parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        ]
        if lacking:
            raise InvalidInput(
                f"{self.name!r} needs `{lacking[0]}`: bind it, with functools.partial(..., {lacking[0]}=...)."
            )

    @property
    def of_explainer(self) -> bool:
        """Whether it explains by itself, and is asked image by image."""
        return next(iter(inspect.signature(self.function).parameters), "") == "explainer"

    @property
    def needs(self) -> tuple[str, ...]:
        """Which arguments it is given."""
        return tuple(name for name in self._free() if name in self._given)

    @property
    def _given(self) -> tuple[str, ...]:
        return GIVEN_ALONE if self.of_explainer else GIVEN

    def _free(self) -> dict[str, inspect.Parameter]:
        """Return the arguments that are not bound yet, but for the explanations."""
        parameters = inspect.signature(self.function).parameters
        bound = self.function.keywords if isinstance(self.function, partial) else {}
        own = {name: p for name, p in parameters.items() if name not in bound}
        return own if self.of_explainer else dict(list(own.items())[1:])


RANDOM, SHARE = "a random map's", "the region's share of the object"

SHARP: tuple[Mutation, ...] = ("negated", "shifted", "other class", "untrained")
"""What is seen by metrics that a blurred map deceives."""

AMOUNTS: tuple[Mutation, ...] = ("negated", "other class", "untrained")
"""What is seen by metrics that ask how much, and not where."""

POINT: tuple[Mutation, ...] = ("negated", "shifted", "other class")
"""What is seen by a metric of the strongest pixel."""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("deletion", deletion, "lower", RANDOM, MUTATIONS),
            Metric("insertion", insertion, "higher", RANDOM, MUTATIONS),
            Metric("road", road, "higher", "0", MUTATIONS),
            Metric("average_drop", average_drop, "lower", RANDOM, SHARP),
            Metric("average_increase", average_increase, "higher"),
            Metric("infidelity", infidelity, "lower", "a little less than 1", MUTATIONS),
            Metric("sensitivity_n", sensitivity_n, "higher", "0", MUTATIONS),
            Metric("faithfulness_correlation", faithfulness_correlation, "higher", "0", MUTATIONS),
            Metric("completeness_gap", completeness_gap, "lower", "1 for values that add up to 0", AMOUNTS),
            Metric("relevance_mass", relevance_mass, "higher", SHARE, MUTATIONS),
            Metric("relevance_rank", relevance_rank, "higher", SHARE, MUTATIONS),
            Metric("pointing_game", pointing_game, "higher", SHARE, POINT),
            Metric("iou", iou, "higher", RANDOM, MUTATIONS),
            Metric("dice", dice, "higher", RANDOM, MUTATIONS),
            Metric("auprc", auprc, "higher", SHARE, MUTATIONS),
            Metric("mover_similarity", mover_similarity, "higher", "an even map's", ("shifted",)),
            Metric("sparseness", sparseness, "higher", RANDOM, ("flat",)),
            Metric("entropy", entropy, "lower", RANDOM, ("flat",)),
            Metric("max_sensitivity", max_sensitivity, "lower", "about 1.4"),
            Metric("seed_stability", seed_stability, "higher", "0"),
            Metric("randomisation", randomisation, "lower", "1", ("untrained",)),
        )
    }
)
"""The metrics that need nothing beyond an explainer, a classifier and a case."""

BETTER: Mapping[str, Better] = MappingProxyType(
    {
        **{name: metric.better for name, metric in METRICS.items()},
        repeatability.__name__: "higher",
        label_randomisation.__name__: "lower",
    }
)


def as_metric(metric: str | Metric | Callable[..., Any]) -> Metric:
    """Return the metric of a name, or of a function of this library with settings bound.

    Examples
    --------
    >>> as_metric("road").better, as_metric(partial(deletion, absent=0.0)).name
    ('higher', 'deletion')
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str):
        if metric not in METRICS:
            raise InvalidInput(f"there is no metric {metric!r}: use {', '.join(map(repr, METRICS))}.")
        return METRICS[metric]
    inner = metric.func if isinstance(metric, partial) else metric
    name = getattr(inner, "__name__", "")
    if name not in BETTER:
        raise InvalidInput(
            f"it isn't known which way {name or metric!r} is better: give Metric(name, function, better)."
        )
    if name in METRICS:
        return replace(METRICS[name], function=metric)
    return Metric(name, metric, BETTER[name], "0")

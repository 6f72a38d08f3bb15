"""What every metric reads from explanations: one or several, their pixels in order, and a mask for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Labels, Map, Mask
from xaimri.classifier import Classifier, Sized
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.rules import whole_number

P = ParamSpec("P")
One = TypeVar("One", covariant=True)
Many = TypeVar("Many", covariant=True)

Values: TypeAlias = Float[Array, " batch"]
"""One number per explanation."""

Masks: TypeAlias = Mask | Sequence[Mask]
"""One mask ``(*space)`` for all explanations, or one for each."""


@runtime_checkable
class Measure(Protocol[P, One, Many]):
    """A function of one explanation, or of several at once."""

    @overload
    def __call__(self, explanation: Explanation, /, *args: P.args, **kwargs: P.kwargs) -> One: ...
    @overload
    def __call__(self, explanation: Iterable[Explanation], /, *args: P.args, **kwargs: P.kwargs) -> Many: ...


def of_each(
    function: Callable[Concatenate[Sequence[Explanation], P], Values],
) -> Measure[P, float, Values]:
    """Let a function of several explanations take a single one too, and give back its number alone."""
    measure: Measure[P, float, Values] = _one_or_several(function, float)
    return measure


def curve_of_each(
    function: Callable[Concatenate[Sequence[Explanation], P], Sequence[One]],
) -> Measure[P, One, tuple[One, ...]]:
    """Do as :func:`of_each`, for functions that give something else than a number."""
    measure: Measure[P, One, tuple[One, ...]] = _one_or_several(function, lambda found: found)
    return measure


def _one_or_several(function: Callable[..., Any], alone: Callable[[Any], Any]) -> Any:
    @wraps(function)
    def measured(explanation: Any, /, *args: Any, **kwargs: Any) -> Any:
        single = isinstance(explanation, Explanation)
        listed = [explanation] if single else explanation
        if not isinstance(listed, Iterable):
            listed = [None]
        listed = list(listed)
        if not listed or not all(isinstance(each, Explanation) for each in listed):
            raise InvalidInput("give an explanation, or a list of at least one.")
        whole_number(kwargs.get("seed", 0), "seed", 0)
        found = function(listed, *args, **kwargs)
        return alone(found[0]) if single else found

    return measured


def fitting(explanations: Sequence[Explanation], classifier: Classifier) -> tuple[int, ...]:
    """Return the one shape of the explained images, if the classifier can be shown them as they are."""
    if not isinstance(classifier, Classifier):
        raise InvalidInput(
            f"`classifier` must be a classifier, got a {type(classifier).__name__}: wrap the model, with "
            "xaimri.adapters.as_classifier(model)."
        )
    if len(shapes := {each.image.shape for each in explanations}) > 1:
        raise InvalidInput(f"the explained images have different shapes, {sorted(shapes)}: give them apart.")
    wanted = tuple(classifier.input_shape) if isinstance(classifier, Sized) else ()
    for each in explanations:
        shape = each.image.shape
        same = len(wanted) == len(shape) and all(w in (None, n) for w, n in zip(wanted, shape, strict=True))
        if wanted and not same:
            raise InvalidInput(
                f"the explained image has the shape {shape}, and the classifier takes {wanted}: explain it "
                "on the classifier's own grid, with `explainer.explain(classifier, images)`, or use "
                "xaimri.evaluate_explanations, which does."
            )
    return explanations[0].image.shape


def masks(explanations: Sequence[Explanation], region: Any, name: str = "region") -> list[Mask]:
    """Return one mask per explanation, of the map's shape and not empty."""
    first = explanations[0].values.ndim
    several = isinstance(region, list | tuple) or np.ndim(region) == first + 1
    each = list(region) if several else [region] * len(explanations)
    if len(each) != len(explanations):
        raise InvalidInput(f"{len(each)} masks were given as `{name}` for {len(explanations)} explanations.")
    found = []
    for one, explanation in zip(each, explanations, strict=True):
        array = np.asarray(one)
        if array.shape != explanation.values.shape or array.dtype != bool:
            raise InvalidInput(
                f"`{name}` must be a mask of True and False of the map's shape {explanation.values.shape}, "
                f"got {array.dtype} of shape {array.shape}."
            )
        if not array.any():
            raise InvalidInput(f"`{name}` has no pixel: give a mask with at least one.")
        found.append(array)
    return found


def filled(explanation: Explanation) -> Map:
    """Return the map in double precision; pixels of regions that were not tested count as 0."""
    values: Map = np.nan_to_num(explanation.values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return values


def spread(explanation: Explanation) -> Map:
    """Return what the map gives to every pixel: a region's value is spread evenly over its pixels."""
    values, regions = filled(explanation), explanation.regions
    if regions is None:
        return values
    sizes = np.bincount(regions.labels[regions.labels >= 0], minlength=len(regions.values))
    even: Map = values / np.append(np.maximum(sizes, 1), 1)[regions.labels]
    return even


def shares(explanation: Explanation, labels: Labels) -> Float[Array, " parts"]:
    """Return what the map gives to each part of the image, added up; a region's value is spread evenly.

    Parameters
    ----------
    labels
        ``(*space)``: the part of every pixel, from 0; -1 lies in none.
    """
    inside = labels >= 0
    given = spread(explanation)[inside]
    found: Array = np.bincount(labels[inside], weights=given, minlength=int(labels.max()) + 1)
    return found


def ranking(values: Float[Array, " parts"], seed: int) -> Int[Array, " parts"]:
    """Return the parts from the most positive to the most negative; equal ones in random order."""
    shuffled = np.random.default_rng(seed).permutation(len(values))
    found: Array = shuffled[np.argsort(-values[shuffled], kind="stable")]
    return found


def top(values: Map, inside: Mask, count: float) -> Map:
    """Return how far every pixel belongs to the ``count`` strongest inside: 0 to 1, shared among equals.

    Examples
    --------
    >>> top(np.array([3.0, 1.0, 1.0, 5.0]), np.array([True, True, True, False]), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    chosen = np.zeros(values.shape)
    strength = values[inside]
    places = min(int(np.ceil(count)), len(strength))
    edge = np.partition(strength, -places)[-places]
    above, level = inside & (values > edge), inside & (values == edge)
    chosen[above] = 1.0
    chosen[level] = (min(count, len(strength)) - above.sum()) / level.sum()
    return chosen

"""A metric takes one explanation, or several at once: the decorators that see to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, cast, overload, runtime_checkable

from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.score import refuse_constant
from xaimri.rules import SEED

P = ParamSpec("P")
T = TypeVar("T")
One = TypeVar("One", covariant=True)
Many = TypeVar("Many", covariant=True)

Values: TypeAlias = Float[Array, " batch"]
"""One number per explanation."""


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

    @wraps(function)
    def measure(explanation: object, /, *args: P.args, **kwargs: P.kwargs) -> float | Values:
        found = function(_explanations(explanation, kwargs.get("seed", 0)), *args, **kwargs)
        return float(found[0]) if isinstance(explanation, Explanation) else found

    return cast(Measure[P, float, Values], measure)


def curve_of_each(
    function: Callable[Concatenate[Sequence[Explanation], P], tuple[T, ...]],
) -> Measure[P, T, tuple[T, ...]]:
    """Do as :func:`of_each`, for functions that give something else than a number."""

    @wraps(function)
    def measure(explanation: object, /, *args: P.args, **kwargs: P.kwargs) -> T | tuple[T, ...]:
        found = function(_explanations(explanation, kwargs.get("seed", 0)), *args, **kwargs)
        return found[0] if isinstance(explanation, Explanation) else found

    return cast(Measure[P, T, tuple[T, ...]], measure)


def _explanations(given: object, seed: object) -> list[Explanation]:
    """Return one or several explanations as a list, and see that the seed is one."""
    several = isinstance(given, Iterable) and not isinstance(given, Explanation)
    every: list[object] = list(cast(Iterable[object], given)) if several else [given]
    listed = [each for each in every if isinstance(each, Explanation)]
    if not listed or len(listed) < len(every):
        raise InvalidInput("give an explanation, or a list of at least one.")
    SEED.convert(seed, "seed")
    return [refuse_constant(each) for each in listed]

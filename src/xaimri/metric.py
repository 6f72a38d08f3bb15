"""What a metric of maps is, and what it gives: a number for each, or a curve with its area."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_fields
from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.objective import Of
from xaimri.regions import ROUNDING

SLIGHT = 0.05
"""Share of what erasing the rest does, below which erasing a region does next to nothing."""

Better: TypeAlias = Literal["higher", "lower"]

Measures: TypeAlias = Literal["maps", "explainer"]
"""What a metric measures: a list of explanations, or an explainer, which it lets explain by itself."""

Need: TypeAlias = Literal["classifier", "region", "within", "image", "target"]
"""What a metric can be given beside that:

``"classifier"``: the model; ``"region"``: a mask of where the answer lies; ``"within"``: of where the object
does, such as the brain. A metric of maps is given a mask for each of them; one of an explainer is asked case
by case, and can have its ``"image"`` and the ``"target"`` that is explained too."""


Mutation: TypeAlias = Literal["negated", "shifted", "flat", "other class", "untrained"]
"""What is wrong with the map:

``"negated"``: its sign; ``"shifted"``: it lies a quarter of the object away; ``"flat"``: it is blurred by a
quarter of the object; ``"other class"``: it explains the most probable class but the one that was asked for;
``"untrained"``: it explains a network all of whose weights have changed places."""

MUTATIONS: tuple[Mutation, ...] = get_args(Mutation)


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
        check_fields(self)
        known = get_args(Need) if self.measures == "explainer" else ("classifier", "region", "within")
        object.__setattr__(self, "needs", _some_of("needs", known, self.needs))
        object.__setattr__(self, "sees", _some_of("sees", MUTATIONS, self.sees))

    def takes(self, name: str) -> bool:
        """Tell whether the function has a parameter of this name that is not bound by position."""
        return name in inspect.signature(self.function).parameters

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


Change: TypeAlias = Literal["hidden", "shown", "changed"]
"""What is done to more and more of an image."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The score of a class while more and more of an image is changed; as a number, the area under it.

    Attributes
    ----------
    fractions
        ``(steps + 1,)``: how much of the image was changed, 0 to 1.
    scores
        ``(steps + 1,)``: what the model says then.
    change
        ``"hidden"``, ``"shown"``, or just ``"changed"``.
    of
        Which score of the class it is.
    against
        The class that it is held against, where ``scores`` are the difference of two logits.

    Examples
    --------
    >>> float(Curve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.5, 0.0])))
    0.5
    """

    fractions: Float[Array, " points"]
    scores: Float[Array, " points"]
    change: Change = "changed"
    of: Of = "probability"
    against: int | None = None

    @property
    def unit(self) -> str:
        """What one unit of the scores is, in words."""
        return _unit(self.of, self.against)

    @property
    def area(self) -> float:
        """Mean score over the fractions, by the trapezoid rule."""
        heights = (self.scores[1:] + self.scores[:-1]) / 2.0
        return float((np.diff(self.fractions) * heights).sum())

    def __float__(self) -> float:
        return self.area


@dataclass(frozen=True)
class MaskEffect:
    """What erasing the known region does to the score; as a number, by how much the score falls.

    Attributes
    ----------
    score, erased, alone
        The score of the image, of the image with the region erased, and with everything else erased.
    of, against
        As of :class:`Curve`.

    Examples
    --------
    >>> effect = MaskEffect(score=3.0, erased=2.9, alone=0.5)
    >>> round(float(effect), 3), round(effect.share, 3), effect.slight
    (0.1, 0.038, True)
    """

    score: float
    erased: float
    alone: float
    of: Of = "logit"
    against: int | None = None

    def __float__(self) -> float:
        return self.score - self.erased

    @property
    def unit(self) -> str:
        """What one unit of the scores is, in words."""
        return _unit(self.of, self.against)

    @property
    def share(self) -> float:
        """The change by erasing the region, over that and the change by erasing all the rest: 0 to 1.

        0 where erasing the region changes nothing, up to the rounding of single precision.
        """
        region, rest = self._changes
        return region / (region + rest) if region else 0.0

    @property
    def slight(self) -> bool:
        """Whether the model hardly uses the region: erasing it changes nothing, or next to it."""
        region, rest = self._changes
        return region == 0 or region < SLIGHT * rest

    @property
    def _changes(self) -> tuple[float, float]:
        """By how much erasing the region, and all the rest, changes the score; rounding is no change."""
        noise = ROUNDING * max(abs(self.score), abs(self.erased), abs(self.alone))
        region, rest = abs(self.score - self.erased), abs(self.score - self.alone)
        return region if region > noise else 0.0, rest


def say_effects(effects: Iterable[MaskEffect | Failure]) -> list[str]:
    """Say what erasing the masks did, and what localisation is worth then.

    Examples
    --------
    >>> say_effects([MaskEffect(3.0, 1.0, 2.5), MaskEffect(3.0, 2.0, 2.5)])
    ['Erasing the mask lowers the score (logit) by 1.5 on average.']
    """
    listed = list(effects)
    known = [each for each in listed if isinstance(each, MaskEffect)]
    told = []
    if known:
        mean, slight = float(np.mean([float(each) for each in known])), sum(each.slight for each in known)
        told.append(f"Erasing the mask lowers the score ({known[0].unit}) by {mean:.3g} on average.")
        if slight:
            told.append(
                f"In {slight} of {len(known)} cases it does next to nothing (less than a twentieth of what "
                "erasing the rest does): the model hardly uses the region there, and localisation says "
                "nothing of the method."
            )
    why = Counter(each.sentence for each in listed if isinstance(each, Failure))
    return [*told, *(f"In {count} cases it can't be told: {sentence}" for sentence, count in why.items())]


def _unit(of: Of, against: int | None) -> str:
    return of.replace("_", "-") if against is None else "logit difference"

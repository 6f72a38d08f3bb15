"""Which slices of a volume a network of slices is given, how each is laid, and how its answers become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Scores
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.images.foreground import foreground
from xaimri.images.planes import ACROSS, Turn, world_axes
from xaimri.images.pooling import Combine, pooled
from xaimri.kinds import AnyOf, Function, Several
from xaimri.rules import Choice, OrNone, Rule, WholeNumber
from xaimri.settings import check, document, setting

PlaneName: TypeAlias = Literal["axial", "coronal", "sagittal"]
View: TypeAlias = Literal["radiological", "neurological", "array"]
Which: TypeAlias = str | Sequence[int]
"""``"all"``, ``"brain"``, ``"start:stop:step"``, or the places themselves."""

SHARE = 0.25
"""Of the largest slice of the object, what a slice has to hold to lie inside the brain."""


@dataclass(frozen=True)
class WhichRule(Rule):
    """Slices by a word, by a range or one by one; kept as words, or as a tuple of whole numbers."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return '"all", "brain", a range such as "40:120:2", or a list of whole numbers'

    def convert(self, value: object, name: str, /) -> Which:
        """Return the words, or the places."""
        if isinstance(value, slice):
            value = ":".join(
                "" if part is None else str(part) for part in (value.start, value.stop, value.step)
            )
        if isinstance(value, str):
            if value not in ("all", "brain"):
                _range(value, self, name)
            return str(value)
        if isinstance(value, range):
            value = list(value)
        try:
            places = Several(WholeNumber(0)).convert(value, name)
        except InvalidInput:
            raise self.refusal(value, name) from None
        listed = tuple(cast("Sequence[int]", places))
        if not listed or len(set(listed)) < len(listed):
            raise InvalidInput(f"`{name}` must hold at least one slice, and none twice, got {shown(value)}.")
        return tuple(sorted(listed))


def _range(words: str, rule: Rule, name: str) -> slice:
    """Return the range that stands in words such as ``"40:120:2"``."""
    parts = words.split(":")
    try:
        ends = [None if not part.strip() else int(part) for part in parts]
    except ValueError:
        ends = []
    if len(ends) not in (2, 3) or (len(ends) == 3 and ends[2] is not None and ends[2] < 1):
        if words in ACROSS:
            raise InvalidInput(
                f'`{name}` names slices, and {words!r} is a plane: write Slices("all", plane="{words}").'
            )
        raise rule.refusal(words, name)
    return slice(*ends)


@document
@dataclass(frozen=True)
class Slices:
    """Give a volume to a network of slices: which of them, how they are laid, and how the answers become one.

    Raises
    ------
    InvalidInput
        If a setting is none of those allowed.

    Examples
    --------
    >>> Slices("brain", every=2)
    Slices(which='brain', every=2, plane=None, view='radiological', combine='mean')
    >>> Slices("10:20").places(np.ones((30, 40, 50, 1), np.float32), 2)
    (10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
    """

    which: Which = setting(
        "all",
        WhichRule(),
        doc='``"all"``; ``"brain"``: those that hold at least a quarter as much of the object as the '
        'largest one; ``"start:stop:step"``, which counts as Python does; or the places, from 0. Of a scan '
        "they count upwards, to the front or to the right.",
    )
    every: int = setting(1, WholeNumber(1), doc="Take every n-th of them.", unit="slices")
    plane: PlaneName | None = setting(
        None,
        OrNone(Choice(get_args(PlaneName))),
        doc='``"axial"``, ``"coronal"`` or ``"sagittal"``, by the affine. None: axial, and along the first '
        "axis of a volume that has no affine.",
    )
    view: View = setting(
        "radiological",
        Choice(get_args(View)),
        doc="How a slice of a scan is laid, which must be as the slices were that the network was trained "
        'on: ``"radiological"``, the front or the top upwards and the patient\'s right on the left; '
        '``"neurological"``, mirrored; ``"array"``, the axes of the volume in their order. A volume without '
        "an affine is always laid by its array.",
    )
    combine: Combine = setting(
        "mean",
        AnyOf((Choice(("mean", "median", "product")), Function(("probabilities",)))),
        doc="How the probabilities of the slices become the subject's: their mean, their median or their "
        "product (both brought to a sum of 1), or a function of ``(slices, classes)`` that gives "
        "``(classes,)``, and the same for the same.",
    )

    def __post_init__(self) -> None:
        check(self)

    def describe(self) -> str:
        """Say it in a few words.

        Examples
        --------
        >>> Slices("brain", every=2, plane="coronal").describe(), Slices([3, 5]).describe()
        ('coronal slices: brain, every 2nd', 'slices: 2 of them')
        """
        which = self.which if isinstance(self.which, str) else f"{len(self.which)} of them"
        often = "" if self.every == 1 else f", every {ordinal(self.every)}"
        return f"{'' if self.plane is None else f'{self.plane} '}slices: {which}{often}"

    def axis(self, affine: Float[Array, "4 4"] | None) -> int:
        """Return the axis of a volume that the slices lie across."""
        if affine is not None:
            return world_axes(affine).index(ACROSS.index(self.plane or "axial"))
        if self.plane is not None:
            raise UnusableImage(
                f"which slices of this volume are {self.plane} is not known, as it has no affine: leave "
                "`plane` out for those along its first axis, or give `Picture(pixels, affine=...)`."
            )
        return 0

    def turn(self, axis: int, affine: Float[Array, "4 4"] | None) -> Turn:
        """Return how a slice across an axis is laid."""
        if affine is None or self.view == "array":
            return Turn.of((axis, 0), None)
        turn = Turn.of((axis, 0), affine)
        return turn.mirrored() if self.view == "neurological" else turn

    def places(self, volume: Image, axis: int) -> tuple[int, ...]:
        """Return the places of the slices along an axis, from the smallest.

        Raises
        ------
        UnusableImage
            If the volume has none of them, or its brain can't be told from the background.
        """
        count = volume.shape[axis]
        if self.which == "brain":
            found = inside(volume, axis)
        elif isinstance(self.which, str):
            found = list(range(count))
            if self.which != "all":
                found = found[_range(self.which, WhichRule(), "which")]
        else:
            found = [place for place in self.which if place < count]
            if len(found) < len(self.which):
                raise UnusableImage(
                    f"the volume has {count} slices, 0 to {count - 1}, and `slices` names {self.which[-1]}."
                )
        if not found:
            raise UnusableImage(f"none of the volume's {count} slices is in {self.which!r}: name others.")
        return tuple(found[:: self.every])

    def combined(self, probabilities: Scores) -> Float[Array, " classes"]:
        """Return the subject's probabilities from those of the slices.

        Raises
        ------
        InvalidInput
            If a rule of the user's own fails, gives no probabilities, or others each time that it is asked.

        Examples
        --------
        >>> Slices(combine="product").combined(np.array([[0.9, 0.1], [0.5, 0.5]]))
        array([0.9, 0.1])
        """
        return pooled(self.combine, probabilities)

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON types; a function stands as its name."""
        rule = self.combine
        told = getattr(rule, "__qualname__", type(rule).__name__) if callable(rule) else rule
        which = self.which if isinstance(self.which, str) else list(self.which)
        return {"which": which, "every": self.every, "plane": self.plane, "view": self.view, "combine": told}


def as_slices(value: object) -> Slices:
    """Return slices from what may stand for them: words, a range, places, or `Slices`.

    Raises
    ------
    InvalidInput
        If the value is none of them.

    Examples
    --------
    >>> as_slices(range(40, 44)).which, as_slices("::4").which
    ((40, 41, 42, 43), '::4')
    """
    if isinstance(value, Slices):
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 0:
        often = f', or Slices("all", every={value}) for every {ordinal(int(value))} of them'
        raise InvalidInput(
            f"`slices` is one number, {value}: write [{value}] for that slice{often if value > 1 else ''}."
        )
    return Slices(WhichRule().convert(value, "slices"))


def inside(volume: Image, axis: int) -> list[int]:
    """Return the slices across an axis that hold at least `SHARE` of what the largest holds of the object.

    Raises
    ------
    UnusableImage
        If the object fills the volume, or can't be told from its background.
    """
    mask = foreground(volume)
    if mask.all():
        raise UnusableImage(
            'the brain can\'t be told from the background of this volume, as slices="brain" asks for: name '
            'the slices, such as slices="40:120", or take "all".'
        )
    areas = mask.sum(axis=tuple(other for other in range(mask.ndim) if other != axis))
    return [int(place) for place in np.flatnonzero(areas >= SHARE * areas.max())]


def ordinal(number: int) -> str:
    """Return a number as a place in a row.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    last = 0 if number % 100 in (11, 12, 13) else number % 10
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"

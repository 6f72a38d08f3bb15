"""Rules for what a setting may hold: each says what is allowed, and as what it is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Stored
from xaimri.errors import InvalidInput, shown

MOST = 2**31 - 1
"""The largest whole number that is no slip."""


class Rule(ABC):
    """What a setting may hold, and as what it is kept."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What may be given, in words that follow "must be"."""

    @abstractmethod
    def convert(self, value: object, name: str, /) -> object:
        """Return the value as it is kept, or raise InvalidInput with the setting's name."""

    def refusal(self, value: object, name: str) -> InvalidInput:
        """Return the error that names the setting, what is allowed and what was given."""
        return InvalidInput(f"`{name}` must be {self.allowed}, got {shown(value)}.")


@dataclass(frozen=True)
class WholeNumber(Rule):
    """A whole number of at least so much, kept as a plain int; ``also`` names what else may be given.

    Above ``most`` it is a slip: no count of anything here reaches it.
    """

    least: int | None = None
    also: str = ""
    most: int = MOST

    @property
    def allowed(self) -> str:
        """What may be given."""
        least = "" if self.least is None else f" of at least {self.least}"
        return f"a whole number{least}" + (f" {self.also}" if self.also else "")

    def convert(self, value: object, name: str, /) -> int:
        """Return the number as a plain int."""
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise self.refusal(value, name)
        if self.least is not None and value < self.least:
            raise self.refusal(value, name)
        if abs(int(value)) > self.most:
            raise InvalidInput(f"`{name}` must be at most {self.most:,}, got {shown(value)}.")
        return int(value)


def whole_number(value: object, name: str, least: int, also: str = "") -> int:
    """Return a whole number of at least so much as a plain int: the rule for an argument of a function."""
    return WholeNumber(least, also).convert(value, name)


@dataclass(frozen=True)
class Seed(Rule):
    """A seed: by default one that NumPy's older generators take too, below 2**32."""

    bits: int = 32

    @property
    def allowed(self) -> str:
        """What may be given."""
        return f"a whole number of at least 0 and below 2**{self.bits}"

    def convert(self, value: object, name: str, /) -> int:
        """Return the seed as a plain int."""
        seed = WholeNumber(0, most=10**4000).convert(value, name)
        if seed >= 2**self.bits:
            raise InvalidInput(f"`{name}` must be below 2**{self.bits}, got {shown(seed)}.")
        return seed


SEED = Seed(128)
"""The rule for the ``seed`` of a function; one made of the time in nanoseconds is below it."""


@dataclass(frozen=True)
class Number(Rule):
    """A finite number within limits, kept as a plain float.

    ``above`` and ``below`` are left out themselves, ``least`` and ``most`` are allowed.
    """

    above: float | None = None
    least: float | None = None
    below: float | None = None
    most: float | None = None

    @property
    def allowed(self) -> str:
        """What may be given."""
        limits = {"above": self.above, "of at least": self.least, "below": self.below, "at most": self.most}
        words = [f"{word} {limit:g}" for word, limit in limits.items() if limit is not None]
        return f"a number {' and '.join(words)}" if words else "a finite number"

    def convert(self, value: object, name: str, /) -> float:
        """Return the number as a plain float."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise self.refusal(value, name)
        try:
            number = float(value)
        except OverflowError:
            raise self.refusal(value, name) from None
        inside = (
            (self.above is None or number > self.above)
            and (self.least is None or number >= self.least)
            and (self.below is None or number < self.below)
            and (self.most is None or number <= self.most)
        )
        if not inside or not np.isfinite(number):
            raise self.refusal(value, name)
        return number


@dataclass(frozen=True)
class Choice(Rule):
    """One of a few, such as the names of a ``Literal``: ``Choice(get_args(Shape))``."""

    choices: tuple[object, ...]

    @property
    def allowed(self) -> str:
        """What may be given."""
        return " or ".join(map(repr, self.choices))

    def convert(self, value: object, name: str, /) -> object:
        """Return the choice that it is."""
        for one in self.choices:
            if value is one or (isinstance(value, str) and value == one):
                return one
        raise self.refusal(value, name)


@dataclass(frozen=True)
class Flag(Rule):
    """True or False, kept as a plain bool."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "True or False"

    def convert(self, value: object, name: str, /) -> bool:
        """Return the flag as a plain bool."""
        if not isinstance(value, bool | np.bool_):
            raise self.refusal(value, name)
        return bool(value)


@dataclass(frozen=True)
class Name(Rule):
    """Words, such as the name of a layer."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a name"

    def convert(self, value: object, name: str, /) -> str:
        """Return the words as a plain str."""
        if not isinstance(value, str):
            raise self.refusal(value, name)
        return str(value)


@dataclass(frozen=True)
class OrNone(Rule):
    """What another rule allows, or None."""

    rule: Rule

    @property
    def allowed(self) -> str:
        """What may be given."""
        return self.rule.allowed if "None" in self.rule.allowed else f"{self.rule.allowed}, or None"

    def convert(self, value: object, name: str, /) -> object:
        """Return None, or what the other rule makes of the value."""
        return None if value is None else self.rule.convert(value, name)


@dataclass(frozen=True)
class Numbers(Rule):
    """An array of finite numbers, kept as a stored float32 array."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "an array of numbers"

    def convert(self, value: object, name: str, /) -> Stored:
        """Return the array in single precision, read-only."""
        given = value.array if isinstance(value, Stored) else value
        if not isinstance(given, np.ndarray):
            raise InvalidInput(f"`{name}` must be {self.allowed}, got {type(given).__name__}.")
        if given.dtype.kind not in "fiub" or not given.size:
            got = f"{given.dtype} of shape {given.shape}"
            raise InvalidInput(f"`{name}` must be {self.allowed}, got {got}.")
        with np.errstate(over="ignore"):
            kept = given.astype(np.float32)
        if not np.isfinite(kept).all():
            raise InvalidInput(f"`{name}` holds NaN, infinite or far too large values: leave those out.")
        return value if isinstance(value, Stored) and given.dtype == np.float32 else Stored(kept)

"""What the limits of a window may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from xaimri.errors import InvalidInput, shown
from xaimri.rules import Flag, Number, Rule

LARGEST = float(np.finfo(np.float32).max)
"""Largest value of float32, in which images are held."""

Limit: TypeAlias = float | Sequence[float]
"""A limit of a window: one for all channels, or one for each."""


@dataclass(frozen=True)
class LimitRule(Rule):
    """A limit of a window, kept as a plain float, or as one for each channel."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a finite number, or one for each channel"

    def convert(self, value: object, name: str, /) -> Limit:
        """Return the limit as a plain float, or as a tuple of these."""
        rule = Number(least=-LARGEST, most=LARGEST)
        several = value if isinstance(value, tuple | list) and value else None
        try:
            if several is None:
                return rule.convert(value, name)
            return tuple(rule.convert(one, name) for one in several)
        except InvalidInput:
            raise InvalidInput(f"`{name}` of a window must be {self.allowed}, got {shown(value)}.") from None


@dataclass(frozen=True)
class PercentileRule(Flag):
    """True or False: the mistake is to write a percentile there."""

    def refusal(self, value: object, name: str) -> InvalidInput:
        """Return the error that shows how percentiles are written."""
        return InvalidInput(
            f"`{name}` of a window must be {self.allowed}, got {shown(value)}: write "
            "`Window(1, 99, percentile=True)`."
        )

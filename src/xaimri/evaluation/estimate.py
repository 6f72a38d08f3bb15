"""A figure with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval.

    Attributes
    ----------
    value
        NaN where it cannot be estimated.
    low, high
        Ends of the interval; NaN where there is none.
    """

    value: float
    low: float
    high: float

    @classmethod
    def none(cls) -> Estimate:
        """Return what stands where nothing can be said."""
        return cls(math.nan, math.nan, math.nan)

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return the fields; None stands for NaN."""
        fields = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(x) else x for name, x in fields.items()}

"""A figure with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINIMUM_SUBJECTS = 5
"""Fewer subjects give no figures of a class, and no interval: "not estimable".

Were all of n subjects right, a one-sided 95 % bound on the recall would still only be ``0.05 ** (1 / n)``:
below one half for 4 subjects, above it for 5.
"""


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval.

    Attributes
    ----------
    value
        NaN where it cannot be estimated.
    low, high
        Ends of the interval; NaN where there is none.

    Examples
    --------
    >>> print(Estimate(0.8, 0.6, 0.9), Estimate.alone(1.0), Estimate.none())
    0.80 [0.60, 0.90] 1.00 -
    """

    value: float
    low: float
    high: float

    @classmethod
    def none(cls) -> Estimate:
        """Return what stands where nothing can be said."""
        return cls(math.nan, math.nan, math.nan)

    @classmethod
    def alone(cls, value: float) -> Estimate:
        """Return a figure that has no interval."""
        return cls(value, math.nan, math.nan)

    @property
    def bare(self) -> bool:
        """Whether there is a figure, and no interval."""
        return not math.isnan(self.value) and math.isnan(self.low)

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        if math.isnan(self.low):
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return the fields; None stands for NaN."""
        fields = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(x) else x for name, x in fields.items()}

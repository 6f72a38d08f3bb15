"""A figure with its interval over subjects."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xaimri.errors import InvalidInput
from xaimri.rules import whole_number

MINIMUM_SUBJECTS = 5
"""Classes with fewer subjects get no figures: "not estimable".

Were all of n subjects right, a one-sided 95 % bound on the recall would still only be ``0.05 ** (1 / n)``:
below one half for 4 subjects, above it for 5.
"""


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval.

    Attributes
    ----------
    value
        From 0 to 1, higher is better; NaN where it cannot be estimated.
    low, high
        Ends of the percentile interval.
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


def check_bootstrap(resamples: int, confidence: float, seed: int) -> None:
    """See that intervals can be drawn."""
    whole_number(resamples, "resamples", 1)
    if not 0 < confidence < 1:
        raise InvalidInput(f"`confidence` must lie between 0 and 1, such as 0.95, got {confidence}.")
    whole_number(seed, "seed", 0)

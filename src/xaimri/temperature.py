"""What a model's logits are divided by, so that it is as sure as it is right, and whence that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from xaimri.errors import InvalidInput


@dataclass(frozen=True)
class TemperatureScaling:
    """What logits are divided by, and from whom that was learned.

    Attributes
    ----------
    temperature
        Above 1 where the classifier was too sure, below 1 where it was not sure enough.
    error
        Its standard error over subjects.
    low, high
        Ends of its 95 % interval over subjects.
    loss_before, loss_after
        Mean of minus the logarithm of the true class's probability, in nats, over the cases that it was
        learned from: what it gains on others is less.
    cases, subjects
        How many it was learned from.
    by, keys
        Who they are: ``"subject"`` and their names, or ``"case"`` and the cases' ids.
    remarks
        Sentences on what the temperature can't tell.
    """

    temperature: float
    error: float
    low: float
    high: float
    loss_before: float
    loss_after: float
    cases: int
    subjects: int
    by: str = "case"
    keys: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"Temperature {self.temperature:.3g} +- {self.error:.2g} (95 % interval over {self.subjects} "
            f"subjects: {self.low:.3g} to {self.high:.3g}); log loss of the {self.cases} cases that it was "
            f"learned from {self.loss_before:.3f} before, {self.loss_after:.3f} after."
        )

    def times(self, factor: float) -> TemperatureScaling:
        """Return the same where the logits had been divided by a number already."""
        lengths = {name: factor * getattr(self, name) for name in ("temperature", "error", "low", "high")}
        return replace(self, **lengths)

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {**asdict(self), "keys": list(self.keys), "remarks": list(self.remarks)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> TemperatureScaling:
        """Return what `record` wrote, or say what is wrong with it."""
        names = {field.name for field in fields(cls)}
        if set(record) != names:
            raise InvalidInput(f"a temperature's record has the fields {sorted(names)}: calibrate again.")
        lists = {name: tuple(map(str, record[name])) for name in ("keys", "remarks")}
        made = cls(**{**record, **lists})
        if not (math.isfinite(made.temperature) and made.temperature > 0):
            raise InvalidInput(f"a temperature is a number above 0, got {made.temperature}: calibrate again.")
        return made

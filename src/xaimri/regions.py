"""What a method found for whole regions of an image."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Labels, Map
from xaimri.errors import InvalidInput
from xaimri.sealed import freeze

ROUNDING = 1e-6
"""Of single precision, in which models compute: a share of the largest value."""


@dataclass(frozen=True, eq=False)
class Regions:
    """What a method found for whole regions of an image.

    Attributes
    ----------
    labels
        ``(*space)``: the region of every pixel, numbered from 0; -1 lies in none.
    values
        ``(regions,)``: signed, NaN where hiding the region changes no pixel and so tests nothing.
    errors
        ``(regions,)``: standard errors, where the method can tell them.
    """

    labels: Labels
    values: Float[Array, " regions"]
    errors: Float[Array, " regions"] | None = None

    def __post_init__(self) -> None:
        freeze(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        freeze(self)

    def __repr__(self) -> str:
        told = "without errors" if self.errors is None else "with errors"
        return f"<Regions: {len(self.values)} values {told}, {' x '.join(map(str, self.labels.shape))}>"

    @property
    def tested(self) -> Bool[Array, " regions"]:
        """True where hiding the region changed at least one pixel."""
        return np.isfinite(self.values)

    def paint(self, values: Float[Array, " regions"]) -> Map:
        """Spread one value per region over its pixels; pixels in no region get 0."""
        padded = np.append(values, 0.0)  # label -1 reads the last entry
        painted: Array = padded[self.labels]
        return painted

    def strongest(self, k: int, sign: int = 0) -> tuple[int, ...]:
        """Return the ``k`` regions of largest absolute value; ``sign`` 1 or -1 keeps one side only."""
        values = np.where(self.tested, self.values, 0.0)
        order = np.argsort(-np.abs(values), kind="stable")
        return tuple(int(i) for i in order if values[i] != 0 and values[i] * sign >= 0)[:k]

    def margins(self, confidence: float = 0.95) -> Float[Array, " regions"]:
        """Return half the width of every value's confidence interval; NaN where its error isn't known."""
        if not 0 < confidence < 1:
            raise InvalidInput(f"`confidence` must be above 0 and below 1, got {confidence}.")
        errors = np.full(self.values.shape, np.nan) if self.errors is None else self.errors
        return NormalDist().inv_cdf((1 + confidence) / 2) * errors

    def certain(self, confidence: float = 0.95) -> Bool[Array, " regions"]:
        """Return True where a value's own interval does not contain zero; never without an error.

        A value that is smaller than the rounding of the largest is no more than that, also where it has no
        sampling error.

        Examples
        --------
        >>> Regions(np.array([[0, 1]]), np.array([2.0, 2.0]), np.array([1.0, 1.1])).certain()
        array([ True, False])
        """
        strength = np.abs(self.values)
        rounding = ROUNDING * np.max(strength, where=self.tested, initial=0.0)
        sure: Bool[Array, " regions"] = strength > np.maximum(self.margins(confidence), rounding)
        return sure

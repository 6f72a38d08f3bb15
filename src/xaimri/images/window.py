"""Intensity windows: the range of stored values that is spread over the range a model expects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Shaped

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.rules import Flag, Number, Rule
from xaimri.settings import check, document, metadata, setting

FAINT, CLIPPED = 0.1, 0.9
"""Of a window, what an image has to reach; of an image, what may not lie above its window."""

LARGEST = float(np.finfo(np.float32).max)
"""Largest value of float32, in which images are held."""


@dataclass(frozen=True)
class LimitRule(Rule):
    """A limit of a window, kept as a plain float."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a finite number"

    def convert(self, value: object, name: str, /) -> float:
        """Return the limit as a plain float."""
        try:
            return Number(least=-LARGEST, most=LARGEST).convert(value, name)
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


@document
@dataclass(frozen=True)
class Window:
    """Spread the intensities between two limits over 0 to ``top``, linearly, and clip those outside.

    Raises
    ------
    InvalidInput
        If the limits are not finite, not in order, or no percentiles where they should be.

    Examples
    --------
    >>> Window(100, 300, top=1.0).apply(np.float32([[0, 100, 150], [200, 300, 900]]))
    array([[0.  , 0.  , 0.25],
           [0.5 , 1.  , 1.  ]], dtype=float32)
    >>> Window(25, 75, percentile=True).resolved(np.arange(101.0))
    Window(low=25.0, high=75.0, percentile=False, top=255.0)
    """

    low: float = field(metadata=metadata(LimitRule(), doc="Values at or below it become 0."))
    high: float = field(metadata=metadata(LimitRule(), doc="Values at or above it become ``top``."))
    percentile: bool = setting(
        False,
        PercentileRule(),
        doc="The limits are percentiles, 0 to 100, of each image's own values: of all its pixels and "
        "channels, the background included.",
    )
    top: float = setting(
        255.0, Number(above=0), doc="The value that ``high`` becomes; 255 is what 8-bit files hold."
    )

    def __post_init__(self) -> None:
        check(self)
        if not self.low < self.high or self.top > LARGEST:
            raise InvalidInput(
                f"a window needs `low` below `high` and a `top` that fits float32, got {self.low:g}, "
                f"{self.high:g} and {self.top:g}: give the smaller limit first."
            )
        if self.percentile and not 0 <= self.low < self.high <= 100:
            raise InvalidInput(
                f"percentiles of a window lie between 0 and 100, got {self.low:g} and {self.high:g}: "
                "leave out `percentile` if these are intensities."
            )

    def resolved(self, image: Shaped[Array, ...]) -> Window:
        """Return the window in intensities: percentiles are taken of this image.

        Raises
        ------
        UnusableImage
            If both percentiles fall on one intensity, as in a constant image.
        """
        if not self.percentile:
            return self
        if image.size == 0:
            raise UnusableImage("an empty image has no percentiles: give the window in intensities.")
        low, high = (float(v) for v in np.percentile(image.astype(np.float64), [self.low, self.high]))
        if not low < high:
            raise UnusableImage(
                f"percentiles {self.low:g} and {self.high:g} of the image are both {low:g}, so there is no "
                "range to spread: take percentiles further apart, or give the window in intensities."
            )
        return Window(low, high, top=self.top)

    @check_arguments()
    def apply(self, image: Shaped[Array, "*any"]) -> Float32[Array, "*any"]:
        """Return the image through the window, float32 and of the same shape; the image is not changed."""
        limits = self.resolved(image)
        clipped = np.clip(image.astype(np.float64), limits.low, limits.high)
        spread = (clipped - limits.low) / (limits.high - limits.low)
        windowed: Array = (spread * limits.top).astype(np.float32)
        return windowed

    @check_arguments()
    def misses(self, image: Shaped[Array, "*any"]) -> Literal["below", "above"] | None:
        """Tell whether next to nothing of an image is seen: it lies at the lower limit, or above the upper.

        "below": it reaches no tenth of the window, as an image of 8 bits through one for 12. "above": nine
        tenths of what is above the lower limit are above the upper, as through a window for 0 to 1.
        A constant image is none of both, and percentiles miss no image.

        Examples
        --------
        >>> image = np.float32([[0, 90], [180, 255]])
        >>> Window(0, 4000).misses(image), Window(0, 1).misses(image), Window(100, 200).misses(image)
        ('below', 'above', None)
        """
        if self.percentile or image.size == 0 or image.min() == image.max():
            return None
        if image.max() < self.low + FAINT * (self.high - self.low):
            return "below"
        shown = int((image > self.low).sum())
        return "above" if (image > self.high).sum() >= CLIPPED * shown else None

    def describe(self) -> str:
        """Say the limits in words.

        Examples
        --------
        >>> Window(0, 4000).describe(), Window(1, 99, percentile=True, top=1.0).describe()
        ('0 to 4000', '1 to 99 % (as 0 to 1)')
        """
        percent, top = " %" if self.percentile else "", "" if self.top == 255 else f" (as 0 to {self.top:g})"
        return f"{self.low:g} to {self.high:g}{percent}{top}"

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON types; ``Window(**record)`` is equal to this one."""
        return {"low": self.low, "high": self.high, "percentile": self.percentile, "top": self.top}


def as_window(value: object) -> Window:
    """Return a window, from a window or a pair of intensities.

    Raises
    ------
    InvalidInput
        If the value is neither.

    Examples
    --------
    >>> as_window((0, 4000))
    Window(low=0.0, high=4000.0, percentile=False, top=255.0)
    """
    if isinstance(value, Window):
        return value
    pair = (
        list(value)
        if isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.shape == (2,))
        else []
    )
    if len(pair) == 2 and all(map(_number, pair)):
        return Window(*(v.item() if isinstance(v, np.generic) else v for v in pair))
    raise InvalidInput(
        f"`window` must be two intensities such as (0, 4000), or a Window, got {shown(value)}: for "
        "percentiles pass `xaimri.Window(1, 99, percentile=True)`."
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)

"""Intensity windows: the range of stored values that is spread over the range a model expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float32, Shaped

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.images.percentiles import Inside, between, pixels_of
from xaimri.images.window_rules import LARGEST, Limit, LimitRule, PercentileRule
from xaimri.rules import Choice, Flag, Number
from xaimri.settings import check, document, metadata, setting

FAINT, CLIPPED = 0.1, 0.9
"""Of a window, what an image has to reach; of an image, what may not lie above its window."""

BESIDE = (
    'give the limits, such as window=(0, 4000), or leave `window="header"` out for images that have no DICOM '
    "header"
)
"""What to do where a header tells no window."""


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
    Window(low=25.0, high=75.0, percentile=False, top=255.0, inside='image', header=False)
    """

    low: Limit = field(
        metadata=metadata(
            LimitRule(),
            doc="Values at or below it become 0. One for each channel holds for that channel alone.",
        )
    )
    high: Limit = field(
        metadata=metadata(LimitRule(), doc="Values at or above it become ``top``; as many as of ``low``.")
    )
    percentile: bool = setting(
        False,
        PercentileRule(),
        doc="The limits are percentiles, 0 to 100, of each image's own values: of all channels together, or "
        "of each by itself where it has limits of its own.",
    )
    top: float = setting(
        255.0, Number(above=0), doc="The value that ``high`` becomes; 255 is what 8-bit files hold."
    )
    inside: Inside = setting(
        "image",
        Choice(get_args(Inside)),
        doc='Percentiles are of all pixels, or of the ``"foreground"`` that `xaimri.images.foreground` '
        "finds: the brain of a skull-stripped scan, the head of another.",
    )
    header: bool = setting(
        False,
        Flag(),
        doc="The limits are shares of the window in the header of each DICOM image, of which 0 is the lower "
        'limit and 1 the upper: ``window="header"`` is ``Window(0, 1, header=True)``.',
    )

    def __post_init__(self) -> None:
        check(self)
        if isinstance(self.low, tuple) != isinstance(self.high, tuple) or len(self._lows) != len(self._highs):
            raise InvalidInput(
                "a window needs one `low` and one `high`, or one of each for every channel, got "
                f"{shown(self.low)} and {shown(self.high)}: give as many of both."
            )
        for low, high in zip(self._lows, self._highs, strict=True):
            self._check(low, high)
        if self.inside != "image" and not self.percentile:
            raise InvalidInput(
                "`inside` of a window says of which pixels percentiles are taken, and these limits are "
                "intensities: leave it out, or add percentile=True."
            )

        if self.header and (self.percentile or self.by_channel):
            raise InvalidInput(
                "a window from the header has one pair of limits, shares of it and no percentiles: write "
                "`Window(0, 1, header=True)`."
            )

    def _check(self, low: float, high: float) -> None:
        if not low < high or self.top > LARGEST:
            raise InvalidInput(
                f"a window needs `low` below `high` and a `top` that fits float32, got {low:g}, "
                f"{high:g} and {self.top:g}: give the smaller limit first."
            )
        if self.percentile and not 0 <= low < high <= 100:
            raise InvalidInput(
                f"percentiles of a window lie between 0 and 100, got {low:g} and {high:g}: "
                "leave out `percentile` if these are intensities."
            )

    @property
    def _lows(self) -> tuple[float, ...]:
        return self.low if isinstance(self.low, tuple) else (self.low,)

    @property
    def _highs(self) -> tuple[float, ...]:
        return self.high if isinstance(self.high, tuple) else (self.high,)

    @property
    def by_channel(self) -> bool:
        """Whether every channel has limits of its own."""
        return isinstance(self.low, tuple)

    @check_arguments()
    def parts(self, image: Shaped[Array, ...]) -> Iterator[tuple[float, float, Shaped[Array, ...]]]:
        """Yield two limits and what of the image they hold for: all of it, or one channel after the other.

        Raises
        ------
        UnusableImage
            If there are limits for another number of channels.
        """
        if not self.by_channel:
            yield self._lows[0], self._highs[0], image
            return
        channels = image.shape[-1] if image.ndim else 0
        if channels != len(self._lows):
            raise UnusableImage(
                f"the window has limits for {len(self._lows)} channels, and the image has {channels}: give "
                "as many, or one pair for all."
            )
        for channel, (low, high) in enumerate(zip(self._lows, self._highs, strict=True)):
            yield low, high, image[..., channel : channel + 1]

    def resolved(self, image: Shaped[Array, ...]) -> Window:
        """Return the window in intensities: percentiles are taken of this image, ``(*space, channels)``.

        Raises
        ------
        UnusableImage
            If both percentiles fall on one intensity, as in a constant image; or nothing tells the foreground
            from a background, where percentiles are of the foreground.
        """
        if self.header:
            raise InvalidInput(
                'window="header" is of a DICOM image that is read: give the limits here, such as (0, 4000).'
            )
        if not self.percentile:
            return self
        if image.size == 0:
            raise UnusableImage("an empty image has no percentiles: give the window in intensities.")
        within = pixels_of(image, self.inside)
        found = [between(low, high, part[within], self.inside) for low, high, part in self.parts(image)]
        if not self.by_channel:
            return Window(*found[0], top=self.top)
        return Window(tuple(low for low, _ in found), tuple(high for _, high in found), top=self.top)

    def of_header(self, scan: Mapping[str, Any] | None) -> Window:
        """Return the window in intensities where it is one of the header: by what a DICOM file tells.

        Parameters
        ----------
        scan
            Of the `Picture` that was read.

        Raises
        ------
        UnusableImage
            If there is no header, or no one range in it.
        """
        if not self.header:
            return self
        told = "it has no DICOM header" if scan is None else scan.get("window", "it has no DICOM header")
        if isinstance(told, str):
            raise UnusableImage(f"the image has no window to be taken from its header ({told}): {BESIDE}.")
        least, most = (float(each) for each in told)
        low, high = (least + float(share) * (most - least) for share in (self._lows[0], self._highs[0]))
        return Window(low, high, top=self.top)

    @check_arguments()
    def apply(self, image: Shaped[Array, "*any"]) -> Float32[Array, "*any"]:
        """Return the image through the window, float32 and of the same shape; the image is not changed."""
        spread = [
            (np.clip(part.astype(np.float64), low, high) - low) / (high - low)
            for low, high, part in self.resolved(image).parts(image)
        ]
        whole = np.concatenate(spread, axis=-1) if self.by_channel else spread[0]
        windowed: Array = (whole * self.top).astype(np.float32)
        return windowed

    @check_arguments()
    def misses(self, image: Shaped[Array, "*any"]) -> Literal["below", "above"] | None:
        """Tell whether next to nothing of an image is seen: it lies at the lower limit, or above the upper.

        "below": it reaches no tenth of the window, as an image of 8 bits through one for 12. "above": nine
        tenths of what is above the lower limit are above the upper, as through a window for 0 to 1.
        A constant image is none of both, and percentiles miss no image. Where each channel has limits of its
        own, one that is missed is enough.

        Examples
        --------
        >>> image = np.float32([[0, 90], [180, 255]])
        >>> Window(0, 4000).misses(image), Window(0, 1).misses(image), Window(100, 200).misses(image)
        ('below', 'above', None)
        """
        if self.percentile or self.header or image.size == 0:
            return None
        found = (_missed(low, high, part) for low, high, part in self.parts(image))
        return next((missed for missed in found if missed is not None), None)

    def describe(self) -> str:
        """Say the limits in words.

        Examples
        --------
        >>> Window(0, 4000).describe(), Window(1, 99, percentile=True, top=1.0).describe()
        ('0 to 4000', '1 to 99 % (as 0 to 1)')
        >>> Window((0, 10), (4000, 900)).describe()
        '0 to 4000 and 10 to 900'
        """
        pairs = [f"{low:g} to {high:g}" for low, high in zip(self._lows, self._highs, strict=True)]
        if self.header:
            shares = "" if (self.low, self.high) == (0, 1) else f", {pairs[0]} of it"
            pairs = [f"of the header{shares}"]
        pairs = [f"{pair} %" for pair in pairs] if self.percentile else pairs
        within = "" if self.inside == "image" else f" of the {self.inside}"
        return " and ".join(pairs) + within + ("" if self.top == 255 else f" (as 0 to {self.top:g})")

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON types; ``Window(**record)`` is equal to this one."""
        low, high = (list(limit) if isinstance(limit, tuple) else limit for limit in (self.low, self.high))
        return {
            "low": low, "high": high, "percentile": self.percentile, "top": self.top, "inside": self.inside,
            "header": self.header,
        }  # fmt: skip


def _missed(low: float, high: float, image: Shaped[Array, ...]) -> Literal["below", "above"] | None:
    """Tell whether an image lies at the lower one of two limits, or above the upper one."""
    if image.min() == image.max():
        return None
    if image.max() < low + FAINT * (high - low):
        return "below"
    shown = int((image > low).sum())
    return "above" if (image > high).sum() >= CLIPPED * shown else None


WindowSource: TypeAlias = Window | tuple[float, float] | Literal["header"]
"""What stands for a window: two intensities, or the one in the header of each DICOM image."""


def as_window(value: object) -> Window:
    """Return a window, from a window, a pair of intensities, or ``"header"``: that of each DICOM image.

    Raises
    ------
    InvalidInput
        If the value is neither.

    Examples
    --------
    >>> as_window((0, 4000))
    Window(low=0.0, high=4000.0, percentile=False, top=255.0, inside='image', header=False)
    """
    if isinstance(value, Window):
        return value
    if isinstance(value, str) and value == "header":
        return Window(0, 1, header=True)
    pair = (
        list(value)
        if isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.shape == (2,))
        else []
    )
    if len(pair) == 2 and all(map(_number, pair)):
        return Window(*(v.item() if isinstance(v, np.generic) else v for v in pair))
    raise InvalidInput(
        f'`window` must be two intensities such as (0, 4000), "header" or a Window, got {shown(value)}: for '
        "percentiles pass `xaimri.Window(1, 99, percentile=True)`."
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)

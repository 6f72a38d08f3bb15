"""Colours: perceptually even, zero transparent, both signs of one weight, readable on a grey scan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.colors import ListedColormap, Normalize

from xaimri.arguments import check_arguments, check_fields
from xaimri.arrays import Array, Image
from xaimri.errors import InvalidInput, shown
from xaimri.explanation import Explanation
from xaimri.images.window import as_window
from xaimri.kinds import Numeric

STEPS = 256
GROUNDS = (0.1, 0.9)
"""Greys on which a colour bar is drawn, side by side: colours look otherwise on dark than on bright."""

WARM, COOL = "#ff8a3c", "#4fa8ff"
"""Colours of lines and regions that speak for the class, and against it."""

LINE = "#f5e663"
"""Colour of what must be seen on any ground: borders, the zero of a bar."""

LUMA = np.array([0.2126, 0.7152, 0.0722])
"""How bright red, green and blue look (Rec. 709)."""

_MAP = Numeric("fiub", 0, True, "(*space)")


@dataclass(frozen=True)
class Scale:
    """One scale for one or several maps: zero is pinned, and both signs reach equally far.

    Attributes
    ----------
    limit
        Largest absolute value, in the maps' unit.
    signed
        False where no map holds a negative value: the scale then begins at zero.
    palette
        Name of a matplotlib colour map; None is this package's own colours. Of either, the opacity follows
        the absolute value.
    beyond
        True where a value lies beyond the limit, and so has the limit's colour: the bar ends in a point.
    """

    limit: float
    signed: bool
    palette: str | None = None
    beyond: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.limit <= 0:
            raise InvalidInput(f"`limit` must be above 0, got {self.limit:g}.")
        if self.palette is not None and self.palette not in colormaps:
            raise InvalidInput(
                f"`colours` must be the name of a matplotlib colour map, such as 'viridis' or 'coolwarm', "
                f"got {shown(self.palette)}."
            )

    @classmethod
    @check_arguments()
    def of(cls, maps: Iterable[Array], *, colours: str | None = None, limit: float | None = None) -> Scale:
        """Return the scale that just holds these maps, or reaches to a limit of one's own."""
        every = [_MAP.convert(each, "maps") for each in maps]
        finite = [values[np.isfinite(values)] for values in cast("list[Array]", every)]
        reach = max((float(np.abs(v).max()) for v in finite if v.size), default=0.0)
        signed = any(bool((v < 0).any()) for v in finite)
        if limit is None:
            return cls(reach or 1.0, signed, colours)
        return cls(limit, signed, colours, reach > limit)

    @property
    def norm(self) -> Normalize:
        """How matplotlib maps values to colours."""
        return Normalize(-self.limit if self.signed else 0.0, self.limit)

    @property
    def colours(self) -> ListedColormap:
        """The colour map that goes with it."""
        if self.palette is not None:
            return _borrowed(self.palette, signed=self.signed)
        return diverging() if self.signed else sequential()


@cache
def sequential() -> ListedColormap:
    """Return the colours of positive values, transparent at zero."""
    return ListedColormap(_ramp(warm=True), name="xaimri_positive")


@cache
def diverging() -> ListedColormap:
    """Return the colours of both signs: warm speaks for the class, cool against it."""
    return ListedColormap(np.concatenate([_ramp(warm=False)[::-1], _ramp(warm=True)]), name="xaimri_signed")


def _ramp(*, warm: bool) -> Float[Array, "steps 4"]:
    """From transparent to opaque at steadily rising lightness, the same for both signs."""
    t = np.linspace(0, 1, STEPS)
    lightness = 0.50 + 0.38 * t
    hue = np.radians(22 + 68 * t if warm else 275 - 75 * t)
    chroma = 0.175 - 0.03 * t if warm else 0.145 - 0.03 * t
    rgb = oklab_to_rgb(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1))
    return np.column_stack([rgb, _opacity(t)])


def _opacity(strength: Float[Array, " steps"]) -> Float[Array, " steps"]:
    """Return how opaque values are, from their share of the limit."""
    return 0.9 * np.abs(strength) ** 0.75


@cache
def _borrowed(palette: str, *, signed: bool) -> ListedColormap:
    """Return the colours of a matplotlib map, its middle at zero where there are both signs."""
    places = np.linspace(-1, 1, 2 * STEPS) if signed else np.linspace(0, 1, STEPS)
    colours = colormaps[palette]((places + 1) / 2 if signed else places)
    colours[:, 3] = _opacity(places)
    return ListedColormap(colours, name=f"xaimri_{palette}")


def oklab_to_rgb(lab: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Turn OKLab colours into sRGB in 0..1, clipped to what a screen shows.

    References
    ----------
    Ottosson (2020), "A perceptual color space for image processing".
    """
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(((lab @ to_lms.T) ** 3) @ to_rgb.T, 0, 1)
    encoded: Array = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded


def as_rgb(picture: Image, low: float, high: float, *, grey: bool = False) -> Float[Array, "*space 3"]:
    """Return a picture as red, green and blue in 0..1, ``low`` drawn black and ``high`` white.

    ``grey`` takes the colours away, to draw a map on it: by the weights of Rec. 709.
    """
    scaled = np.clip((picture - low) / (high - low or 1.0), 0, 1)
    if scaled.shape[-1] != 3:
        return np.repeat(scaled.mean(axis=-1, keepdims=True), 3, axis=-1)
    return np.repeat((scaled @ LUMA)[..., None], 3, axis=-1) if grey else scaled


def drawn_window(image: Image, window: object) -> tuple[float, float]:
    """Return the intensities that are drawn black and white: of a window, else the least and the largest.

    Raises
    ------
    InvalidInput
        If the window has limits for each channel.

    Examples
    --------
    >>> drawn_window(np.float32([[[0], [9]]]), None), drawn_window(np.float32([[[0], [9]]]), (2, 5))
    ((0.0, 9.0), (2.0, 5.0))
    """
    if window is None:
        return float(image.min()), float(image.max())
    found = as_window(window).resolved(image)
    if not isinstance(found.low, float) or not isinstance(found.high, float):
        raise InvalidInput("a picture has one window: give two limits, not two for each channel.")
    return found.low, found.high


def common_scales(
    explanations: Iterable[Explanation], *, colours: str | None = None, limit: float | None = None
) -> dict[str, Scale]:
    """Return one scale per unit: maps of one unit are comparable, others are not."""
    units: dict[str, list[Array]] = {}
    for explanation in explanations:
        units.setdefault(scale_key(explanation), []).append(explanation.values)
    return {unit: Scale.of(maps, colours=colours, limit=limit) for unit, maps in units.items()}


def scale_key(explanation: Explanation) -> str:
    """Return the key under which :func:`common_scales` keeps an explanation's scale."""
    return f"{explanation.method['name']}: {explanation.unit}"

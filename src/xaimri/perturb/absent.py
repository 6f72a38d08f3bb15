"""What a hidden region looks like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, cast

import numpy as np

from xaimri.arrays import Array, Image, Labels, Mask, Stored
from xaimri.errors import InvalidInput
from xaimri.images.opencv import cv2
from xaimri.perturb.contrast import contrast_of
from xaimri.rules import Number, Numbers, Rule
from xaimri.settings import setting

T = TypeVar("T")

Absent: TypeAlias = Literal["auto", "mean", "blur", "noise", "inpaint"] | float | Stored | Array
"""How a hidden region looks: a named way, a constant value, or an array.

``"auto"``: the region's own mean where that takes enough away, else the level around it or of the whole
object, whichever is farther (see :func:`mean_or_level`); of windows the blur instead of the mean.
``"mean"``: the region's own mean, channel by channel. ``"blur"``: the image through a Gaussian filter whose
width is a tenth of the shorter axis (in volumes of the second longest). ``"noise"``: normal noise of each
channel's mean and spread. ``"inpaint"``: filled in from around the region by OpenCV (volumes
plane by plane). A number: that value. An array: one image ``(*space, channels)`` on the model's
grid, or a reference set ``(n, *space, channels)``, whose mean is taken.
"""

BLUR = 0.1
"""Standard deviation of the blur, as a share of the second longest axis: in an image the shorter one."""

MARGIN = 4
"""Pixels around a region that are handed to the inpainting."""

AUTO = "its own mean colour where that changes enough, else the level around it or of the object"
"""What the setting ``"auto"`` is, of a region or a window."""

LEVELS = 1e5
"""Grey levels over which the window is spread first: OpenCV's filling is off by one or two of them."""


def segment_mean(image: Image, labels: Labels) -> Image:
    """Give every pixel its region's mean, channel by channel; pixels in no region stay."""
    count = int(labels.max()) + 1
    inside = labels >= 0
    index = labels[inside]
    size = np.maximum(np.bincount(index, minlength=count), 1)
    hidden = image.copy()
    for channel in range(image.shape[-1]):
        total = np.bincount(index, weights=image[..., channel][inside], minlength=count)
        hidden[..., channel][inside] = (total / size)[index]
    return hidden


def mean_or_level(image: Image, labels: Labels) -> Image:
    """Give every pixel its region's mean or, where that takes next to nothing away, a level that does.

    A region whose spread is below a fifth of its distance from its level takes that level: the median of
    the object's pixels in the regions that touch it, or of those in all regions, whichever is farther from
    the region's mean (:class:`~xaimri.perturb.contrast.Contrast`). Regions of the background take their mean.

    Examples
    --------
    >>> image, labels = np.array([[1.0, 5, 3, 9, 9]])[..., None], np.array([[0, 0, 0, 1, 1]])
    >>> mean_or_level(image, labels).ravel().tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """
    found = contrast_of(image, labels)
    inside = labels >= 0
    gone = image.copy()
    gone[inside] = found.mean_or_level[labels[inside]]
    return gone


def constant(image: Image, labels: Labels, value: float) -> Image:
    """Give every pixel of a region one value; pixels in no region stay."""
    hidden = image.copy()
    hidden[labels >= 0] = value
    return hidden


def blurred(image: Image) -> Image:
    """Return the image through a Gaussian filter in which anatomy is gone.

    Its width goes by the second longest side, so that a volume of few slices is blurred too.
    """
    from scipy.ndimage import gaussian_filter

    width = BLUR * sorted(image.shape[:-1])[-2:][0]
    found: Image = gaussian_filter(image, sigma=(*[width] * (image.ndim - 1), 0), mode="nearest")
    return found


def noise(image: Image, seed: int) -> Image:
    """Return normal noise with each channel's mean and standard deviation, within the image's range."""
    axes = tuple(range(image.ndim - 1))
    drawn = np.random.default_rng(seed).standard_normal(image.shape)
    drawn = image.mean(axis=axes, dtype=np.float64) + image.std(axis=axes, dtype=np.float64) * drawn
    clipped: Image = np.clip(drawn, image.min(), image.max()).astype(image.dtype)
    return clipped


def inpainted(image: Image, labels: Labels) -> Image:
    """Fill every region, each alone, from the pixels around it.

    References
    ----------
    Telea (2004), doi:10.1080/10867651.2004.10487596, by OpenCV.
    """
    from scipy.ndimage import find_objects

    hidden = image.copy()
    boxes: Sequence[tuple[slice, ...] | None] = find_objects(labels + 1)
    for region, box in enumerate(boxes):
        if box is None:
            continue
        wide = tuple(slice(max(s.start - MARGIN, 0), s.stop + MARGIN) for s in box)
        gap = labels[wide] == region
        for channel in range(image.shape[-1]):
            hidden[..., channel][wide][gap] = _filled(image[..., channel][wide], gap)[gap]
    return hidden


def _filled(window: Array, gap: Mask) -> Array:
    """Inpaint a plane, or a volume plane by plane; a window that is all gap gets its mean."""
    if window.ndim > 2:
        return np.stack([_filled(plane, hole) for plane, hole in zip(window, gap, strict=True)])
    if gap.all():
        return np.full_like(window, window.mean())
    low, high = float(window[~gap].min()), float(window[~gap].max())
    scale = LEVELS / (high - low or 1.0)
    levels = np.where(gap, 0, (window - low) * scale).astype(np.float32)
    library = cv2()
    filled: Array = library.inpaint(levels, gap.astype(np.uint8), 3, library.INPAINT_TELEA)
    return np.asarray(low + np.clip(filled / scale, 0, high - low))


_NAMED: dict[str, Callable[[Image, Labels, int], Image]] = {
    "auto": lambda image, labels, _: mean_or_level(image, labels),
    "mean": lambda image, labels, _: segment_mean(image, labels),
    "blur": lambda image, _, __: blurred(image),
    "noise": lambda image, _, seed: noise(image, seed),
    "inpaint": lambda image, labels, _: inpainted(image, labels),
}


@dataclass(frozen=True)
class AbsentRule(Rule):
    """A way of hiding: an array is kept as a stored one, a number as a plain float."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return f"{', '.join(map(repr, _NAMED))}, a finite number or an array"

    def convert(self, value: object, name: str, /) -> object:
        """Return the way of hiding as it is kept."""
        return (
            Numbers().convert(value, name)
            if isinstance(value, np.ndarray | Stored)
            else checked_absent(value)
        )


def absent_setting(
    default: T, *, of: str = "hidden region", mean: str = "its own mean colour", auto: str = AUTO
) -> T:
    """Return the field of a setting ``absent``: what it is that is hidden, and what its mean is."""
    doc = (
        f'What a {of} looks like: ``"auto"`` ({auto}), ``"mean"`` ({mean}), ``"blur"``, ``"noise"``, '
        '``"inpaint"``, a number, or an image or a set of images whose mean is taken.'
    )
    return setting(default, AbsentRule(), doc=doc)


def checked_absent(absent: object) -> Absent:
    """Return a way of hiding as it is, a number as a plain float; or name the ways that there are."""
    if isinstance(absent, np.ndarray | Stored) or (isinstance(absent, str) and absent in _NAMED):
        return cast(Absent, absent)
    limit = float(np.finfo(np.float32).max)
    try:
        return Number(least=-limit, most=limit).convert(absent, "absent")
    except InvalidInput:
        raise AbsentRule().refusal(absent, "absent") from None


def hidden(image: Image, labels: Labels, absent: Absent, seed: int = 0) -> Image:
    """Return the image as it looks with every region hidden; pixels in no region (-1) stay.

    Raises
    ------
    InvalidInput
        If an array has another shape than the image.

    Examples
    --------
    >>> image, labels = np.array([[[1.0], [3.0], [5.0]]]), np.array([[0, 0, -1]])
    >>> hidden(image, labels, "mean").ravel().tolist(), hidden(image, labels, 0.0).ravel().tolist()
    ([2.0, 2.0, 5.0], [0.0, 0.0, 5.0])
    """
    if isinstance(absent, str):
        found = _NAMED[absent](image, labels, seed)
    elif isinstance(absent, Stored | np.ndarray):
        found = _reference(image, absent.array if isinstance(absent, Stored) else absent)
    else:
        found = constant(image, labels, float(absent))
    return np.where((labels >= 0)[..., None], found, image).astype(image.dtype)


def written(absent: Absent) -> str:
    """Return a way of hiding as a caller writes it."""
    return "the given array" if isinstance(absent, Stored | np.ndarray) else f"absent={absent!r}"


def _reference(image: Image, given: Array) -> Image:
    """Return a reference image, or the mean of a set of them."""
    reference = given.mean(axis=0, dtype=np.float64) if given.ndim == image.ndim + 1 else given
    if reference.shape != image.shape:
        raise InvalidInput(
            f"`absent` must be an image of shape {image.shape}, the model's grid, or a set of them, got an "
            f"array of shape {given.shape}."
        )
    return reference

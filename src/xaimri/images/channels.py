"""The axis of channels: where an array has it, and how many of them a model takes."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.regular_file import quoted

Layout: TypeAlias = Literal["channels_last", "channels_first"]
"""Where an array has its axis of channels."""

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the grey value (ITU-R BT.601-7, section 2.5.1)."""


def check_layout(layout: object) -> None:
    """See that there is such a place for an array's channels, or none is named."""
    if layout is not None and not (isinstance(layout, str) and layout in get_args(Layout)):
        raise InvalidInput(f'`layout` must be "channels_last" or "channels_first", got {shown(layout)}.')


@check_arguments()
def with_channels(image: Image, channels: int | None) -> Float[Array, "*space given"]:
    """Give an image the number of channels that a model takes.

    Grey is repeated, colour becomes its ITU-R 601 luminance, and None or an equal number leaves the
    image as it is.

    Raises
    ------
    UnusableImage
        If there is no such conversion.

    Examples
    --------
    >>> with_channels(np.full((2, 4, 1), 7.0, np.float32), 3).shape
    (2, 4, 3)
    >>> round(with_channels(np.float32([[[255, 0, 0]]]), 1).item(), 3)
    76.245
    """
    present = image.shape[-1]
    if channels is None or channels == present:
        return image
    if present == 1 and channels > 1:
        return np.repeat(image, channels, axis=-1)
    if present == 3 and channels == 1:
        grey: Array = image @ np.asarray(LUMINANCE, image.dtype)
        return grey[..., None]
    raise UnusableImage(
        f"an image of {present} channels cannot be given {channels}: pass a grey image, or one of "
        f"{channels} channels."
    )


def channels_last(pixels: Array, rank: int, channels: int | None, name: str, layout: Layout | None) -> Array:
    """Bring the array to `rank` spatial axes and one of channels."""
    if pixels.dtype.kind not in "buif":
        raise UnusableImage(
            f"{name} must hold real numbers, and this is of type {quoted(pixels.dtype)}: pass a path, "
            "the bytes of a file, a PIL image or an array of numbers."
        )
    if pixels.size == 0:
        raise UnusableImage(f"{name} is empty, of shape {pixels.shape}: pass one with at least one pixel.")
    if pixels.ndim == rank:
        return pixels[..., None]
    allowed = (1, 3, 4, channels)
    moved = np.moveaxis(pixels, 0, -1) if layout == "channels_first" and pixels.ndim > 1 else pixels
    if moved.ndim != rank + 1 or moved.shape[-1] not in allowed:
        raise UnusableImage(_misshaped(pixels.shape, rank, name, allowed, layout))
    return moved if moved.shape[-1] in (1, 3, channels) else moved[..., :3]


def layout_of(shape: tuple[int, ...], rank: int, channels: int | None, name: str) -> Layout | None:
    """Tell where an array for a model that takes its channels first has them, or ask."""
    allowed = (1, 3, 4, channels)
    if len(shape) != rank + 1 or shape[0] not in allowed:
        return None
    if shape[-1] in allowed:
        raise UnusableImage(
            f"{name} has the shape {shape}, which can have its channels first or last, and the model takes "
            'them first: pass layout="channels_first" or layout="channels_last".'
        )
    return "channels_first"


def _misshaped(
    shape: tuple[int, ...], rank: int, name: str, allowed: tuple[int | None, ...], layout: Layout | None
) -> str:
    """Say what is wrong with a shape."""
    if len(shape) == rank + 1 and layout is None and shape[0] in allowed:
        return (
            f"{name} has the shape {shape}, which can only be channels first: pass "
            'layout="channels_first", or move the axis, as by `np.moveaxis(image, 0, -1)`.'
        )
    space = "height, width" if rank == 2 else "depth, height, width"
    axes = f"channels, {space}" if layout == "channels_first" else f"{space}, channels"
    last = layout.replace("_", " ") if layout else "channels last"
    return (
        f"{name} has the shape {shape}, and a {rank}-D model takes one image ({space}) or ({axes}) of 1, 3 "
        f"or 4 channels: pass one image at a time, {last}."
    )

"""Masks: whatever says where an answer lies becomes True and False, and is carried to a model's grid."""

from __future__ import annotations

import os
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Shaped

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Mask
from xaimri.errors import InvalidInput, first_line
from xaimri.grid import Grid
from xaimri.images.channels import Layout
from xaimri.images.nifti import is_image
from xaimri.images.picture import Picture
from xaimri.images.read import read_picture

MaskSource: TypeAlias = object
"""Whatever holds one mask: an array of True and False or of 0 and one other value, the path of a file of such
pixels, its bytes, a PIL image."""

OnGrid: TypeAlias = Bool[Array, "*cells"]
"""A mask on another grid than its image's: True inside."""


@check_arguments()
def read_mask(
    source: MaskSource,
    space: tuple[int, ...],
    *,
    name: str = "the mask",
    layout: Layout | None = None,
    image: Picture | None = None,
) -> Mask:
    """Read one mask as True and False: 0 is outside, and one other value is inside, whatever it is.

    So masks of 0 and 1, of 0 and 255 as files have them, and of 0 and a label are the same mask. What could
    be read in two ways is refused: several labels, probabilities, grey edges, negative values, colours.

    Parameters
    ----------
    source
        An array or nested lists, or a file that `xaimri.images.read_image` reads, by its content.
    space
        Shape of the image it belongs to; an axis of channels may follow.
    name
        What to call it in a sentence.
    layout
        Where an array or ``.npy`` file has its channels, if it has some; None is last.
    image
        The image it belongs to, with its affine: a mask that lies elsewhere is refused.

    Returns
    -------
    Mask
        ``(*space)``, True inside; it may be empty.

    Raises
    ------
    UnusableImage
        If a file can't be read.
    InvalidInput
        If it is no mask, or one of another shape.

    Examples
    --------
    >>> read_mask(np.array([[0, 255, 255]], np.uint8), (1, 3)).tolist()
    [[False, True, True]]
    >>> read_mask([[0, 1, 4]], (1, 3))  # of which one?
    Traceback (most recent call last):
        ...
    xaimri.errors.InvalidInput: the mask holds several values beside 0, such as 1 and 4: ...
    """
    pixels = _pixels(source, len(space), name, layout, image)
    if pixels.ndim == len(space):
        pixels = pixels[..., None]
    elif layout == "channels_first" and pixels.shape[1:] == space:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[:-1] != space:
        raise InvalidInput(
            f"{name} has the shape {pixels.shape[:-1] if pixels.shape[-1] == 1 else pixels.shape}, and its "
            f"image {space}: give a mask of the image's own grid."
        )
    return _inside(pixels, name)


def mask_on_grid(mask: Mask, grid: Grid, name: str = "the mask") -> OnGrid:
    """Carry a mask from an image to a model's grid, so that it keeps its place and its area.

    As many cells as the mask's area makes are taken, those that it covers most; cells that it covers alike
    are taken together.

    Raises
    ------
    InvalidInput
        If it has no pixel, or is lost: where it is smaller than half a cell, or so thin that the cells that
        it covers have less than half, or more than twice, its area.

    Examples
    --------
    >>> mask = np.arange(8) >= 4
    >>> mask_on_grid(mask, Grid.resized((8,), (2,))).tolist()
    [False, True]
    """
    if not mask.any():
        raise InvalidInput(f"{name} has no pixel: give one with at least one, or none.")
    covered = np.round(grid.coverage(mask), 9)
    area = float(covered.sum())
    found = _most_covered(covered, area)
    if area < 0.5 or not area / 2 <= found.sum() <= 2 * area:
        cells = " x ".join(map(str, grid.cells))
        why = "covers less than half a pixel" if area < 0.5 else "is so thin that it fills no pixel by itself"
        raise InvalidInput(
            f"{name} is lost on the model's grid of {cells}, where it {why}: take a model with a larger "
            "input, or leave the mask out."
        )
    return found


def _most_covered(covered: Float[Array, "*cells"], area: float) -> OnGrid:
    """Return the cells of the largest coverage, as many as make the area, or nearest to it."""
    count = min(max(round(area), 1), covered.size)
    edge = float(np.partition(covered, -count, axis=None)[-count])
    level: Array = (covered >= edge) & (covered > 0)
    above: Array = covered > edge
    return above if above.any() and area - above.sum() < level.sum() - area else level


def _check_place(mask: Picture, image: Picture | None, name: str) -> None:
    """See that a mask lies where its image lies, as far as both say so.

    Raises
    ------
    InvalidInput
        If it lies elsewhere, or the image was turned when it was read, and it can't be told whether the mask
        was.
    """
    if image is None:
        return
    if mask.affine is not None and image.affine is not None:
        step = float(np.linalg.norm(image.affine[:3, :3], axis=0).min())
        if not np.allclose(mask.affine, image.affine, atol=0.05 * step):
            raise InvalidInput(f"{name} has another affine than its image: bring it to the image's own grid.")
    elif (
        mask.affine is None
        and image.scan is not None
        and image.scan["orientation"] != [[0, 1], [1, 1], [2, 1]]
    ):
        raise InvalidInput(
            f"{name} is an array, and its scan was turned when it was read: give the mask as NIfTI, or as "
            "xaimri.images.Picture with its affine."
        )


def _pixels(
    source: MaskSource, rank: int, name: str, layout: Layout | None, image: Picture | None
) -> Shaped[Array, ...]:
    """Return what a source holds, of any shape, in real numbers or True and False."""
    if (
        isinstance(source, str | os.PathLike | bytes | bytearray | Picture)
        or _is_file(source)
        or is_image(source)
    ):
        read = read_picture(source, rank, layout=layout)
        _check_place(read, image, name)
        return read.pixels
    if isinstance(source, np.ma.MaskedArray) and np.any(source.mask):
        raise InvalidInput(f"{name} has masked pixels: give them a value, as by `mask.filled(0)`.")
    try:
        pixels: Array = np.asarray(source)
    except Exception as error:  # whatever an object's own conversion raises, ragged lists among it
        raise InvalidInput(
            f"{name} is no array ({first_line(error, 120)}): give True and False for every pixel."
        ) from error
    if pixels.ndim not in (rank, rank + 1) or pixels.dtype.kind not in "buif" or not pixels.size:
        kind = type(source).__name__
        what = f"an array of {pixels.dtype} of shape {pixels.shape}" if pixels.ndim else f"a {kind}"
        raise InvalidInput(
            f"{name} must be an array of True and False, or a file with one, of {rank} axes, got {what}."
        )
    _check_place(Picture(pixels), image, name)
    return pixels


def _is_file(source: object) -> bool:
    """Tell whether this is an open file or a PIL image."""
    return not isinstance(source, np.ndarray) and (hasattr(source, "getbands") or hasattr(source, "read"))


def _inside(pixels: Shaped[Array, "*space channels"], name: str) -> Mask:
    """Return where the pixels are not 0, if all that are not have one value."""
    inside: Mask = (pixels != 0).any(axis=-1)
    values = pixels[inside]
    if not len(values):
        return inside
    if not np.isfinite(values).all():
        raise InvalidInput(f"{name} holds NaN or infinite values: give True and False.")
    if values.min() < 0:
        raise InvalidInput(f"{name} holds values below 0: give `mask > 0`, if that is what it means.")
    if (values != values[0]).any():
        raise InvalidInput(_several(values, name))
    if inside.all() and values.max() != 1:
        raise InvalidInput(f"{name} has no 0, so that nothing lies outside it: give True and False.")
    return inside


def _several(values: Shaped[Array, "pixels channels"], name: str) -> str:
    """Say that there are more values than one, and how to choose."""
    if values.shape[-1] > 1:
        return f"{name} has several colours: give an array of True and False, True where the answer lies."
    some = [float(value) for value in np.unique(values)[[0, 1, -1]]]
    return (
        f"{name} holds several values beside 0, such as {some[0]:g} and {some[1]:g}: give `mask > "
        f"{some[2] / 2:g}` of probabilities or grey edges, `mask == {some[2]:g}` for one of several labels, "
        "or `mask != 0` for all of them."
    )

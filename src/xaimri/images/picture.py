"""One image with what is known of where it lies: its pixels, their size, and their place in the scanner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, frozen
from xaimri.errors import InvalidInput, shown
from xaimri.kinds import Anything
from xaimri.sealed import seal


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """Pixels, the size of each in mm, and the way from their indices to the scanner.

    Parameters
    ----------
    pixels
        ``(*space)`` or ``(*space, channels)``; `xaimri.images.read_picture` gives the latter, float32.
    spacing
        Edge of a pixel along every spatial axis, mm; None where it is not known.
    affine
        ``(4, 4)``: takes the indices along the spatial axes and a 1 to mm in the scanner; the third index
        of a slice is 0. None where it is not known.

    Raises
    ------
    InvalidInput
        If the spacing has not one positive length for each axis, or the affine is none.

    Examples
    --------
    >>> Picture(np.zeros((4, 6)), spacing=(1.0, 0.5))
    Picture(shape=(4, 6), spacing=(1.0, 0.5), affine=None)
    """

    pixels: Array
    spacing: tuple[float, ...] | None = None
    affine: Float[Array, "4 4"] | None = None
    scan: Mapping[str, Any] | None = None
    """Of a scan that was read: the grid that its file has, as plain numbers; maps are written back on it."""
    contrasts: tuple[str, ...] = ()
    """What the channels are, where they are several contrasts: see `xaimri.images.Contrasts`."""

    @check_arguments(pixels=Anything(), affine=Anything())
    def __init__(
        self,
        pixels: npt.ArrayLike,
        spacing: Sequence[float] | Float[Array, " axes"] | None = None,
        affine: npt.ArrayLike | None = None,
    ) -> None:
        array = _array(pixels, "pixels")
        object.__setattr__(self, "pixels", array)
        object.__setattr__(self, "spacing", None if spacing is None else _lengths(spacing, array.ndim))
        object.__setattr__(self, "affine", None if affine is None else _affine(affine))
        object.__setattr__(self, "scan", None)
        object.__setattr__(self, "contrasts", ())

    def on(self, scan: Mapping[str, Any] | None) -> Picture:
        """Return the same picture as one of a scan whose file has this grid."""
        return self._with("scan", seal(scan))

    def of_contrasts(self, names: tuple[str, ...]) -> Picture:
        """Return the same picture as one whose channels are these contrasts."""
        return self._with("contrasts", names)

    def with_pixels(self, pixels: Array) -> Picture:
        """Return other pixels that lie where these lie."""
        return self._with("pixels", pixels)

    def _with(self, name: str, value: object) -> Picture:
        other = copy(self)
        object.__setattr__(other, name, value)
        return other

    def __repr__(self) -> str:
        affine = None if self.affine is None else self.affine.tolist()
        return f"Picture(shape={self.pixels.shape}, spacing={self.spacing}, affine={affine})"


def _array(given: object, name: str) -> Array:
    """Return what was given as an array, of numbers where it is not the pixels."""
    try:
        array = np.asanyarray(given)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"`{name}` must be an array, got {shown(given)}.") from None
    if name != "pixels" and array.dtype.kind not in "fiub":
        raise InvalidInput(f"`{name}` must be an array of numbers, got {shown(given)}.")
    return array


def _lengths(spacing: Sequence[float] | Float[Array, " axes"], axes: int) -> tuple[float, ...]:
    """Return the spacing as plain numbers, one for each axis but that of channels."""
    lengths = _array(spacing, "spacing").astype(np.float64)
    if lengths.shape not in ((axes,), (axes - 1,)) or not (np.isfinite(lengths) & (lengths > 0)).all():
        raise InvalidInput(
            f"`spacing` must be one length in mm, above 0, for each spatial axis, and the pixels have {axes} "
            f"axes with that of channels or without, got {shown(spacing)}."
        )
    return tuple(lengths.tolist())


def _affine(affine: npt.ArrayLike) -> Float[Array, "4 4"]:
    """Return the matrix as read-only float64."""
    matrix = _array(affine, "affine").astype(np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or (matrix[3] != (0, 0, 0, 1)).any():
        raise InvalidInput(
            "`affine` must be a finite (4, 4) matrix from indices to mm, with the last row 0 0 0 1, got "
            f"{shown(matrix)}."
        )
    return frozen(matrix)

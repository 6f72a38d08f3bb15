"""One image, as it was given and as a model is given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float

from xaimri.arrays import Array, Fitted, Image
from xaimri.caveats import Caveat, Reason
from xaimri.grid import Grid
from xaimri.images.window import Window


@dataclass(frozen=True, eq=False)
class Taken:
    """One image, as it was given and as the model is given it.

    Attributes
    ----------
    image
        ``(*space, channels)``: as it was given, in the model's number of channels.
    fitted
        The same on the model's grid, its window applied.
    grid
        Where the model's pixels lie on the image.
    window
        The window with its limits for this image; None where there is none.
    spacing, affine, scan, contrasts
        Of the image as it was given, as of `Picture`; None where they are not known.
    caveats
        What is odd about how it came there.
    """

    image: Image
    fitted: Fitted
    grid: Grid
    window: Window | None
    spacing: tuple[float, ...] | None = None
    affine: Float[Array, "4 4"] | None = None
    scan: Mapping[str, Any] | None = None
    contrasts: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()

    @property
    def outside(self) -> bool | None:
        """Whether the window misses the image, as `Window.misses`; None where there is no window."""
        if self.window is None:
            return None
        return any(caveat.reason is Reason.OUTSIDE_WINDOW for caveat in self.caveats)

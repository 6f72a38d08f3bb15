"""Whether images of one set have one range of intensities, which is that of their window if they have one."""

from __future__ import annotations

from dataclasses import dataclass

from xaimri.arrays import Image
from xaimri.errors import InvalidInput

BRIGHT = 50.0
"""An image that reaches this value is no image of 0 to 1."""

PALE = 0.5
"""An image of 0 to 1 reaches this value; an empty slice among larger intensities hardly does."""

SHARE = 0.05
"""Of all images, from which on those of 0 to 1, or beside the window, are no empty slices among the rest."""


@dataclass
class Ranges:
    """What has been seen of a set: how many images, how many of 0 to 1, one of these, and the brightest.

    Through a window that is: how many it misses, and the first of these.

    Examples
    --------
    >>> import numpy as np
    >>> seen = Ranges()
    >>> seen.note("a", np.float32([[[0.2], [0.9]]]))
    >>> seen.note("b", np.float32([[[20.0], [90.0]]]))
    >>> seen.check()
    Traceback (most recent call last):
    xaimri.errors.InvalidInput: `a` lies in 0..1 and `b` reaches 90: bring all images to one range, ...
    """

    images: int = 0
    pale: int = 0
    palest: str = ""
    brightest: str = ""
    high: float = 0.0
    missed: int = 0
    first: str = ""

    def note(self, name: str, image: Image, outside: bool | None = None) -> None:
        """Look at one image, as it is stored; ``outside``: whether its window misses it, None without one."""
        self.images += 1
        if outside is not None:
            self.missed += outside
            self.first = self.first or (name if outside else "")
            return
        low, high = float(image.min()), float(image.max())
        if high > self.high:
            self.brightest, self.high = name, high
        if low >= 0 and PALE < high <= 1 and bool((image % 1).any()):
            self.pale += 1
            self.palest = self.palest or name

    @property
    def fault(self) -> str | None:
        """What is wrong where images of 0 to 1 stand beside larger ones, or the window misses most."""
        if self.missed > self.images / 2:
            return (
                f"{self.told} are next to black or white through the window: give them as they were stored, "
                "or another `window`."
            )
        if self.high < BRIGHT or not self.pale or self.pale < SHARE * self.images:
            return None
        return (
            f"`{self.palest}` lies in 0..1 and `{self.brightest}` reaches {self.high:.6g}: bring all images "
            "to one range, or spread each by its own, as by window=xaimri.Window(0, 100, percentile=True)."
        )

    @property
    def told(self) -> str:
        """How many images the window misses, in words."""
        return f"{self.missed:,} of {self.images:,} images, such as `{self.first}`,"

    def check(self) -> None:
        """Refuse two ranges in one set: a network would see the one as black."""
        if self.fault is not None:
            raise InvalidInput(self.fault)

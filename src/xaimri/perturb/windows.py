"""Windows of an image that are hidden one at a time, each by what it looks like without what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from xaimri.arrays import Array, Image
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.perturb.absent import MARGIN, Absent, hidden
from xaimri.perturb.blind_spots import barely_hidden
from xaimri.perturb.contrast import Window, contrast_of_windows


class HiddenWindows:
    """What stands in each window of an image where it is hidden.

    Their own mean and their inpainting are the window's own; anything else is cut from what stands for the
    whole image. ``"auto"`` is the blur, or the window's level (:class:`~xaimri.perturb.contrast.Contrast`)
    where the blur takes next to nothing away; of a window of the background its mean, since the object must
    not be smeared over it.

    Examples
    --------
    >>> image = np.array([[1.0, 1, 1, 9, 9, 1, 1]], "float32")[..., None]
    >>> lesion = [(slice(0, 1), slice(3, 5))]
    >>> HiddenWindows(image, lesion, "mean", 0).gone(0).ravel().tolist()
    [9.0, 9.0]
    """

    def __init__(self, image: Image, windows: Sequence[Window], absent: Absent, seed: int) -> None:
        self.image, self.windows, self.absent, self._seed = image, windows, absent, seed
        self._contrast = contrast_of_windows(image, windows)
        self._levels: dict[int, Array] = {}
        if absent == "mean":
            self._levels = dict(enumerate(self._contrast.mean))
        elif absent != "inpaint":
            nowhere = np.zeros(image.shape[:-1], np.int64)
            self._whole = hidden(image, nowhere, "blur" if absent == "auto" else absent, seed)
        if absent == "auto":
            kept, own = self._contrast.kept(self._change()), self._contrast.of_object
            levels = np.where(kept[:, None], self._contrast.level, self._contrast.mean)
            self._levels = {int(number): levels[number] for number in np.flatnonzero(kept | ~own)}

    def gone(self, number: int) -> Array:
        """Return what stands in a window."""
        window = self.windows[number]
        if number in self._levels:
            level = self._levels[number].astype(self.image.dtype)
            return np.broadcast_to(level, self.image[window].shape)
        return self._inpainted(window) if self.absent == "inpaint" else self._whole[window]

    def _change(self) -> Array:
        """Return by how much hiding changes each window: a root mean square over pixels and channels."""
        pairs = ((self.image[w].astype(np.float64), self.gone(n)) for n, w in enumerate(self.windows))
        return np.array([np.sqrt(np.mean((shown - gone) ** 2)) for shown, gone in pairs])

    def _inpainted(self, window: Window) -> Array:
        around = tuple(slice(max(s.start - MARGIN, 0), s.stop + MARGIN) for s in window)
        inside = tuple(
            slice(s.start - a.start, s.stop - a.start) for s, a in zip(window, around, strict=True)
        )
        near = self.image[around]  # all that the filling looks at
        labels = np.full(near.shape[:-1], -1)
        labels[inside] = 0
        filled: Array = hidden(near, labels, "inpaint", self._seed)[inside]
        return filled

    def unseen(self) -> tuple[int, float]:
        """Return how many windows are barely hidden, and which part of the object lies in no other."""
        barely = self._contrast.barely(self._change())
        if not barely.any():
            return 0, 0.0
        seen, own = np.zeros((2, *self.image.shape[:-1]), dtype=bool)
        for window, spot, of_object in zip(self.windows, barely, self._contrast.of_object, strict=True):
            own[window] |= of_object
            seen[window] |= not spot
        return int(barely.sum()), float((own & ~seen).sum() / own.sum())

    def caveats(self) -> tuple[float, list[Caveat]]:
        """Return the part of the object that no window hides, and the caveat of it."""
        count, share = self.unseen()
        parts = f"{count} of {len(self.windows)} windows"
        return share, [barely_hidden(self.absent, parts, share, "auto")] if share else []


def windows_over(space: Sequence[int], side: Sequence[int], step: Sequence[int]) -> list[Window]:
    """Cut a grid into overlapping windows that cover every pixel.

    Raises
    ------
    InvalidInput
        If a stride is wider than its window.

    Examples
    --------
    >>> windows_over((1, 4), (1, 2), (1, 2))
    [(slice(0, 1, None), slice(0, 2, None)), (slice(0, 1, None), slice(2, 4, None))]
    """
    for window, stride in zip(side, step, strict=True):
        if stride > window:
            raise InvalidInput(f"`stride` must be in [1, window={window}], got {stride}.")
    starts = [range(0, max(n - w, 0) + s, s) for n, w, s in zip(space, side, step, strict=True)]
    return [
        tuple(slice(a, min(a + w, n)) for a, w, n in zip(corner, side, space, strict=True))
        for corner in product(*starts)
        if all(a < n for a, n in zip(corner, space, strict=True))
    ]

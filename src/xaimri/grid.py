"""Where a coarse lattice of cells lies on an image, and how values pass between the two.

One idea serves twice. The cells of a feature map lie on the model's input, and the pixels of the
model's input lie on the user's image: both are a :class:`Grid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Mask
from xaimri.errors import InvalidInput, shown

Fit: TypeAlias = Literal["stretch", "pad"]
"""How an image of another shape is brought to the model's input."""

FEWEST = 6
"""Cells along an axis, of which fewer tell hardly more than a quarter of the image."""

DISPUTED, AMBIGUOUS = 0.1, 0.25
"""Of a step: where branches lie farther apart it matters which one carries, and what doubt is told."""


def check_fit(fit: str) -> None:
    """See that there is such a way of bringing an image to a model's input."""
    if not isinstance(fit, str) or fit not in get_args(Fit):
        raise InvalidInput(f'`fit` must be "stretch" or "pad", got {shown(fit)}.')


@dataclass(frozen=True)
class Grid:
    """Cell ``i`` of an axis is centred at pixel ``start + step * i`` of the image.

    Attributes
    ----------
    space
        Shape of the image, in pixels.
    cells
        Shape of the lattice, of the same rank.
    start, step
        Per axis, in pixels. The centre of the first pixel is 0.
    spread
        Where branches that merge on the way place a cell differently, it lies at their mean, each weighted
        by what it carries: the largest distance of a branch from there, in pixels.
    assumed
        True where the geometry could not be read, and half-pixel resizing was assumed.
    doubt
        The standard deviation of the branches' places around that mean, per axis, in pixels: 0 where one
        branch carries everything. Empty where none disagree.

    Examples
    --------
    The last block of a ResNet50 at 224 pixels: cell ``i`` is centred at pixel ``32 * i``.

    >>> grid = Grid(space=(224,), cells=(7,), start=(0.0,), step=(32.0,))
    >>> on_image = grid.resample(np.eye(7)[3])
    >>> int(on_image.argmax())
    96
    """

    space: tuple[int, ...]
    cells: tuple[int, ...]
    start: tuple[float, ...]
    step: tuple[float, ...]
    spread: float = 0.0
    assumed: bool = False
    doubt: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ranks = {len(self.space), len(self.cells), len(self.start), len(self.step)}
        if len(ranks) != 1:
            raise InvalidInput(
                f"a grid needs one entry per axis in `space`, `cells`, `start` and `step`, got {self}."
            )
        if min(self.space + self.cells, default=1) < 1 or min(self.step, default=1.0) <= 0:
            raise InvalidInput(f"a grid needs positive sizes and steps, got {self}.")

    @property
    def coarse(self) -> bool:
        """Whether an axis of the image is cut into fewer than six cells.

        Examples
        --------
        >>> Grid.resized((224, 224), (7, 7)).coarse, Grid.resized((128, 224), (4, 7)).coarse
        (False, True)
        >>> Grid.resized((4, 224), (4, 7)).coarse  # the image has no more
        False
        """
        return any(count < min(FEWEST, n) for count, n in zip(self.cells, self.space, strict=True))

    @property
    def disputed(self) -> bool:
        """Whether branches place the cells farther than a tenth of a step from their mean."""
        return self.spread > DISPUTED * min(self.step, default=1.0)

    @property
    def ambiguous(self) -> bool:
        """Whether the cells' place is in doubt by more than a quarter of a step, along some axis.

        Examples
        --------
        >>> Grid((224,), (7,), (15.0,), (32.0,), spread=12.0, doubt=(9.0,)).ambiguous
        True
        """
        return any(off > AMBIGUOUS * step for off, step in zip(self.doubt, self.step, strict=False))

    @classmethod
    def resized(cls, space: Sequence[int], cells: Sequence[int], *, assumed: bool = False) -> Grid:
        """Half-pixel resizing: the cells tile the image edge to edge."""
        step = tuple(n / m for n, m in zip(space, cells, strict=True))
        start = tuple((s - 1) / 2 for s in step)
        return cls(tuple(space), tuple(cells), start, step, assumed=assumed)

    @classmethod
    def fitted(cls, image: Sequence[int], model: Sequence[int], fit: Fit = "stretch") -> Grid:
        """Lay a model's input on an image.

        Parameters
        ----------
        image, model
            Spatial shapes of the same rank.
        fit
            ``"stretch"`` scales every axis by itself; ``"pad"`` keeps the proportions, centres the
            image and leaves the rest of the model's input at zero.

        Raises
        ------
        InvalidInput
            If the ranks differ or ``fit`` is unknown.
        """
        check_fit(fit)
        if len(image) != len(model):
            raise InvalidInput(
                f"the model takes {len(model)}-D images, and this image has {len(image)} spatial axes "
                f"{tuple(image)}: give an image of {len(model)} axes."
            )
        if fit == "stretch":
            return cls.resized(image, model)
        step = max(n / m for n, m in zip(image, model, strict=True))
        start = tuple((n - 1) / 2 - step * (m - 1) / 2 for n, m in zip(image, model, strict=True))
        return cls(tuple(image), tuple(model), start, (step,) * len(start))

    def resample(self, values: Float[Array, "*cells"]) -> Float[Array, "*space"]:
        """Carry values from the cells to every pixel, linearly.

        Outside the lattice the edge goes on for one step; farther from all cells, as behind a crop, is 0.
        A pixel that a value which is not finite would enter becomes NaN.

        The lattice's axes are the last axes of ``values``; axes before them are kept.
        """
        pixels = [np.arange(n) for n in self.space]
        where = [(p - a) / s for p, a, s in zip(pixels, self.start, self.step, strict=True)]
        taps = [
            _taps(_key(x), m, max(1.0, 1 / s), True)
            for x, m, s in zip(where, self.cells, self.step, strict=True)
        ]
        near = [(x >= -1) & (x <= m) for x, m in zip(where, self.cells, strict=True)]
        finite = np.isfinite(values)
        laid = _apply(taps, np.where(finite, values, 0) if not finite.all() else values, self.cells)
        if not finite.all():
            laid[_apply(taps, finite.astype(values.dtype), self.cells) <= 1 - 1e-6] = np.nan
        if not all(axis.all() for axis in near):
            laid[..., ~reduce(np.logical_and.outer, near)] = 0
        return laid

    def sample(self, values: Float[Array, "*space"]) -> Float[Array, "*cells"]:
        """Carry values from the pixels to the cells: linear, with antialiasing where the step is above 1.

        Cells whose centre lies outside the image get 0. On whole images this is Pillow's
        ``BILINEAR`` resize, before its rounding.
        """
        where = [a + s * np.arange(m) for a, s, m in zip(self.start, self.step, self.cells, strict=True)]
        taps = [
            _taps(_key(x), n, max(1.0, s), False)
            for x, n, s in zip(where, self.space, self.step, strict=True)
        ]
        return _apply(taps, values, self.space)

    def coverage(self, mask: Mask) -> Float[Array, "*cells"]:
        """Return what share of every cell a mask ``(*space)`` covers, 0 to 1; nothing lies off the image.

        Examples
        --------
        >>> Grid.resized((8,), (2,)).coverage(np.arange(8) >= 3).tolist()
        [0.25, 1.0]
        """
        shares = [
            _shares(a + s * np.arange(m), n, s)
            for a, s, m, n in zip(self.start, self.step, self.cells, self.space, strict=True)
        ]
        return _apply(shares, mask.astype(np.float64), self.space)

    def nearest(self, labels: Int[Array, "*cells"]) -> Int[Array, "*space"]:
        """Carry labels from the cells to every pixel: each pixel takes its nearest cell's.

        A pixel farther than one step from all cells, as behind a crop, lies in no region: -1.
        """
        index, near = [], []
        for n, m, a, s in zip(self.space, self.cells, self.start, self.step, strict=True):
            where = (np.arange(n) - a) / s
            index.append(np.clip(np.floor(where + 0.5).astype(int), 0, m - 1))
            near.append((where >= -1) & (where <= m))
        nearest: Array = labels[np.ix_(*index)]
        if not all(axis.all() for axis in near):
            nearest[~reduce(np.logical_and.outer, near)] = -1
        return nearest

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            "space": list(self.space),
            "cells": list(self.cells),
            "start": list(self.start),
            "step": list(self.step),
            "spread": self.spread,
            "assumed": self.assumed,
            "doubt": list(self.doubt),
        }


@dataclass(frozen=True, eq=False)
class Taps:
    """Weights of the few places along an axis that enter each place of the outcome.

    Attributes
    ----------
    index, weights
        ``(taps, out)``: which places, and their weights; those that are fewer have weights of 0.
    still
        Whether every place is left as it is.
    """

    index: Int[Array, "taps out"]
    weights: Float[Array, "taps out"]
    still: bool

    @classmethod
    def of(cls, matrix: Float[Array, "out size"]) -> Taps:
        """Return the taps of a matrix of which all but a few in a row are zero, next to each other."""
        still = matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, np.eye(len(matrix)))
        held = matrix != 0
        count = max(1, int(held.sum(axis=1).max(initial=0)))
        start = np.minimum(held.argmax(axis=1), matrix.shape[1] - count)
        index = start + np.arange(count)[:, None]
        return cls(index, np.take_along_axis(matrix.T, index, axis=0), bool(still))

    def apply(self, values: Float[Array, "size ..."]) -> Float[Array, "out ..."]:
        """Return the weighted sums along the first axis; no other library's threads are waited for."""
        weights = self.weights.astype(values.dtype, copy=False).reshape(
            *self.weights.shape, *[1] * (values.ndim - 1)
        )
        found = values[self.index[0]] * weights[0]
        for index, weight in zip(self.index[1:], weights[1:], strict=True):
            found += values[index] * weight
        return np.asarray(found)


def _key(positions: Float[Array, " out"]) -> tuple[float, ...]:
    return tuple(np.asarray(positions, float).tolist())


@lru_cache(maxsize=64)
def _taps(where: tuple[float, ...], size: int, width: float, clamp: bool) -> Taps:
    """Weights of a triangle filter centred at fractional positions of an axis."""
    centre = np.asarray(where)[:, None]
    inside = ((centre >= -0.5) & (centre <= size - 0.5)) if not clamp else np.ones_like(centre, bool)
    if clamp:
        centre = np.clip(centre, 0, size - 1)
    weights = np.clip(1 - np.abs(np.arange(size) - centre) / width, 0, None) * inside
    total = weights.sum(axis=1, keepdims=True)
    return Taps.of((weights / np.where(total > 0, total, 1)).astype(np.float32))


def _shares(centres: Float[Array, " out"], size: int, width: float) -> Taps:
    """Shares of the intervals of this width around the centres that fall to each pixel of an axis."""
    low, high, pixels = centres[:, None] - width / 2, centres[:, None] + width / 2, np.arange(size)
    shares: Array = np.minimum(high, pixels + 0.5) - np.maximum(low, pixels - 0.5)
    return Taps.of(np.clip(shares, 0, None) / width)


def _apply(taps: Sequence[Taps], values: Float[Array, ...], shape: tuple[int, ...]) -> Float[Array, ...]:
    """Multiply each of the last axes by its matrix of weights."""
    if values.shape[values.ndim - len(shape) :] != shape:
        raise InvalidInput(f"the values must end in the axes {shape}, got an array of shape {values.shape}.")
    first = values.ndim - len(shape)
    out = values
    for i, each in enumerate(taps):
        if not each.still:
            out = np.moveaxis(each.apply(np.moveaxis(out, first + i, 0)), 0, first + i)
    return np.ascontiguousarray(out) if out is not values else values.copy()

"""The cells of a map, gathered from wherever a tensor has them: from tokens in a row, windows, heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float, Int

from xaimri.adapters.keras.geometry.field import SAME, Field, anywhere
from xaimri.adapters.keras.tensors import Tensor
from xaimri.arrays import Array
from xaimri.grid import Grid

ENOUGH = 0.5
"""Share of a lattice's cells that must have a token."""


@dataclass(frozen=True, eq=False)
class Gathering:
    """How a tensor's values become ``(batch, *cells, features)``; it is called with the tensor.

    Attributes
    ----------
    grid
        Where the cells lie on the image.
    shape
        The tensor's.
    order
        Its axes: those along which places differ, then the others.
    tokens
        How many values there are along the former, together.
    rows
        Of every cell, its tokens among them; the one behind the last where it has none.
    extra
        How many of the tokens of an image come from it and from no one place, such as class tokens.
    """

    grid: Grid
    shape: tuple[int, ...]
    order: tuple[int, ...]
    tokens: int
    rows: Int[Array, "batch *cells each"]
    extra: int

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Gather the cells of a tensor, or of its gradient; a cell without a token is 0."""
        (tensor,) = tensors
        *cells, each = self.rows.shape
        if self.is_plain:
            return tensor
        flat = tf.reshape(tf.transpose(tensor, self.order), (self.tokens, -1))
        flat = tf.concat([flat, tf.zeros_like(flat[:1])], axis=0)
        found = tf.gather(flat, tf.constant(self.rows.reshape(-1)))
        return tf.reshape(found, (*cells, each * flat.shape[1]))

    @property
    def is_plain(self) -> bool:
        """Whether the tensor is ``(batch, *cells, features)`` as it stands."""
        in_order = np.array_equal(self.rows.reshape(-1), np.arange(self.tokens))
        return (
            in_order
            and (*self.shape[:-1], 1) == self.rows.shape
            and self.order == tuple(range(len(self.shape)))
        )


def gathering(known: Field, space: Sequence[int], batch: int) -> Gathering | None:
    """Return how a tensor's values become cells; None where they don't lie on one lattice.

    Parameters
    ----------
    known
        The places of the tensor's values.
    space
        The image's spatial shape.
    batch
        Number of images.
    """
    if len(known.ways) != 1:
        return None
    (way,) = known.ways
    last = len(known.shape) - 1
    placed = [a for a, n in enumerate(known.shape) if way.shape[1 + a] > 1 or (n == 1 and a < last)]
    places = way.reshape(len(way), -1)
    finite: Array = np.isfinite(places[0])
    if finite.sum() < 2 * batch:
        return None
    sites = [_steps(coordinate[finite], n) for coordinate, n in zip(places[1:], space, strict=True)]
    if any(site is None for site in sites):
        return None
    start, step, index = zip(*(site for site in sites if site is not None), strict=True)
    cells = tuple(int(i.max()) + 1 for i in index)
    rows = _table(
        places[0, finite].round().astype(int), index, (batch, *cells), np.flatnonzero(finite), len(finite)
    )
    if rows is None:
        return None
    grid = Grid(tuple(space), cells, start, step, spread=known.spread)
    order = (*placed, *(axis for axis in range(len(known.shape)) if axis not in placed))
    return Gathering(
        grid, known.shape, order, len(finite), rows, int((_made(known, placed) & ~finite).sum()) // batch
    )


def _made(known: Field, placed: Sequence[int]) -> Bool[Array, " tokens"]:
    """Tell which tokens come from the image."""
    others = tuple(axis for axis in range(len(known.shape)) if axis not in placed)
    some = anywhere(known.made, others)[0]
    sizes = [n if axis in placed else 1 for axis, n in enumerate(known.shape)]
    found: Array = np.isfinite(np.broadcast_to(some, sizes)).reshape(-1)
    return found


def _steps(at: Float[Array, " tokens"], size: int) -> tuple[float, float, Int[Array, " tokens"]] | None:
    """Return first place, step and every token's number along an axis; None where the steps differ."""
    values = np.unique(np.round(at / SAME)) * SAME
    gaps = np.diff(values)
    gaps = gaps[gaps > 2 * SAME]
    if not len(gaps):
        return float(values[0]), float(size), np.zeros(len(at), int)
    span = at.max() - at.min()
    step = span / round(span / gaps.min())
    number = (at - at.min()) / step
    if np.abs(number - number.round()).max() * step > 2 * SAME:
        return None
    return float(at.min()), float(step), number.round().astype(int)


def _table(
    image: Int[Array, " tokens"],
    index: Sequence[Int[Array, " tokens"]],
    shape: tuple[int, ...],
    rows: Int[Array, " tokens"],
    none: int,
) -> Int[Array, "batch *cells each"] | None:
    """Return the tokens of every cell; None where most cells have none, or some more than others."""
    if image.min() < 0 or image.max() >= shape[0]:
        return None
    site = np.ravel_multi_index((image, *index), shape)
    counts = np.bincount(site, minlength=int(np.prod(shape)))
    each = int(counts.max())
    full = counts.reshape(shape[0], -1) > 0
    if (counts[counts > 0] != each).any() or (full != full[0]).any() or full.mean() < ENOUGH:
        return None
    found = np.full((len(counts), each), none)
    first = np.argsort(site, kind="stable")
    found[counts > 0] = rows[first].reshape(-1, each)
    return found.reshape((*shape, each))

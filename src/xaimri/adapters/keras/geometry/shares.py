"""What each of several branches carries that place a map's cells differently: measured, not read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from jaxtyping import Float

from xaimri.adapters.keras.geometry.merger import Merger
from xaimri.adapters.keras.tensors import Tensor
from xaimri.arrays import Array, Images

PEAKS = (1.0, 255.0)
"""Noise up to these intensities is shown: networks are made for the one or the other."""


def noise(shape: tuple[int, ...]) -> Images:
    """Return the images ``(images, *space, channels)`` on which the shares are measured: always the same."""
    generator = np.random.default_rng(0)
    return np.stack([peak * generator.random(shape, dtype=np.float32) for peak in PEAKS])


def energies(merger: Merger, images: Tensor) -> Tensor:
    """Return what changes in the pixels send through each branch, ``(images, branches)``.

    It is the sum over pixels of the squared gradient of the merged cells, each feature with a random sign of
    its own: on average the sum of all squared derivatives by way of that branch. Cells near the border, which
    see padding by one branch and not by the other, are left out.
    """
    branches = list(merger.branches)
    signs = tf.cast(_signs(merger.output), merger.output.dtype)
    try:
        asked = tf.gradients(merger.output, branches, signs, stop_gradients=branches)
        found = [_energy(*pair, images) for pair in zip(branches, asked, strict=True)]
    except LookupError:  # TensorFlow knows no gradient of an operation on the way
        found = [_energy(branch, None, images) for branch in branches]
    return tf.stack(found, axis=1)


def _signs(cells: Tensor) -> Tensor:
    """Return a random sign for every feature of the cells in the middle half of each axis, 0 for others."""
    signs = tf.sign(tf.random.stateless_uniform(tf.shape(cells), (0, 1), -1.0, 1.0))
    for axis, count in enumerate(cells.shape.as_list()[1:-1], start=1):
        if count is None:
            continue
        middle = np.zeros(count, np.float32)
        middle[count // 4 : count - count // 4] = 1
        signs *= middle.reshape([-1 if i == axis else 1 for i in range(cells.shape.rank)])
    return signs


def _energy(branch: Tensor, asked: Tensor | None, images: Tensor) -> Tensor:
    """Return the squared gradient that a branch hands on to the pixels; NaN where none can be told."""
    (found,) = (None,) if asked is None else tf.gradients(branch, [images], asked)
    if found is None:
        return tf.fill(tf.shape(images)[:1], float("nan"))
    squares = tf.square(tf.cast(found, tf.float32))
    return tf.reduce_sum(squares, axis=list(range(1, images.shape.rank)))


def shares_of(measured: Float[Array, "images branches"]) -> Sequence[float] | None:
    """Return what each branch carries, on average over the images; None where nothing could be measured."""
    total = measured.sum(axis=1, dtype=np.float64)
    told = np.isfinite(total) & (total > 0)
    if not told.any():
        return None
    mean = (measured[told] / total[told, None]).mean(axis=0)
    return tuple(float(share) for share in mean / mean.sum())

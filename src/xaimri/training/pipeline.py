"""The batches of an epoch: which images, in which order, changed how; the same for the same seed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from xaimri.arrays import Array
from xaimri.training.augment import Augmentation
from xaimri.training.part import Part


def order_of_epoch(seed: int, epoch: int, cases: int) -> Array:
    """Return the order in which an epoch (from 1) goes through the cases."""
    return np.random.default_rng([seed, 0, epoch]).permutation(cases)


def bounds_of(cases: int, batch: int) -> Array:
    """Return where batches of nearly equal size begin and end."""
    return np.linspace(0, cases, -(-cases // batch) + 1).astype(np.int64)


def augmentation_seed(seed: int, epoch: int) -> int:
    """Return what, with a batch's number, draws the changes of its images."""
    return int(np.random.SeedSequence([seed, 1, epoch]).generate_state(1).view(np.int32)[0])


def pipeline(
    part: Part, order: Array, batch: int, augment: Augmentation | None = None, seed: int = 0
) -> tf.data.Dataset:
    """Return batches of images and labels, prepared while the network works on those before."""
    bounds = bounds_of(len(order), batch)
    with tf.device("cpu:0"):
        images, labels = tf.constant(part.images), tf.constant(part.labels)
        rows, edges = tf.constant(order), tf.constant(bounds)

    def gathered(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = rows[edges[index] : edges[index + 1]]
        found = tf.gather(images, chosen)
        if augment is not None:
            found = augment(found, tf.stack([tf.constant(seed, tf.int64), index]))
        return found, tf.gather(labels, chosen)

    indices = tf.data.Dataset.range(len(bounds) - 1)
    return indices.map(gathered, num_parallel_calls=2, deterministic=True).prefetch(2)

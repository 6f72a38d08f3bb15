"""Predict a stream of perturbed images without ever holding more than one batch of them."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Array, Coalitions, Image, Labels, Scores
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput

MOST = 32
"""Images per batch, at most."""


def responses(
    model: Classifier, image: Image, hidden: Image, labels: Labels, coalitions: Coalitions
) -> Scores:
    """Return the logits of an image under every coalition, ``(samples, classes)``.

    Parameters
    ----------
    model
        Called once per batch with ``(batch, *space, channels)``, always of the same size.
    image, hidden
        The image, and what it looks like where a region is hidden.
    labels
        ``(*space)``: the region of every pixel; -1 is never hidden.
    coalitions
        ``(samples, regions)``: True where a region is shown.
    """
    size = even_batch(len(coalitions))
    buffer = np.empty((size, *image.shape), dtype=np.float32)
    shown = np.ones((size, coalitions.shape[1] + 1), dtype=bool)  # the last column serves label -1
    kept, gone = (_pixels(np.asarray(x, dtype=np.float32)) for x in (image, hidden))
    answers: list[Array] = []
    for first in range(0, len(coalitions), size):
        rows = coalitions[first : first + size]
        shown[: len(rows), :-1] = rows
        for out, row in zip(_pixels(buffer), shown, strict=True):
            np.copyto(out, gone)
            np.copyto(out, kept, where=row[labels])
        answers.append(model.logits(buffer)[: len(rows)])
    logits = np.concatenate(answers)
    if not np.isfinite(logits).all():
        raise InvalidInput("the model's scores are not finite for some perturbed images: check its weights.")
    return logits


def _pixels(images: Array) -> Array:
    """View the channels of each pixel as one opaque item: copying those is several times as fast."""
    whole = np.ascontiguousarray(images)
    pixels: Array = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[-1])))[..., 0]
    return pixels


def even_batch(samples: int, most: int = MOST) -> int:
    """Return the largest batch size up to ``most`` that wastes at most one prediction in a hundred.

    Examples
    --------
    >>> even_batch(1000), even_batch(10), even_batch(64)
    (28, 10, 32)
    """
    if samples <= most:
        return samples
    wasted = {size: -samples % size for size in range(most // 2, most + 1)}
    good = [size for size, rest in wasted.items() if rest <= samples / 100]
    return max(good) if good else min(wasted, key=lambda size: (wasted[size], -size))

"""Predict a stream of perturbed images without ever holding more than one batch of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Coalitions, Image, Images, Labels, Scores
from xaimri.capacity import capacity, even_batch
from xaimri.classifier import Accelerated, Classifier
from xaimri.errors import InvalidInput
from xaimri.objective import Objective
from xaimri.perturb import progress
from xaimri.regions import ROUNDING


def fastest(model: Classifier, count: int, shape: tuple[int, ...]) -> Classifier:
    """Return the model on the engine that is best where so many images of ``(*space, channels)`` come."""
    return model.accelerated(count, shape) if isinstance(model, Accelerated) else model


def streamed(
    model: Classifier, shape: tuple[int, ...], count: int, write: Callable[[Images, int], None]
) -> Scores:
    """Return the logits of ``count`` images that are made batch by batch, ``(count, classes)``.

    Parameters
    ----------
    model
        Called once per batch with ``(batch, *space, channels)``, always of the same size, the smaller the
        larger the images are.
    shape
        ``(*space, channels)`` of one image.
    count
        How many images there are, at least 1.
    write
        ``write(buffer, first)`` lays images ``first``, ``first + 1``, ... into the buffer.
    """
    size = even_batch(count, capacity(shape))
    buffer = np.zeros((size, *shape), dtype=np.float32)
    answers: list[Array] = []
    progress.expect(count)
    for first in range(0, count, size):
        used = min(size, count - first)
        write(buffer[:used], first)
        answers.append(np.array(model.logits(buffer)[:used]))  # a copy: a model may use its output again
        progress.advance(used)
    logits = np.concatenate(answers)
    if not np.isfinite(logits).all():
        raise InvalidInput("the model's scores are not finite for some perturbed images: check its weights.")
    return logits


def scored(logits: Scores, objective: Objective) -> Float[Array, " samples"]:
    """Return the score of one image's objective in every row, in double precision.

    Without a target it is of the class that the first row predicts, which is then the unchanged image's.
    """
    return objective.settle(logits[:1]).times(len(logits)).scores(logits.astype(np.float64))


def is_flat(scores: Float[Array, " samples"]) -> bool:
    """Tell whether all scores are one, up to the rounding of single precision.

    Examples
    --------
    >>> is_flat(np.array([0.3, 0.3])), is_flat(np.array([0.3, 0.31]))
    (True, False)
    """
    return bool(np.ptp(scores) <= ROUNDING * np.abs(scores).max())


@dataclass(frozen=True, eq=False)
class Hiding:
    """Coalitions of one image: ``coalitions`` ``(samples, regions)``, True where a region is shown.

    ``hidden`` is the image with every region hidden, and ``labels`` ``(*space)`` the region of every pixel;
    -1 is never hidden.
    """

    image: Image
    hidden: Image
    labels: Labels
    coalitions: Coalitions


def responses(
    model: Classifier, image: Image, hidden: Image, labels: Labels, coalitions: Coalitions
) -> Scores:
    """Return the logits of an image under every coalition, ``(samples, classes)``.

    Parameters
    ----------
    model
        Called once per batch with ``(batch, *space, channels)``, always of the same size.
    image, hidden, labels, coalitions
        As of :class:`Hiding`.
    """
    return responses_of(model, [Hiding(image, hidden, labels, coalitions)])


def responses_of(model: Classifier, several: Sequence[Hiding]) -> Scores:
    """Return the logits of several images under their coalitions, one after the other, in one stream.

    Images of one shape; ``(samples of all, classes)``.
    """
    ends = np.cumsum([len(one.coalitions) for one in several])
    sides: dict[int, tuple[Array, Array]] = {}  # of the image whose turn it is, as whole pixels

    def write(buffer: Images, first: int) -> None:
        for row, out in enumerate(_pixels(buffer), first):
            number = int(np.searchsorted(ends, row, side="right"))
            one = several[number]
            if number not in sides:
                sides.clear()
                sides[number] = _pixels_of(one.image), _pixels_of(one.hidden)
            kept, gone = sides[number]
            shown = np.append(one.coalitions[row - int(ends[number])], True)  # the last serves label -1
            np.copyto(out, gone)
            np.copyto(out, kept, where=shown[one.labels])

    return streamed(model, several[0].image.shape, int(ends[-1]), write)


def _pixels_of(image: Image) -> Array:
    return _pixels(np.asarray(image, dtype=np.float32))


def _pixels(images: Array) -> Array:
    """View the channels of each pixel as one opaque item: copying those is several times as fast."""
    dense = np.ascontiguousarray(images)
    pixels: Array = dense.view(np.dtype((np.void, dense.itemsize * dense.shape[-1])))[..., 0]
    return pixels

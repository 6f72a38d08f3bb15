"""What a classifier says of one image under coalitions: asked once each, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array, Coalitions, Image, Images, Labels, Scores
from xaimri.classifier import Classifier
from xaimri.perturb.absent import Absent
from xaimri.perturb.blind_spots import BlindSpots, blind_spots
from xaimri.perturb.responses import fastest, responses

T = TypeVar("T")


class Predictions:
    """The classifier's logits for an image whose regions are hidden; a coalition is never predicted twice.

    All classes are kept, so that every class that is asked for is explained by the same predictions.

    Parameters
    ----------
    model
        Predicts, on its fastest engine for that many images.
    image, hidden
        ``(*space, channels)``: as it is, and as it looks where a region is hidden.
    labels
        ``(*space)``: the region of every pixel, numbered without gaps; -1 is never hidden.
    expected
        About how many coalitions will be asked.
    numbers
        What each region is called; None calls them as they are numbered.
    absent
        How they were hidden, for what is said of it.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> image, labels = np.ones((2, 2, 1), "float32"), np.array([[0, 0], [1, 1]])
    >>> model = LinearClassifier(np.ones((2, 2, 2, 1)))
    >>> predictions = Predictions(model, image, 0 * image, labels, expected=2)
    >>> predictions(np.array([[True, False], [True, True], [True, False]]))[:, 0].tolist(), predictions.calls
    ([2.0, 4.0, 2.0], 2)
    """

    def __init__(
        self,
        model: Classifier,
        image: Image,
        hidden: Image,
        labels: Labels,
        expected: int,
        numbers: Int[Array, " regions"] | None = None,
        absent: Absent = "auto",
    ) -> None:
        self.image, self.hidden, self.labels = image, hidden, labels
        self.regions = int(labels.max()) + 1
        self.numbers = np.arange(self.regions) if numbers is None else numbers
        self.absent = absent
        self._model = fastest(model, expected, image.shape)
        self._row: dict[bytes, int] = {}
        self._logits: list[Array] = []

    @property
    def engine(self) -> str | None:
        """What the model runs on, where it says so."""
        return getattr(self._model, "engine", None)

    @property
    def calls(self) -> int:
        """How many images were predicted."""
        return len(self._row)

    @property
    def tested(self) -> Array:
        """``(regions,)``: True where hiding the region changes at least one pixel."""
        inside = self.labels >= 0
        changed = (self.image != self.hidden).any(axis=-1)[inside]
        found: Array = np.bincount(self.labels[inside], weights=changed, minlength=self.regions) > 0
        return found

    @cached_property
    def spots(self) -> BlindSpots:
        """By how much hiding changes each region."""
        return blind_spots(self.image, self.hidden, self.labels)

    def __call__(self, coalitions: Coalitions) -> Scores:
        """Return the logits under every coalition, ``(samples, classes)``, in double precision."""
        keys = [row.tobytes() for row in np.packbits(coalitions, axis=1)]
        fresh: dict[bytes, int] = {}  # where each coalition that was never asked comes first
        for place, key in enumerate(keys):
            if key not in self._row:
                fresh.setdefault(key, place)
        if fresh:
            asked = coalitions[list(fresh.values())]
            found = responses(self._model, self.image, self.hidden, self.labels, asked)
            self._row |= {key: len(self._row) + n for n, key in enumerate(fresh)}
            self._logits.append(found.astype(np.float64))
        known = np.concatenate(self._logits)
        self._logits = [known]
        logits: Array = known[[self._row[key] for key in keys]]
        return logits


def predict_each(images: Images, predict: Callable[[Image], T]) -> Iterator[T]:
    """Yield what is predicted for every image of a batch, whatever it is; equal images share theirs."""
    known: dict[bytes, T] = {}
    for image in images:
        key = image.tobytes()
        if key not in known:
            known[key] = predict(image)
        yield known[key]

"""RISE: random masks, weighted by what the classifier says of the image seen through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool

from xaimri.arrays import Array, Image, Images, Maps, Scores
from xaimri.capacity import capacity
from xaimri.caveats import Caveat
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import engine_of, unmoved
from xaimri.objective import Objective, Of
from xaimri.perturb.absent import Absent, absent_setting, hidden
from xaimri.perturb.blind_spots import barely_hidden, best_way, blind_spots, cells
from xaimri.perturb.predictions import predict_each
from xaimri.perturb.responses import fastest, scored, streamed
from xaimri.perturb.stopping import Auto, Samples, SamplesRule, ceiling_caveat, checkpoints, fewest
from xaimri.rules import Flag, Number, Seed, WholeNumber
from xaimri.settings import setting


@dataclass(frozen=True)
class RISE(Explainer[Classifier]):
    """How likely the class is when a pixel is seen: the mean score through random soft masks that show it.

    Values are at least 0 for a probability, in its unit; with ``centred=True`` the mean score is taken away,
    so that they are signed: how much more likely the class is than through a mask at random. Costs
    ``samples`` model calls and one more.

    Notes
    -----
    Masks are coarse random grids, a cell larger than the image, enlarged linearly and shifted at random. The
    published code stretches ``cells`` cells over that larger grid, so that its cells are wider by
    ``(cells + 1) / cells``, and shifts by whole pixels. As published, a value is divided by ``keep``, the
    mean of a mask, rather than by what the pixel got. The standard error of each pixel is that of a mean of
    independent samples.

    References
    ----------
    Petsiuk, Das & Saenko (2018), arXiv:1806.07421.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((8, 9, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 8, 9, 1), dtype="float32")
    >>> explanation, = RISE(samples=100, cells=3).explain(model, image)
    >>> explanation.values.shape, explanation.errors.shape
    ((8, 9), (8, 9))
    """

    samples: Samples = setting(
        4000,
        SamplesRule(2, auto=Auto(by="error")),
        doc='Masks; or ``"auto"``, or an :class:`~xaimri.Auto` with ``by="error"``: as many as it takes '
        "until the relative error of the centred map is below the tolerance.",
        unit="masks",
    )
    cells: int = setting(7, WholeNumber(1), doc="Cells of a mask along the shorter axis.", unit="cells")
    keep: float = setting(0.5, Number(above=0, below=1), doc="Probability that a cell is shown.")
    absent: Absent = absent_setting(
        0.0,
        of="place that a mask hides, black as published,",
        mean="of the whole image",
        auto="here as the mean",
    )
    centred: bool = setting(
        False, Flag(), doc="Take the mean score away: a covariance, with a far smaller error."
    )
    seed: int = setting(0, Seed(), doc="Of the masks; every image gets the same.")
    name: ClassVar[str] = "rise"
    title: ClassVar[str] = "RISE"
    cost: ClassVar[str] = "`samples` + 1 forward passes"
    of: ClassVar[Of] = "probability"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.samples, Auto) and self.samples.by != "error":
            raise InvalidInput('RISE has no regions to order: use Auto(by="error").')

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Look at every image through the same masks."""
        each = predict_each(images, lambda image: _Predictions(self, model, image))
        found = [self._one(*asked) for asked in zip(each, objective.each(len(images)), strict=True)]
        values, errors, logits, told, caveats = zip(*found, strict=True)
        return Attribution(
            np.stack(values).astype(np.float32),
            np.stack(logits),
            errors=np.stack(errors).astype(np.float32),
            diagnostics=told,
            caveats=caveats,
        )

    def _one(
        self, asked: _Predictions, objective: Objective
    ) -> tuple[Array, Array, Array, dict[str, object], list[Caveat]]:
        rule = self.samples if isinstance(self.samples, Auto) else None
        settled = objective.settle(asked.logits[None])
        seen, group = _Sums(self.keep), capacity(asked.image.shape)
        for count in checkpoints(self.samples):
            scores = scored(asked.through(count), settled)
            for start in range(seen.count, count, group):
                some = min(group, count - start)
                seen.add(self.masks(start, some, asked.image.shape[:-1]), scores[start:][:some])
            if rule and seen.meets(rule):
                break
        told: dict[str, object] = {
            "samples": seen.count,
            "mean_score": seen.mean,
            "model_calls": asked.calls,
            **engine_of(asked.model),
        }
        values, errors = seen.centred() if self.centred else seen.published()
        if still := unmoved(scores, asked.varied):  # all that differs is where the masks lie
            values, errors = np.zeros_like(values), np.zeros_like(errors)
        told["barely_hidden"], blind = asked.unseen()
        return values, errors, asked.logits, told, [*(still or _shortfall(rule, seen)), *blind]

    def masks(self, first: int, count: int, space: tuple[int, ...]) -> Maps:
        """Draw masks ``first``, ``first + 1``, ...: each by its own number, whatever the batch."""
        return np.stack(
            [self._mask(np.random.default_rng((self.seed, first + i)), space) for i in range(count)]
        )

    def _mask(self, generator: np.random.Generator, space: tuple[int, ...]) -> Array:
        side = min(space) / self.cells
        cells = [max(1, round(n / side)) for n in space]
        mask: Array = (generator.random([n + 1 for n in cells]) < self.keep).astype(np.float64)
        shift = generator.random(len(space))
        for axis, (n, k) in enumerate(zip(space, cells, strict=True)):
            place = (np.arange(n) + 0.5) * k / n - 0.5 + shift[axis]
            low = np.clip(np.floor(place).astype(int), 0, k)
            share = np.clip(place - low, 0, 1).reshape([-1 if a == axis else 1 for a in range(mask.ndim)])
            mask = mask.take(low, axis) * (1 - share) + mask.take(np.minimum(low + 1, k), axis) * share
        return mask.astype(np.float32)


class _Predictions:
    """What the classifier says, of all classes, of one image through numbered masks; none is tried twice."""

    def __init__(self, explainer: RISE, model: Classifier, image: Image) -> None:
        self._explainer, self.image = explainer, image
        self.model = fastest(model, fewest(explainer.samples), image.shape)
        self._gone = hidden(image, np.zeros(image.shape[:-1], np.int64), explainer.absent, explainer.seed)
        self.logits: Array = np.array(self.model.logits(image[None].copy())[0])
        self._through: Array = np.zeros((0, len(self.logits)), dtype=self.logits.dtype)

    @property
    def varied(self) -> Bool[Array, " channels"]:
        """Where, over the channels, hiding changes any pixel."""
        changed: Array = (self.image != self._gone).any(axis=tuple(range(self.image.ndim - 1)))
        return changed

    def unseen(self) -> tuple[float, list[Caveat]]:
        """Return the part of the object in cells of the masks that are barely hidden, and its caveat."""
        space = self.image.shape[:-1]
        labels = cells(space, min(space) / self._explainer.cells)
        spots = blind_spots(self.image, self._gone, labels)
        if not spots.barely.any():
            return 0.0, []
        parts = f"{int(spots.barely.sum())} of {len(spots.barely)} cells"
        way = best_way(self.image, labels, self._explainer.seed)
        return spots.share, [barely_hidden(self._explainer.absent, parts, spots.share, way)]

    @property
    def calls(self) -> int:
        """How many images were predicted."""
        return 1 + len(self._through)

    def through(self, count: int) -> Scores:
        """Return the logits of the image through the first masks, ``(count, classes)``."""
        known = len(self._through)

        def write(buffer: Images, first: int) -> None:
            masks = self._explainer.masks(known + first, len(buffer), self.image.shape[:-1])
            np.multiply(masks[..., None], self.image - self._gone, out=buffer)
            buffer += self._gone

        if count > known:
            fresh = streamed(self.model, self.image.shape, count - known, write)
            self._through = np.concatenate([self._through, fresh])
        return self._through[:count]


class _Sums:
    """Running sums of what was seen through the masks; no mask is kept."""

    def __init__(self, keep: float) -> None:
        self._keep, self.count = keep, 0
        self._sums: list[Array] = []
        self._shift = 0.0

    @property
    def mean(self) -> float:
        """The mean score."""
        return float(self._shift + self._sum(1, 0).flat[0] / self.count)

    def add(self, masks: Maps, scores: Array) -> None:
        """Take in masks and the scores through them."""
        if not self.count:
            self._shift = float(scores.mean())  # keeps the sums of squares small
        m, s = masks.astype(np.float64) / self._keep, scores - self._shift
        part = [np.tensordot(s**a, m**b, axes=1) for a in range(3) for b in range(3)]
        self._sums = [a + b for a, b in zip(self._sums, part, strict=True)] if self._sums else part
        self.count += len(scores)

    def published(self) -> tuple[Array, Array]:
        """Return the map as published, and its standard error."""
        c, n = self._shift, self.count
        value = (self._sum(1, 1) + c * self._sum(0, 1)) / n
        square = (self._sum(2, 2) + 2 * c * self._sum(1, 2) + c**2 * self._sum(0, 2)) / n
        return value, np.sqrt(np.maximum(square - value**2, 0) / max(n - 1, 1))

    def centred(self) -> tuple[Array, Array]:
        """Return the covariance of score and mask, and its standard error."""
        n = self.count
        s, m = self._sum(1, 0) / n, self._sum(0, 1) / n
        value = self._sum(1, 1) / n - s * m
        of_score: list[tuple[int, Any]] = [(2, 1.0), (1, -2.0 * s), (0, s**2)]
        of_mask: list[tuple[int, Any]] = [(2, 1.0), (1, -2.0 * m), (0, m**2)]
        square = sum(x * y * self._sum(a, b) for a, x in of_score for b, y in of_mask) / n
        return value, np.sqrt(np.maximum(square - value**2, 0) / max(n - 1, 1))

    def meets(self, rule: Auto) -> bool:
        """Tell whether the error of the centred map is small enough."""
        value, error = self.centred()
        return rule.accepts_errors(value, error)

    def _sum(self, score: int, mask: int) -> Array:
        return self._sums[3 * score + mask]


def _shortfall(rule: Auto | None, seen: _Sums) -> list[Caveat]:
    return [] if rule is None or seen.meets(rule) else [ceiling_caveat(rule)]

"""What a split's leak is worth: the label of the most similar training image, with and without the leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array
from xaimri.data.looks import Looks
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.jackknife import Jackknife

EDGE = 32
"""Edge of the thumbnails among which the nearest is looked for."""

SHUFFLES = 100
"""How often labels are dealt anew over groups."""

BLOCK = 512
"""Images of the test whose distances are held at once."""


@dataclass(frozen=True)
class Controls:
    """How often the nearest training image has a test image's label, on thumbnails of 32 x 32 pixels.

    Attributes
    ----------
    nearest, balanced
        Accuracy and balanced accuracy of one nearest neighbour, as the split is, with intervals over groups.
    shuffled
        Its accuracy where the labels are dealt anew over groups: nothing is to be learned, so what is above
        ``shuffled_apart`` is recognition. The interval is that of 100 deals.
    apart, balanced_apart
        As ``nearest`` and ``balanced``, without training images of the test image's own group: what is left
        without the leak.
    shuffled_apart
        As ``shuffled``, without images of the own group.
    chance
        Accuracy of whoever always says the commonest class of training.
    groups
        How many groups the test has: subjects, or families of images that were found to belong together.
    alone
        How many images of the test have no training image of another group; they are in no figure "apart".
    """

    nearest: Estimate
    balanced: Estimate
    shuffled: Estimate
    apart: Estimate
    balanced_apart: Estimate
    shuffled_apart: Estimate
    chance: float
    groups: int
    alone: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            name: value.to_dict() if isinstance(value, Estimate) else value
            for name, value in self.__dict__.items()
        }


def controls(
    looks: tuple[Looks, Looks],
    labels: tuple[Int[Array, " train"], Int[Array, " test"]],
    groups: tuple[Int[Array, " train"], Int[Array, " test"]],
    bootstrap: Bootstrap,
) -> Controls | None:
    """Return the controls, or None where a side has no image that can be read."""
    (known, truth), (there, here) = labels, groups
    some = [np.flatnonzero(each.read) for each in looks]
    if not all(map(len, some)):
        return None
    small = [_small(each, rows) for each, rows in zip(looks, some, strict=True)]
    known, there = known[some[0]], there[some[0]]
    truth, here = truth[some[1]], here[some[1]]
    nearest, apart = _nearest(small, there, here)
    met = apart >= 0
    commonest = np.bincount(known).argmax()
    figures = [
        *_figures(known[nearest], truth, here, bootstrap),
        _shuffled(nearest, (known, truth), (there, here), bootstrap),
        *_figures(known[apart[met]], truth[met], here[met], bootstrap),
        _shuffled(apart[met], (known, truth[met]), (there, here[met]), bootstrap),
    ]
    return Controls(
        figures[0], figures[1], figures[2], figures[3], figures[4], figures[5],
        float((truth == commonest).mean()), len(np.unique(here)), int((~met).sum()),
    )  # fmt: skip


def _small(looks: Looks, rows: Int[Array, " some"]) -> Float[Array, "some pixels"]:
    import cv2

    size, how = (EDGE, EDGE), cv2.INTER_AREA
    made = [cv2.resize(looks.image(row), size, interpolation=how).ravel() for row in rows.tolist()]
    return np.stack(made)


def _nearest(small: list[Array], there: Array, here: Array) -> tuple[Array, Array]:
    """Return the nearest training image of each of the test, and the nearest of another group, else -1."""
    train, test = small
    square = np.einsum("ij,ij->i", train, train)
    nearest, apart = np.zeros(len(test), np.int64), np.zeros(len(test), np.int64)
    for start in range(0, len(test), BLOCK):
        rows = slice(start, start + BLOCK)
        away = square - 2 * test[rows] @ train.T
        nearest[rows] = away.argmin(axis=1)
        away[here[rows, None] == there] = np.inf
        apart[rows] = np.where(np.isinf(away).all(axis=1), -1, away.argmin(axis=1))
    return nearest, apart


def _figures(
    said: Int[Array, " images"],
    truth: Int[Array, " images"],
    group: Int[Array, " images"],
    bootstrap: Bootstrap,
) -> tuple[Estimate, Estimate]:
    """Return accuracy and balanced accuracy with intervals over groups, drawn within their class."""
    if not len(truth):
        return Estimate.none(), Estimate.none()
    _, whose = np.unique(group, return_inverse=True)
    shape = (int(whose.max()) + 1, int(truth.max()) + 1)
    count, right = np.zeros(shape), np.zeros(shape)
    np.add.at(count, (whose, truth), 1)
    np.add.at(right, (whose, truth), said == truth)
    jackknife = Jackknife(count.argmax(axis=1), bootstrap.confidence)
    weights = jackknife.weights
    drawn, hit = weights @ count, weights @ right
    with np.errstate(invalid="ignore"):
        by_class = np.nanmean(hit / drawn, axis=1)
    return (
        jackknife.estimate(hit.sum(axis=1) / drawn.sum(axis=1), shape[0]),
        jackknife.estimate(by_class, shape[0]),
    )


def _shuffled(
    chosen: Int[Array, " images"],
    labels: tuple[Array, Array],
    groups: tuple[Array, Array],
    bootstrap: Bootstrap,
) -> Estimate:
    """Return the mean accuracy over deals of the groups' labels, with an interval of these."""
    if not len(chosen):
        return Estimate.none()
    known = labels[0]
    named, whose = np.unique(np.concatenate(groups), return_inverse=True)
    count = np.zeros((len(named), int(max(each.max() for each in labels)) + 1))
    np.add.at(count, (whose, np.concatenate(labels)), 1)
    dealt = count.argmax(axis=1)
    generator = np.random.default_rng(bootstrap.seed)
    one, other = whose[: len(known)][chosen], whose[len(known) :]
    found = [
        (deal[one] == deal[other]).mean() for deal in (generator.permutation(dealt) for _ in range(SHUFFLES))
    ]
    tail = 100 * (1 - bootstrap.confidence) / 2
    return Estimate(float(np.mean(found)), *map(float, np.percentile(found, [tail, 100 - tail])))

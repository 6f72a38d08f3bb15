"""The number that is explained: which class of an image, and which score of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Scores
from xaimri.errors import InvalidInput, UnusableImage, shown

Of: TypeAlias = Literal["logit", "log_odds", "probability"]
"""Which score of the target class is explained."""


@dataclass(frozen=True)
class Objective:
    """The number that is explained: one score of one class per image, or how far its logit exceeds another's.

    Attributes
    ----------
    targets
        One class index per image; None stands for the predicted class of each.
    of
        ``"logit"``; ``"log_odds"``, which is ``log p / (1 - p)`` and never saturates; or
        ``"probability"``.
    against
        The other class of each image, where the difference of two logits is explained; ``of`` is
        ``"logit"`` then. None explains the target by itself.

    Raises
    ------
    InvalidInput
        If a class is held against itself, or a difference is asked of anything but logits.

    Notes
    -----
    Whatever computes a gradient takes its score from :meth:`scores` or :meth:`cotangents`, which know of
    every field; ``logit_a - logit_b`` is the logarithm of the ratio of the two probabilities.

    Examples
    --------
    >>> logits = np.array([[0.0, 0.0, np.log(2.0)]])
    >>> float(Objective(targets=(2,), of="probability").scores(logits)[0])
    0.5
    >>> float(Objective(of="log_odds").scores(logits)[0])
    0.0
    >>> float(Objective(targets=(0,), against=(2,)).scores(np.array([[1.0, 2.0, 4.0]]))[0])
    -3.0
    """

    targets: tuple[int, ...] | None = None
    of: Of = "logit"
    against: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.of not in get_args(Of):
            raise InvalidInput(f'`of` must be "logit", "log_odds" or "probability", got {shown(self.of)}.')
        if self.against is None:
            return
        if self.of != "logit":
            raise InvalidInput(
                "`against` explains a difference of logits, the logarithm of the ratio of two probabilities: "
                f'leave `of` out beside it, or give of="logit", got {shown(self.of)}.'
            )
        if self.targets is not None:
            self.check(len(self.targets))
            if any(one == other for one, other in zip(self.targets, self.against, strict=True)):
                raise InvalidInput("a class can't be held against itself: give another as `against`.")

    @property
    def unit(self) -> str:
        """What one unit of the score is, in words."""
        return self.of.replace("_", "-") if self.against is None else "logit difference"

    def check(self, count: int) -> None:
        """See that there is one class for each of so many images."""
        for classes in (self.targets, self.against):
            if classes is not None and len(classes) != count:
                raise InvalidInput(f"{len(classes)} targets were given for {count} images: give one each.")

    def resolve(self, logits: Scores) -> Int[Array, " batch"]:
        """Return the target class of every image."""
        self.check(len(logits))
        if self.targets is None:
            predicted: Array = logits.argmax(axis=1)
            if self.against is not None and (predicted == self.against).any():
                raise UnusableImage(
                    "the predicted class is the one that it is held against: name the class to explain."
                )
            return predicted
        return np.array(self.targets, dtype=np.int64)

    def settle(self, logits: Scores) -> Objective:
        """Return the same objective with the target of every image in it."""
        return Objective(tuple(int(target) for target in self.resolve(logits)), self.of, self.against)

    def take(self, images: Sequence[int]) -> Objective:
        """Return the objective of some of the images, by their numbers."""
        some = [each and tuple(each[number] for number in images) for each in (self.targets, self.against)]
        return Objective(some[0], self.of, some[1])

    def each(self, count: int) -> tuple[Objective, ...]:
        """Return the objectives of so many images, one by one."""
        return tuple(self.take([number]) for number in range(count))

    def times(self, count: int) -> Objective:
        """Return the objective of so many copies of the images, one batch after the other."""
        targets, against = (each and each * count for each in (self.targets, self.against))
        return Objective(targets, self.of, against)

    def scores(self, logits: Scores) -> Float[Array, " batch"]:
        """Return the score of every image, ``(batch,)``."""
        rows, targets = np.arange(len(logits)), self.resolve(logits)
        if self.of == "logit":
            chosen: Array = logits[rows, targets]
            return chosen if self.against is None else chosen - logits[rows, self.against]
        if self.of == "probability":
            likely: Array = softmax(logits)[rows, targets]
            return likely
        others = logits.copy()
        others[rows, targets] = -np.inf
        peak = others.max(axis=1)
        odds: Array = logits[rows, targets] - peak - np.log(np.exp(others - peak[:, None]).sum(axis=1))
        return odds

    def cotangents(self, logits: Scores) -> Scores:
        """Return the derivative of every image's score by its logits, ``(batch, classes)``."""
        rows, targets = np.arange(len(logits)), self.resolve(logits)
        chosen = np.zeros_like(logits)
        chosen[rows, targets] = 1
        if self.of == "logit":
            if self.against is not None:
                chosen[rows, self.against] = -1
            return chosen
        if self.of == "probability":
            p = softmax(logits)
            return np.asarray(p[rows, targets][:, None] * (chosen - p))
        others = np.where(chosen > 0, -np.inf, logits)
        slopes: Array = chosen - softmax(others)
        return slopes


def softmax(logits: Scores) -> Scores:
    """Return the probabilities, ``(batch, classes)``."""
    with np.errstate(under="ignore"):
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities

"""The number that is explained: which class of an image, and which score of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Scores
from xaimri.errors import InvalidInput

Of: TypeAlias = Literal["logit", "log_odds", "probability"]
"""Which score of the target class is explained."""


@dataclass(frozen=True)
class Objective:
    """The number that is explained: one score of one class per image.

    Attributes
    ----------
    targets
        One class index per image; None stands for the predicted class of each.
    of
        ``"logit"``; ``"log_odds"``, which is ``log p / (1 - p)`` and never saturates; or
        ``"probability"``.

    Examples
    --------
    >>> logits = np.array([[0.0, 0.0, np.log(2.0)]])
    >>> float(Objective(targets=(2,), of="probability").scores(logits)[0])
    0.5
    >>> float(Objective(of="log_odds").scores(logits)[0])
    0.0
    """

    targets: tuple[int, ...] | None = None
    of: Of = "logit"

    def __post_init__(self) -> None:
        if self.of not in get_args(Of):
            raise InvalidInput(f'`of` must be "logit", "log_odds" or "probability", got {self.of!r}.')

    def resolve(self, logits: Scores) -> Int[Array, " batch"]:
        """Return the target class of every image."""
        if self.targets is None:
            predicted: Array = logits.argmax(axis=1)
            return predicted
        if len(self.targets) != len(logits):
            raise InvalidInput(
                f"{len(self.targets)} targets were given for {len(logits)} images: give one each."
            )
        return np.array(self.targets, dtype=np.int64)

    def scores(self, logits: Scores) -> Float[Array, " batch"]:
        """Return the score of every image, ``(batch,)``."""
        rows, targets = np.arange(len(logits)), self.resolve(logits)
        if self.of == "logit":
            chosen: Array = logits[rows, targets]
            return chosen
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

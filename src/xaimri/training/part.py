"""One part of a split, as a network takes it, and how a network did on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf
from sklearn.metrics import recall_score

from xaimri.arrays import Array, Images
from xaimri.images.acquisition import Acquisition


@dataclass(frozen=True)
class Part:
    """Images of one part of a split, as the network takes them, with their labels.

    ``acquisition`` is that of the images as they were given, where they know it.
    """

    images: Images
    labels: Array
    acquisition: Acquisition | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Score:
    """How a network did on a part: mean loss, shares in [0, 1], and what the compiled metrics say."""

    loss: float
    accuracy: float
    balanced_accuracy: float
    metrics: Mapping[str, float] = field(default_factory=dict)

    def logs(self, prefix: str = "") -> dict[str, float]:
        """Return everything under the names that Keras gives it."""
        own = {name: getattr(self, name) for name in ("loss", "accuracy", "balanced_accuracy")}
        return {f"{prefix}{name}": value for name, value in {**self.metrics, **own}.items()}


class Tally:
    """The answers of an epoch, batch by batch."""

    def __init__(self) -> None:
        self.losses, self.predicted, self.labels = list[Array](), list[Array](), list[Array]()
        self.metrics: dict[str, float] = {}
        self._loss = self._right = 0.0
        self._cases = 0

    def add(self, labels: tf.Tensor, answer: tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]) -> None:
        """Take a batch's losses, predictions and what the compiled metrics say by now."""
        self.losses.append(answer[0].numpy())
        self.predicted.append(answer[1].numpy())
        self.labels.append(labels.numpy())
        self.metrics = {name: float(value) for name, value in answer[2].items()}
        self._loss += float(self.losses[-1].sum())
        self._right += int((self.predicted[-1] == self.labels[-1]).sum())
        self._cases += len(self.labels[-1])

    def logs(self) -> dict[str, float]:
        """Return loss and accuracy over the batches so far, as Keras hands them to callbacks."""
        own = {"loss": self._loss / self._cases, "accuracy": self._right / self._cases}
        return {**self.metrics, **own}

    def score(self) -> Score:
        """Gather the cases; the balanced accuracy is over the classes present."""
        losses, predicted, labels = map(np.concatenate, (self.losses, self.predicted, self.labels))
        balanced = recall_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
        right = float((predicted == labels).mean())
        return Score(float(losses.mean()), right, float(balanced), self.metrics)

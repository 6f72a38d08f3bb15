"""How a network is trained: every setting that decides the result, in one frozen record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.grid import Fit
from xaimri.training.augment import Augmentation
from xaimri.training.resnet import Depth

Schedule: TypeAlias = Literal["constant", "cosine"]
"""Whether a phase keeps its learning rate, or lets it fall to nearly zero along half a cosine."""

Weighting: TypeAlias = Literal["balanced"] | Mapping[str, float] | None
"""What an image of each class counts in the loss."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; the arguments of `xaimri.training.train` of the same names.

    Examples
    --------
    >>> recipe = Recipe(epochs=(2, 4), learning_rate=(1e-3, 1e-4), schedule="cosine")
    >>> [round(recipe.rate("finetune", i), 6) for i in range(4)]
    [0.0001, 8.5e-05, 5e-05, 1.5e-05]
    """

    batch: int = 32
    epochs: tuple[int, int] = (5, 25)
    learning_rate: tuple[float, float] = (1e-3, 1e-4)
    schedule: Schedule = "constant"
    unfreeze: Depth | None = None
    augment: Augmentation | None = None
    class_weights: tuple[float, ...] = ()
    patience: int = 8
    seed: int = 0
    fit: Fit = "stretch"

    def __post_init__(self) -> None:
        if self.batch < 1 or self.patience < 1:
            raise InvalidInput(
                f"`batch` and `patience` must be at least 1, got {self.batch} and {self.patience}."
            )
        if min(self.epochs) < 0 or sum(self.epochs) < 1:
            raise InvalidInput(
                "`epochs` must be (of the head alone, of the unfrozen network), at least one in all, "
                f"got {self.epochs}."
            )
        if min(self.learning_rate) <= 0:
            raise InvalidInput(f"`learning_rate` must be positive in both phases, got {self.learning_rate}.")
        if self.schedule not in get_args(Schedule):
            raise InvalidInput(f'`schedule` must be "constant" or "cosine", got {self.schedule!r}.')
        if self.seed < 0:
            raise InvalidInput(f"`seed` must be 0 or more, got {self.seed}.")

    def length(self, phase: str) -> int:
        """Most epochs of a phase, ``"head"`` or ``"finetune"``."""
        return self.epochs[0 if phase == "head" else 1]

    def rate(self, phase: str, index: int) -> float:
        """Learning rate in the epoch at ``index`` (from 0) of a phase."""
        rate = self.learning_rate[0 if phase == "head" else 1]
        if self.schedule == "constant":
            return rate
        return rate * (1 + math.cos(math.pi * index / self.length(phase))) / 2

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        listed = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return {**listed, "augment": None if self.augment is None else asdict(self.augment)}


def class_weights_of(labels: Array, classes: Sequence[str], weighting: Weighting) -> tuple[float, ...]:
    """What an image of each class counts in the loss.

    Parameters
    ----------
    labels
        Integer labels of the training part, ``(cases,)``.
    classes
        Names.
    weighting
        ``"balanced"``: cases / (classes present * cases of the class), so that every class present
        weighs the same in all, and the mean weight of a case is 1; a class without cases gets 0.
        A mapping from names gives the weights itself. None: 1 each.

    Raises
    ------
    InvalidInput
        If the mapping names other classes, leaves one out, or holds a negative weight.

    Examples
    --------
    >>> class_weights_of(np.array([0, 0, 0, 2]), ("a", "b", "c"), "balanced")
    (0.6666666666666666, 0.0, 2.0)
    """
    if weighting is None:
        return (1.0,) * len(classes)
    if weighting == "balanced":
        counts = np.bincount(labels, minlength=len(classes))
        present = int((counts > 0).sum())
        return tuple(float(len(labels) / (present * n)) if n else 0.0 for n in counts)
    if not isinstance(weighting, Mapping) or set(weighting) != set(classes) or min(weighting.values()) < 0:
        raise InvalidInput(
            f'`class_weights` must be "balanced", None, or give each of {list(classes)} a weight of 0 or '
            f"more, got {weighting!r}."
        )
    return tuple(float(weighting[name]) for name in classes)

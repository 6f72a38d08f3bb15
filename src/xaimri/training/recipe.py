"""How a network is trained: every setting that decides the result, in one frozen record."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.grid import Fit
from xaimri.images.channels import Layout
from xaimri.images.window import Window
from xaimri.rules import Choice, Number, OrNone, Rule, WholeNumber
from xaimri.settings import check, setting
from xaimri.training.augment import Augmentation
from xaimri.training.resnet import Depth

Schedule: TypeAlias = Literal["constant", "cosine"]
"""Whether a phase keeps its learning rate, or lets it fall to nearly zero along half a cosine."""

Weighting: TypeAlias = Literal["balanced"] | Mapping[str, float] | None
"""What an image of each class counts in the loss."""


@dataclass(frozen=True)
class PhasesRule(Rule):
    """A pair: what a rule allows for the head alone, and for the unfrozen network."""

    each: Rule

    @property
    def allowed(self) -> str:
        """What may be given."""
        return f"(of the head alone, of the unfrozen network), each {self.each.allowed}"

    def convert(self, value: object, name: str, /) -> tuple[object, ...]:
        """Return both as the rule keeps them."""
        if not isinstance(value, tuple) or len(value) != 2:
            raise self.refusal(value, name)
        return tuple(self.each.convert(one, name) for one in value)


@dataclass(frozen=True)
class Recipe:
    """The settings of a training; the arguments of `xaimri.training.train` of the same names.

    Examples
    --------
    >>> recipe = Recipe(epochs=(2, 4), learning_rate=(1e-3, 1e-4), schedule="cosine")
    >>> [round(recipe.rate("finetune", i), 6) for i in range(4)]
    [0.0001, 8.5e-05, 5e-05, 1.5e-05]
    """

    batch: int = setting(32, WholeNumber(1), doc="Most images in a step.", unit="images")
    epochs: tuple[int, int] = setting((5, 25), PhasesRule(WholeNumber(0)), doc="Most epochs of each phase.")
    learning_rate: tuple[float, float] | None = setting(
        (1e-3, 1e-4),
        OrNone(PhasesRule(Number(above=0))),
        doc="Of each phase; None leaves it to the compiled optimizer.",
    )
    schedule: Schedule = setting(
        "constant", Choice(get_args(Schedule)), doc="Whether the learning rate falls within a phase."
    )
    unfreeze: Depth | None = None
    augment: Augmentation | None = None
    class_weights: tuple[float, ...] = ()
    patience: int = setting(8, WholeNumber(1), doc="Epochs without a better one, until a phase ends.")
    seed: int = setting(0, WholeNumber(0), doc="Of the order of the images and of their changes.")
    fit: Fit = "stretch"
    window: Window | None = None
    layout: Layout | None = None
    compiled: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        check(self)
        if sum(self.epochs) < 1:
            raise InvalidInput(f"`epochs` must be at least one in all, got {self.epochs}.")

    def length(self, phase: str) -> int:
        """Most epochs of a phase, ``"head"`` or ``"finetune"``."""
        return self.epochs[0 if phase == "head" else 1]

    def rate(self, phase: str, index: int) -> float | None:
        """Learning rate in the epoch at ``index`` (from 0) of a phase; None: the compiled optimizer's own."""
        if self.learning_rate is None:
            return None
        rate = self.learning_rate[0 if phase == "head" else 1]
        if self.schedule == "constant":
            return rate
        return rate * (1 + math.cos(math.pi * index / self.length(phase))) / 2

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        listed = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        augment = None if self.augment is None else asdict(self.augment)
        return {**listed, "augment": augment, "window": None if self.window is None else self.window.record()}


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
        If the mapping names other classes, leaves one out, or holds a weight that is negative or no number.

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
    weights: Collection[object] = weighting.values() if isinstance(weighting, Mapping) else ()
    fitting = all(
        isinstance(weight, int | float | np.number) and 0 <= float(weight) < math.inf for weight in weights
    )
    if not isinstance(weighting, Mapping) or set(weighting) != set(classes) or not fitting:
        raise InvalidInput(
            f'`class_weights` must be "balanced", None, or give each of {list(classes)} a weight of 0 or '
            f"more, got {shown(weighting)}."
        )
    return tuple(float(weighting[name]) for name in classes)

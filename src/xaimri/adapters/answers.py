"""What a network puts out, as logits of classes: the same rules for every framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import CLIP, Outputs, checked_outputs, class_names
from xaimri.doubts.common import saturation
from xaimri.errors import InvalidInput, first_line
from xaimri.objective import softmax

Activation: TypeAlias = Literal["softmax", "sigmoid", "plain"]
"""What a network ends in; ``"plain"`` where no softmax or sigmoid is found at its end."""

ColumnsT = TypeVar("ColumnsT")
"""An array of some framework, ``(images, columns)``."""


@dataclass(frozen=True)
class Arithmetic:
    """What logits are made with: one framework's functions of its arrays.

    Attributes
    ----------
    clip
        Of an array and its lowest and highest value.
    log, log1p
        Of an array.
    join
        Of several arrays, along their last axis.
    """

    clip: Callable[..., Any]
    log: Callable[..., Any]
    log1p: Callable[..., Any]
    join: Callable[..., Any]


_COUNTED = {
    "function": ("gives {} scores per image", "score"),
    "network": ("tells {} classes apart", "class"),
}
"""How many answers there are, in sentences, and what each of them is."""

NUMPY = Arithmetic(np.clip, np.log, np.log1p, partial(np.concatenate, axis=-1))


@dataclass(frozen=True)
class Answers:
    """How the answers of a function or a network are read.

    Attributes
    ----------
    teller
        Who answers, in sentences.
    outputs
        What the answers are.
    unit
        Which of several independent sigmoids is presented as two classes.

    Examples
    --------
    >>> answers = Answers("function")
    >>> rows = answers.rows([0.25, 0.5], images=2)  # of the second of two classes
    >>> answers.logits(rows).round(3)
    array([[-0.288, -1.386],
           [-0.693, -0.693]], dtype=float32)
    """

    teller: Literal["function", "network"]
    outputs: Outputs = "probabilities"
    unit: int | None = None

    def __post_init__(self) -> None:
        checked_outputs(self.outputs)
        if self.unit is not None:
            if isinstance(self.unit, bool) or not isinstance(self.unit, int | np.integer):
                raise InvalidInput(f"`unit` must be the index of an output, got {self.unit!r}.")
            object.__setattr__(self, "unit", int(self.unit))

    def rows(self, answer: object, images: int) -> Scores:
        """Return an answer as finite numbers, one row per image, or say what is wrong with it.

        One number per image is one column; one column of probabilities, which are those of the second of two
        classes, becomes both.
        """
        try:
            rows = np.asarray(answer, dtype=np.float32)
        except (TypeError, ValueError) as failure:
            raise InvalidInput(
                f"the {self.teller} must give numbers, one row of class scores per image "
                f"({first_line(failure)}): check what it returns."
            ) from None
        shape = rows.shape
        rows = rows.reshape(len(rows), 1) if rows.ndim == 1 else rows
        if rows.ndim != 2 or len(rows) != images or 0 in shape or not np.isfinite(rows).all():
            raise InvalidInput(
                f"the {self.teller} must give one finite row of class scores per image, got shape {shape} "
                f"for {images} images: check what it returns."
            )
        return both(rows) if rows.shape[1] == 1 and self.outputs == "probabilities" else rows

    def logits(
        self, columns: ColumnsT, activation: Activation = "plain", arithmetic: Arithmetic = NUMPY
    ) -> ColumnsT:
        """Return the logits of the classes, ``(images, classes)``.

        Parameters
        ----------
        columns
            What stands before the last softmax or sigmoid; the answer itself where there is none.
        activation
            What the network ends in.
        arithmetic
            Of the columns' framework, so that gradients pass through.
        """
        given: Any = columns
        unit = self._unit_of(activation, given.shape[-1])
        stated = activation == "plain" and self.outputs == "probabilities"
        if unit is None:
            logits = arithmetic.log(arithmetic.clip(given, CLIP, 1.0)) if stated else given
        else:
            z = given[:, unit : unit + 1]
            if stated:
                p = arithmetic.clip(z, CLIP, 1 - CLIP)
                z = arithmetic.log(p) - arithmetic.log1p(-p)
            logits = arithmetic.join([-z / 2, z / 2])
        found: ColumnsT = logits
        return found

    def _unit_of(self, activation: Activation, columns: int) -> int | None:
        """Return the column that stands for two classes, None where each is a class of its own."""
        if activation != "plain" and self.outputs == "logits":
            raise InvalidInput(
                f"the {self.teller} ends in a {activation}, so its outputs are probabilities: leave "
                '`outputs="logits"` away.'
            )
        if activation == "softmax":
            self._check_softmax(columns)
            return None
        if activation == "sigmoid" and columns > 1 and self.unit is None:
            raise InvalidInput(
                f"the {self.teller} ends in {columns} independent sigmoids, which are no distribution over "
                f"classes: pick the one to explain by `unit=`, in 0..{columns - 1}."
            )
        if not 0 <= (self.unit or 0) < columns:
            raise InvalidInput(f"`unit` must be in 0..{columns - 1}, got {self.unit}.")
        return 0 if columns == 1 else self.unit

    def _check_softmax(self, columns: int) -> None:
        """See that a softmax has several columns, and that none of them is meant alone."""
        if columns == 1:
            raise InvalidInput(
                f"the {self.teller} ends in a softmax over one unit, which is 1 whatever the image: end it "
                "in a sigmoid."
            )
        if self.unit is not None:
            raise InvalidInput(
                f"the {self.teller} ends in a softmax, so its outputs are one distribution over the classes: "
                "leave `unit` away, and name the class by `target`."
            )

    def first_names(self, columns: int | None, classes: Sequence[str] | None) -> tuple[str, ...]:
        """Return the names of the classes, none where they can't be counted before the first answer.

        Parameters
        ----------
        columns
            How many numbers an answer has per image, where that is known.
        classes
            The names as they were given.
        """
        count = 2 if columns == 1 or self.unit is not None else columns
        if classes is None:
            return tuple(f"class_{i}" for i in range(count or 0))
        names = class_names(classes)
        if count is not None and len(names) != count:
            raise InvalidInput(
                f"`classes` must be {count} different names, one per output, got {len(names)}: {names}."
            )
        return names

    def names(self, known: tuple[str, ...], classes: int) -> tuple[str, ...]:
        """Return a name for each class that an answer tells apart, or say that there are more or fewer."""
        names = known or tuple(f"class_{i}" for i in range(classes))
        if len(names) != classes:
            counted, each = _COUNTED[self.teller]
            raise InvalidInput(
                f"the {self.teller} {counted.format(classes)}, and `classes` has {len(names)} names: give "
                f"one name per {each}."
            )
        return names

    def doubts(
        self, probabilities: Scores, activation: Activation = "plain"
    ) -> tuple[tuple[Caveat, ...], ...]:
        """Say of which images the probabilities, where nothing else is told, are too near 0 and 1."""
        rounded = activation == "plain" and self.outputs == "probabilities"
        return tuple(saturation(row) if rounded else () for row in probabilities)

    def check(self, logits: Scores, stated: Float[Array, "images columns"]) -> None:
        """See that softmax(logits) is what a network states, or say what is wrong with that.

        Parameters
        ----------
        logits
            ``(images, classes)``: found in the network's inside.
        stated
            What the network itself puts out.
        """
        if not np.isfinite(stated).all():
            raise InvalidInput(
                f"the {self.teller}'s outputs are NaN or infinite: check its weights, and the range of the "
                "images."
            )
        if self.outputs != "probabilities":
            return
        own, given = softmax(logits), stated
        if given.shape[1] != own.shape[1] or self.unit is not None:
            given = given[:, [self.unit or 0]]
        gap = float(np.abs(own - (both(given) if given.shape[1] == 1 else given)).max())
        if not gap < 1e-2:
            self._refuse(stated, f"off by {gap:.2g}; ")

    def check_rows(self, rows: Scores) -> None:
        """See that rows are probabilities of classes, where they should be."""
        if self.outputs == "probabilities" and (
            rows.min() < -1e-3 or np.abs(rows.sum(axis=1) - 1).max() > 1e-2
        ):
            self._refuse(rows, "")

    def _refuse(self, rows: Float[Array, "images columns"], how_far: str) -> None:
        """Say that rows are no probabilities."""
        raise InvalidInput(
            f"the {self.teller}'s outputs are not probabilities ({how_far}the first row adds up to "
            f'{float(rows[0].sum()):.3g}): if they are logits, pass outputs="logits".'
        )


def both(second: Float[Array, "images 1"]) -> Float[Array, "images 2"]:
    """Return the probabilities of two classes from those of the second."""
    return np.concatenate([1 - second, second], axis=1)

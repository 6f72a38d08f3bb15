"""What a network puts out, as logits of classes: the same rules for every framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from xaimri.adapters.arithmetic import NUMPY, Arithmetic
from xaimri.adapters.meaning import Activation, Meaning, Question, Teller, taken_for
from xaimri.arrays import Array, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import CLIP, Outputs, checked_outputs, class_names
from xaimri.doubts.common import saturation
from xaimri.errors import InvalidInput, first_line, shown
from xaimri.objective import softmax
from xaimri.user_function import described

ColumnsT = TypeVar("ColumnsT")
"""An array of some framework, ``(images, columns)``."""

TOLERANCE = 1e-2
"""How far probabilities may lie beside 1 in all, or beside what the logits say, in half precision too."""

EXACT = 1e-3
"""How near to 1 numbers add up that are probabilities, though they are said to be logits."""

_COUNTED = {
    "function": ("gives {} scores per image", "score"),
    "network": ("tells {} classes apart", "class"),
}
"""How many answers there are, in sentences, and what each of them is."""


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
    temperature
        What logits are divided by, so that probabilities say how often they come true; 1 leaves them.

    Examples
    --------
    >>> answers = Answers("function", "probabilities")
    >>> rows = answers.rows([0.25, 0.5], images=2)  # of the second of two classes
    >>> answers.logits(rows).round(3)
    array([[-0.288, -1.386],
           [-0.693, -0.693]], dtype=float32)
    """

    teller: Teller
    outputs: Outputs = "auto"
    unit: int | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        checked_outputs(self.outputs)
        if self.unit is not None:
            if isinstance(self.unit, bool) or not isinstance(self.unit, int | np.integer):
                raise InvalidInput(f"`unit` must be the index of an output, got {shown(self.unit)}.")
            object.__setattr__(self, "unit", int(self.unit))

    def rows(self, answer: object, images: int) -> Scores:
        """Return an answer as finite numbers, one row per image, or say what is wrong with it.

        Axes of length one count for nothing, and one number per image is one column; one column of
        probabilities, which are those of the second of two classes, becomes both.
        """
        given: Any = answer
        try:
            if np.iscomplexobj(given):
                raise TypeError("complex numbers are no scores")
            rows = np.asarray(given, dtype=np.float32)
        except Exception as failure:  # a tensor of any framework, with errors of its own
            raise InvalidInput(
                f"the {self.teller} must give numbers, one row of class scores per image, and it returned "
                f"{described(answer)} ({first_line(failure)}): check what it returns."
            ) from failure
        long = [n for n in rows.shape[1:] if n != 1]
        if rows.shape[:1] != (images,) or len(long) > 1 or 0 in rows.shape or not np.isfinite(rows).all():
            raise InvalidInput(
                f"the {self.teller} must give one finite row of class scores per image, got shape "
                f"{rows.shape} for {images} images, {described(answer)}: check what it returns."
            )
        rows = rows.reshape(images, -1)
        meaning, _ = self._meaning("plain", rows.shape[1])
        return both(rows) if rows.shape[1] == 1 and meaning == "probabilities" else rows

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
        meaning, unit = self._meaning(activation, given.shape[-1])
        if unit is None:
            stated = meaning == "probabilities"
            logits = arithmetic.log(arithmetic.clip(given, CLIP, 1.0)) if stated else given
        else:
            z = given[:, unit : unit + 1]
            if meaning == "probabilities":
                p = arithmetic.clip(z, CLIP, 1 - CLIP)
                z = arithmetic.log(p) - arithmetic.log1p(-p)
            logits = arithmetic.join([-z / 2, z / 2])
        found: ColumnsT = logits if self.temperature == 1 else logits / self.temperature
        return found

    def tempered(self, temperature: float) -> Answers:
        """Return the same reading with logits divided once more."""
        return replace(self, temperature=self.temperature * temperature)

    def stated(self, probabilities: Scores) -> Scores:
        """Return the probabilities as they were stated, before any temperature."""
        if self.temperature == 1:
            return probabilities
        with np.errstate(divide="ignore"):
            return softmax(self.temperature * np.log(np.asarray(probabilities)))

    def _meaning(self, activation: Activation, columns: int) -> tuple[Meaning, int | None]:
        return Question(self.teller, self.outputs, self.unit, activation, columns).meaning()

    def meaning(self, activation: Activation = "plain") -> Meaning:
        """Return what outputs that could be read are taken for, as explanations tell it."""
        return taken_for(activation, self.outputs)

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
        rounded = self.meaning(activation) == "probabilities"
        return tuple(saturation(row) if rounded else () for row in self.stated(probabilities))

    def check_finite(self, stated: Float[Array, "images columns"]) -> None:
        """See that what a network states are numbers at all."""
        if not np.isfinite(stated).all():
            raise InvalidInput(
                f"the {self.teller}'s outputs are NaN or infinite: check its weights, and the range of the "
                "images."
            )

    def check(
        self, logits: Scores, stated: Float[Array, "images columns"], activation: Activation = "plain"
    ) -> None:
        """See that a batch is what the outputs were taken for, or say what is wrong with that.

        Parameters
        ----------
        logits
            ``(images, classes)``: found in the network's inside.
        stated
            What the network itself puts out. Images of which it is not finite are left out.
        activation
            What the network ends in.
        """
        whole = np.isfinite(stated).all(axis=1)
        if not whole.all():
            logits, stated = logits[whole], stated[whole]
        meaning, unit = self._meaning(activation, stated.shape[1])
        if not len(stated):
            return
        if meaning == "logits":
            self._check_logits(stated, unit, activation)
        elif meaning == "probabilities":
            self._check_probabilities(stated, unit, activation)
        else:
            given = np.exp(stated) if meaning == "log_softmax" else stated
            given = given if unit is None else both(given[:, [unit]])
            gap = float(np.abs(softmax(self.temperature * logits) - given).max())
            if not gap < TOLERANCE:
                self._refuse(stated, unit, activation, f"off by {gap:.2g}; ")

    def check_rows(self, rows: Scores) -> None:
        """See that rows of which nothing else is known are what they were taken for."""
        self.check(rows, rows)

    def _check_probabilities(
        self, stated: Float[Array, "images columns"], unit: int | None, activation: Activation
    ) -> None:
        """See that probabilities lie in 0..1, and add up to 1 where they are of all classes."""
        given = stated if unit is None else both(stated[:, [unit]])
        if not distributions(given, TOLERANCE).all():
            self._refuse(stated, unit, activation)

    def _check_logits(
        self, stated: Float[Array, "images columns"], unit: int | None, activation: Activation
    ) -> None:
        """See that logits of which only the caller says so do not look like probabilities."""
        if activation != "plain" or unit is not None:
            return
        if distributions(stated / 100, EXACT).all():
            self._refuse(stated, unit, activation)
        if distributions(stated, EXACT).all():
            raise InvalidInput(
                f"the {self.teller}'s outputs lie in 0..1 and add up to 1, as probabilities do: leave "
                '`outputs="logits"` out; should they be logits after all, add 1 to each.'
            )

    def _refuse(
        self,
        stated: Float[Array, "images columns"],
        unit: int | None,
        activation: Activation,
        how_far: str = "",
    ) -> None:
        """Say that outputs are no probabilities, with the worst of them."""
        if unit is None:
            sums = stated.sum(axis=1)
            worst = f"a row adds up to {float(sums[np.abs(sums - 1).argmax()]):.3g}"
            if stated.min() < 0:
                worst = f"one of them is {float(stated.min()):.3g}"
        else:
            of_unit = stated[:, unit]
            worst = f"one of them is {float(of_unit[np.abs(of_unit - 0.5).argmax()]):.3g}"
        way = "or pick one that is independent of the others by `unit=`"
        way = way if activation == "sigmoids" and unit is None else "or end it in a softmax or sigmoid"
        remedy = f'if they are logits, pass outputs="logits", {way}'
        if unit is None and distributions(stated / 100, EXACT).all():
            remedy = "they are percentages; divide them by 100"
        raise InvalidInput(f"the {self.teller}'s outputs are not probabilities ({how_far}{worst}): {remedy}.")


def distributions(rows: Float[Array, "images columns"], tolerance: float) -> Bool[Array, " images"]:
    """Tell which rows lie in 0..1 and add up to 1."""
    within = rows.min(axis=1) >= -tolerance / 10
    found: Bool[Array, " images"] = within & (np.abs(rows.sum(axis=1) - 1) <= tolerance)
    return found


def both(second: Float[Array, "images 1"]) -> Float[Array, "images 2"]:
    """Return the probabilities of two classes from those of the second."""
    return np.concatenate([1 - second, second], axis=1)

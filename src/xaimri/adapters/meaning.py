"""What the numbers of a model mean: by how a network ends, by what the caller says, by how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from xaimri.classifier import Outputs
from xaimri.errors import InvalidInput

Activation: TypeAlias = Literal["softmax", "log_softmax", "sigmoid", "sigmoids", "linear", "plain"]
"""What a network ends in: a softmax, its logarithm, a sigmoid; ``"sigmoids"`` where the outputs are mixed of
sigmoids, such as their mean; ``"linear"`` where the last layer is linear, ``"plain"`` where nothing of this
is found."""

Teller: TypeAlias = Literal["function", "network"]
"""Who answers, in sentences."""

Meaning: TypeAlias = Literal["softmax", "log_softmax", "sigmoid", "logits", "probabilities"]
"""What the outputs are taken for. Before a softmax, its logarithm or a sigmoid stand logits."""

SAY = 'outputs="logits" or outputs="probabilities"'


@dataclass(frozen=True)
class Question:
    """What a model puts out, and what the caller says of it.

    Attributes
    ----------
    teller
        Who answers, in sentences.
    outputs, unit
        As the caller says.
    activation
        What the network ends in.
    columns
        How many numbers there are per image.
    """

    teller: Teller
    outputs: Outputs
    unit: int | None
    activation: Activation
    columns: int

    def meaning(self) -> tuple[Meaning, int | None]:
        """Return what the outputs are taken for, and which of them stands for two classes, if one does.

        Raises
        ------
        InvalidInput
            If that can't be decided, or what the caller says is contradicted.
        """
        if self.activation in {"softmax", "log_softmax"}:
            self._check_distribution()
            unit = None
        else:
            unit = self._unit()
            if self.activation == "linear":
                self._check_linear(unit)
            elif self.activation == "plain" and self.outputs == "auto" and unit is not None:
                raise InvalidInput(self._undecided(unit))
        if self.outputs == "logits" and self.activation in {"softmax", "sigmoid", "sigmoids"}:
            told = "a mixture of sigmoids" if self.activation == "sigmoids" else f"a {self.activation}"
            raise InvalidInput(
                f"the {self.teller} ends in {told}, so its outputs are probabilities: leave "
                '`outputs="logits"` out.'
            )
        return taken_for(self.activation, self.outputs), unit

    def _check_distribution(self) -> None:
        """See that a softmax has several columns, and that none of them is meant alone."""
        told = "a softmax" if self.activation == "softmax" else "the logarithm of a softmax"
        if self.columns == 1:
            one = 1 if self.activation == "softmax" else 0
            raise InvalidInput(
                f"the {self.teller} ends in {told} over one unit, which is {one} whatever the image: end "
                "it in a sigmoid."
            )
        if self.unit is not None:
            raise InvalidInput(
                f"the {self.teller} ends in {told}, so its outputs are one distribution over the classes: "
                "leave `unit` out, and name the class by `target`."
            )
        if self.activation == "log_softmax" and self.outputs == "probabilities":
            raise InvalidInput(
                f"the {self.teller} ends in {told}, so its outputs are no probabilities: leave "
                '`outputs="probabilities"` out.'
            )

    def _unit(self) -> int | None:
        """Return the column that stands for two classes, None where each is a class of its own."""
        last = self.columns - 1
        if self.activation == "sigmoid" and self.columns > 1 and self.unit is None:
            raise InvalidInput(
                f"the {self.teller} ends in {self.columns} independent sigmoids, which are no distribution "
                f"over classes: pick the one to explain by `unit=`, in 0..{last}."
            )
        if not 0 <= (self.unit or 0) <= last:
            raise InvalidInput(f"`unit` must be in 0..{last}, got {self.unit}.")
        return 0 if self.columns == 1 else self.unit

    def _check_linear(self, unit: int | None) -> None:
        """See that a unit without a sigmoid is said to be a logit, or is one of several."""
        if unit is None or self.outputs == "logits" or (self.outputs == "auto" and self.columns > 1):
            return
        told = (
            "is no probability, whatever value it has"
            if self.outputs == "probabilities"
            else "may be the logit of the second of two classes, or a number that is no class at all"
        )
        raise InvalidInput(
            f"the {self.teller} ends in a plain unit, which {told}: if it is a logit, pass "
            'outputs="logits", or end it in a sigmoid.'
        )

    def _undecided(self, unit: int) -> str:
        """Say what must be told of one number whose origin shows nothing."""
        way = "return one column per class" if self.teller == "function" else "end it in a sigmoid"
        told = f"gives one number per image, and nothing tells what it is: pass {SAY} (of the second of two "
        if self.columns > 1:
            told = (
                f"does not tell what unit {unit} of its outputs is: pass {SAY} as well (of the second of two "
            )
        return f"the {self.teller} {told}classes), or {way}."


def taken_for(activation: Activation, outputs: Outputs) -> Meaning:
    """Return what outputs are taken for, where nothing contradicts it."""
    if activation in {"softmax", "log_softmax", "sigmoid"}:
        return cast(Meaning, activation)
    decided: Meaning = "logits" if activation == "linear" else "probabilities"
    return decided if outputs == "auto" else outputs

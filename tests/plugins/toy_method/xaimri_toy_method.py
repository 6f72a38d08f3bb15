"""A method: the gradient, summed over the channels and multiplied."""

from dataclasses import dataclass
from typing import ClassVar

from xaimri import Caveat, Explainer
from xaimri.classifier import Differentiable
from xaimri.explainer import Attribution

ARBITRARY = Caveat.of_package(
    "xaimri_toy_method", "arbitrary", "The factor is arbitrary: compare no two maps."
)


@dataclass(frozen=True)
class ToyMethod(Explainer[Differentiable]):
    """The gradient times a number."""

    times: float = 2.0
    name: ClassVar[str] = "toy_method"

    def attribute(self, model, images, objective, /):
        gradient = model.gradient(images, objective)
        values = self.times * gradient.values.sum(axis=-1)
        return Attribution(values, gradient.logits, caveats=[[ARBITRARY]] * len(images))

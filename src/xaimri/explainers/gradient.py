"""Gradient methods: how the explained score changes with each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaimri.arrays import Array, Images
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Differentiable
from xaimri.explainer import Attribution, Explainer
from xaimri.objective import Objective
from xaimri.rules import Flag
from xaimri.settings import setting


@dataclass(frozen=True)
class Saliency(Explainer[Differentiable]):
    """The gradient of the score by the pixels: the largest absolute value over the channels.

    Values are at least 0, in units of the explained score per unit of intensity. Costs one forward and
    one backward pass per image.

    References
    ----------
    Simonyan, Vedaldi & Zisserman (2014), arXiv:1312.6034.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 4, 5, 1), -0.5))
    >>> explanation, = Saliency().explain(model, np.ones((1, 4, 5, 1), "float32"))
    >>> float(explanation.values.min()), explanation.unit
    (0.5, 'logit per unit of intensity')
    """

    signed: bool = setting(
        False,
        Flag(),
        doc="Sum the gradient over the channels and keep its sign, instead of the largest absolute value, "
        "which is what was published.",
    )
    name: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Saliency"
    cost: ClassVar[str] = "1 gradient pass"

    def attribute(self, model: Differentiable, images: Images, objective: Objective, /) -> Attribution:
        """Reduce the gradient over the channels."""
        gradient = model.gradient(images, objective)
        values = gradient.values.sum(axis=-1) if self.signed else np.abs(gradient.values).max(axis=-1)
        return Attribution(
            values,
            gradient.logits,
            per_intensity(objective),
            diagnostics=[{"model_calls": 1}] * len(images),
            caveats=degenerate(gradient.values),
        )


@dataclass(frozen=True)
class InputXGradient(Explainer[Differentiable]):
    """The gradient times the image, summed over the channels.

    Values are signed, in units of the explained score; a black pixel always has 0. For a linear
    classifier they add up to the logit less its bias. Costs one forward and one backward pass per
    image.

    References
    ----------
    Shrikumar et al. (2016), arXiv:1605.01713.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 4, 5, 1), 0.5), bias=[7.0, 7.0])
    >>> explanation, = InputXGradient().explain(model, np.ones((1, 4, 5, 1), "float32"))
    >>> float(explanation.values.sum())
    10.0
    """

    name: ClassVar[str] = "input_x_gradient"
    title: ClassVar[str] = "Input x gradient"
    cost: ClassVar[str] = "1 gradient pass"

    def attribute(self, model: Differentiable, images: Images, objective: Objective, /) -> Attribution:
        """Multiply every pixel by its gradient."""
        gradient = model.gradient(images, objective)
        return Attribution(
            (gradient.values * images).sum(axis=-1),
            gradient.logits,
            diagnostics=[{"model_calls": 1}] * len(images),
            caveats=degenerate(gradient.values),
        )


def per_intensity(objective: Objective) -> str:
    """Return the unit of a gradient by the pixels."""
    return f"{objective.unit} per unit of intensity"


def degenerate(gradients: Array) -> list[list[Caveat]]:
    """Say of which images the score does not change with any pixel."""
    return [[] if gradient.any() else [Reason.DEGENERATE_GRADIENT.caveat()] for gradient in gradients]

"""What a model can do, the smallest first: score, pull gradients to the pixels, open a layer.

A classifier hands out *logits*: numbers whose softmax over the classes is the probability. That
defines them up to one constant per image, so a softmax network gives its pre-softmax values, a
probability function gives ``log p``, and a single sigmoid unit ``z`` gives ``(-z/2, z/2)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Cells, Images, Scores
from xaimri.errors import InvalidInput
from xaimri.grid import Grid

Of: TypeAlias = Literal["logit", "log_odds", "probability"]
"""Which score of the target class is explained."""


Outputs: TypeAlias = Literal["probabilities", "logits"]
"""What a model gives."""

Engine: TypeAlias = Literal["auto", "tensorflow", "openvino"]
"""What runs a Keras network forwards, where many predictions are needed."""

ROUNDED = 1e-5
"""Where less than this is left to the other classes, single precision has lost how it changes."""

CLIP = 1e-7
"""Probabilities are clipped here before their logarithm is taken."""


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


def saturation(probabilities: Float[Array, " classes"]) -> tuple[tuple[str, str], ...]:
    """Say that probabilities of a model that hands out nothing else are too near 0 and 1 to be explained."""
    rest = 1 - float(probabilities.max())
    if rest >= ROUNDED:
        return ()
    sentence = (
        f"The model hands out probabilities only, and leaves {rest:.1g} to all other classes: their changes "
        "are lost in rounding, so the map is mostly noise. Explain the model up to its logits, with "
        'outputs="logits".'
    )
    return (("saturated", sentence),)


def class_names(names: Iterable[object]) -> tuple[str, ...]:
    """Return names of classes as strings, or say why they can't be."""
    ordered = isinstance(names, Iterable) and not isinstance(names, str | Set | Mapping)
    listed = tuple(map(str, names)) if ordered else ()
    if len(listed) < 2 or len(set(listed)) != len(listed):
        raise InvalidInput(f"`classes` must be a list of at least two different names, got {names!r}.")
    return listed


def checked_outputs(outputs: Outputs) -> Outputs:
    """Return what a model is said to give, or name the choices."""
    if outputs not in get_args(Outputs):
        raise InvalidInput(f'`outputs` must be "probabilities" or "logits", got {outputs!r}.')
    return outputs


@dataclass(frozen=True)
class Gradient:
    """The derivative of the objective by the pixels, and the logits of the same pass."""

    values: Images
    logits: Scores


@dataclass(frozen=True)
class FeatureMaps:
    """An inner layer's output, the derivative of the objective by it, and where its cells lie.

    Attributes
    ----------
    values, gradients
        ``(batch, *cells, features)``.
    logits
        ``(batch, classes)``, of the same pass.
    grid
        Where the cells lie on the model's input.
    layer
        The layer's path, such as ``"resnet50/conv5_block3_out"``.
    why
        One phrase that says how the layer came to be chosen.
    """

    values: Cells
    gradients: Cells
    logits: Scores
    grid: Grid
    layer: str
    why: str


@runtime_checkable
class Classifier(Protocol):
    """Scores a batch of images. Enough for every perturbation explainer."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits; empty where the first call must tell."""
        ...

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``."""
        ...


@runtime_checkable
class Differentiable(Classifier, Protocol):
    """Also pulls the gradient of an objective back to the pixels."""

    def gradient(self, images: Images, objective: Objective, /) -> Gradient:
        """Return the derivative of the objective by every pixel."""
        ...


@runtime_checkable
class Convolutional(Differentiable, Protocol):
    """Also opens one inner layer: its maps, their gradient, and where its cells lie on the image."""

    def feature_maps(self, images: Images, objective: Objective, /, layer: str | None = None) -> FeatureMaps:
        """Return the maps of a layer; None picks the last map through which everything flows."""
        ...


@runtime_checkable
class Sized(Protocol):
    """Knows the shape of image that it takes; a classifier without it is given images as they are."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; None where any size does."""
        ...


@runtime_checkable
class Doubting(Protocol):
    """Knows what is odd about an image as it was given, such as a range that it wasn't trained on."""

    def doubts(self, images: Images, probabilities: Scores, /) -> Sequence[Sequence[tuple[str, str]]]:
        """Return names and sentences of caveats, for every image; asked after it was scored."""
        ...


@runtime_checkable
class Accelerated(Protocol):
    """Can be run by a faster engine where many images are to come."""

    def accelerated(self, images: int, shape: tuple[int, ...], /) -> Classifier:
        """Return the same classifier on the engine that suits so many images of ``(*space, channels)``."""
        ...


@runtime_checkable
class Randomisable(Classifier, Protocol):
    """Can be had with some layers' weights destroyed: what a map must not survive."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that have weights, from the output down to the image."""
        ...

    def randomised(self, layers: Sequence[str], seed: int, /) -> Classifier:
        """Return a copy in which each weight of these layers has another's place, by chance."""
        ...

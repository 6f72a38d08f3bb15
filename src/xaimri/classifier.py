"""What a model can do, the smallest first: score, pull gradients to the pixels, open a layer, name features.

A classifier hands out *logits*: numbers whose softmax over the classes is the probability. That
defines them up to one constant per image, so a softmax network gives its pre-softmax values, a
probability function gives ``log p``, and a single sigmoid unit ``z`` gives ``(-z/2, z/2)``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Cells, Features, Images, Scores
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput, shown
from xaimri.grid import Grid
from xaimri.images.intake import Resize
from xaimri.objective import Objective

Outputs: TypeAlias = Literal["auto", "probabilities", "logits"]
"""What a model gives; ``"auto"`` decides by how it ends."""

CLIP = 1e-7
"""Probabilities are clipped here before their logarithm is taken."""


def class_names(names: Iterable[object]) -> tuple[str, ...]:
    """Return names of classes as strings, or say why they can't be."""
    ordered = isinstance(names, Iterable) and not isinstance(names, str | Set | Mapping)
    given = list(names) if ordered else []
    listed = tuple(map(str, given)) if all(isinstance(one, str | int | np.integer) for one in given) else ()
    if len(listed) < 2 or len(set(listed)) != len(listed):
        raise InvalidInput(f"`classes` must be a list of at least two different names, got {shown(names)}.")
    if not all(map(str.strip, listed)):
        raise InvalidInput(f"`classes` must be names, and one is empty: {shown(names)}.")
    return listed


def checked_outputs(outputs: Outputs) -> Outputs:
    """Return what a model is said to give, or name the choices."""
    if not isinstance(outputs, str) or outputs not in get_args(Outputs):
        raise InvalidInput(f'`outputs` must be "auto", "probabilities" or "logits", got {shown(outputs)}.')
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
        The layer's path, such as ``"resnet50/conv5_block3_out"``; of several that were joined along their
        features, ``"a/out + b/out"``.
    why
        One phrase that says how the layer came to be chosen.
    caveats
        What is odd about the layer, whatever the image.
    finer
        Where there are fewer than six cells along an axis: the path of the last layer before it that has
        six or more along every one, and that everything flows through; empty where none has.
    """

    values: Cells
    gradients: Cells
    logits: Scores
    grid: Grid
    layer: str
    why: str
    caveats: tuple[Caveat, ...] = ()
    finer: str = ""


@dataclass(frozen=True)
class Readout:
    """The last dense layer, as it turns features into logits.

    Parameters
    ----------
    weights
        ``(features, classes)``.
    bias
        ``(classes,)``.

    Examples
    --------
    >>> readout = Readout(np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([0.5, 0.0]))
    >>> readout.logits(np.array([[3.0, 1.0]]))
    array([[ 3.5, -1. ]])
    """

    weights: Float[Array, "features classes"]
    bias: Float[Array, " classes"]

    def logits(self, features: Features, /) -> Scores:
        """Return the logits of features, ``(batch, classes)``."""
        logits: Scores = features.astype(np.float64) @ self.weights + self.bias
        return logits


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
        """Return the maps of a layer; None picks the last ones through which everything flows."""
        ...


@runtime_checkable
class Featured(Classifier, Protocol):
    """Also hands out the input of its last dense layer, and that layer."""

    def features(self, images: Images, /) -> Features:
        """Return the input of the last dense layer, ``(batch, features)``."""
        ...

    def readout(self, images: Images, /) -> Readout:
        """Return the last dense layer: of the features it makes the logits; any images that fit will do."""
        ...


@runtime_checkable
class Sized(Protocol):
    """Knows the shape of image that it takes; a classifier without it is given images as they are."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``; None where any size does."""
        ...


@runtime_checkable
class Resizing(Protocol):
    """Knows how images of any size are brought to its own, as a preprocessor that belongs to it does."""

    @property
    def resize(self) -> Resize | None:
        """Brings an image there; None where a caller says how."""
        ...


@runtime_checkable
class Doubting(Protocol):
    """Knows what is odd about an image as it was given, such as a range that it wasn't trained on."""

    def doubts(self, images: Images, probabilities: Scores, /) -> Sequence[Sequence[Caveat]]:
        """Return the caveats of every image; asked after it was scored."""
        ...


@runtime_checkable
class Describing(Protocol):
    """Knows how its answers were read, such as that they are logits."""

    @property
    def findings(self) -> Mapping[str, str]:
        """What goes into the diagnostics of every explanation; asked after an image was scored."""
        ...


@runtime_checkable
class Pure(Protocol):
    """Can tell of itself that an image's scores depend on nothing but that image."""

    @property
    def pure(self) -> bool:
        """Whether that is known; if not, it is asked (:mod:`xaimri.doubts.alone`)."""
        ...


@runtime_checkable
class Shareable(Protocol):
    """A model that can tell whether several threads may ask it at once."""

    @property
    def shareable(self) -> bool:
        """Whether answers are the same with others asking meanwhile."""
        ...


@runtime_checkable
class Standing(Protocol):
    """Stands for a network or a function that outlives it, where what is found out of it is kept."""

    @property
    def stands_for(self) -> tuple[object, Hashable]:
        """What answers, referred to weakly, and what else its answers depend on."""
        ...


@runtime_checkable
class Accelerated(Protocol):
    """Can be run by a faster engine where many images are to come."""

    def accelerated(self, images: int, shape: tuple[int, ...], /) -> Classifier:
        """Return the same classifier on the engine that suits so many images of ``(*space, channels)``."""
        ...


@runtime_checkable
class Temperable(Classifier, Protocol):
    """Can be had with all logits divided by one number, which changes how sure it is and no prediction."""

    def tempered(self, temperature: float, /) -> Classifier:
        """Return a copy, of the same capabilities, whose logits are these divided by the temperature."""
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

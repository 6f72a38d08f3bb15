"""A linear classifier: every attribution of it has a closed form, so it is the truth in tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Features, Images, Scores, frozen
from xaimri.classifier import FeatureMaps, Gradient, Readout, class_names
from xaimri.errors import InvalidInput, shown
from xaimri.grid import Grid
from xaimri.kinds import Anything, Several
from xaimri.objective import Objective
from xaimri.rules import WholeNumber


class LinearClassifier:
    """``logits = weights . image + bias``, in any number of dimensions.

    Its one inner layer, ``"patches"``, cuts the image into patches and lays each patch's pixels out as
    features, so that class activation maps have closed forms too.

    Parameters
    ----------
    weights
        ``(classes, *space, channels)``.
    bias
        ``(classes,)``; zero by default.
    patch
        Side of a patch in pixels; must divide every axis.
    classes
        Names; ``class_0``, ... by default.

    Examples
    --------
    >>> model = LinearClassifier(np.ones((2, 4, 6, 1)), bias=[0.0, 1.0])
    >>> model.logits(np.ones((1, 4, 6, 1), "float32"))
    array([[24., 25.]], dtype=float32)
    >>> model
    <LinearClassifier: 2 classes, images (4, 6, 1)>
    """

    @check_arguments(classes=Anything(), patch=WholeNumber(1))
    def __init__(
        self,
        weights: Array,
        bias: Sequence[float] | Array | None = None,
        patch: int = 1,
        classes: Sequence[str] | None = None,
    ) -> None:
        self.weights = frozen(np.array(weights, dtype=np.float32))
        count = len(self.weights)
        self.bias = frozen(np.zeros(count, np.float32) if bias is None else np.array(bias, np.float32))
        if self.weights.ndim < 3 or self.bias.shape != (count,):
            raise InvalidInput(
                "`weights` must have the axes (classes, *space, channels) and `bias` one entry per "
                "class, got "
                f"{self.weights.shape} and {self.bias.shape}."
            )
        if any(n % patch for n in self.weights.shape[1:-1]):
            raise InvalidInput(f"`patch` must divide every axis of {self.weights.shape[1:-1]}, got {patch}.")
        self._patch = patch
        self._classes = tuple(f"class_{i}" for i in range(count)) if classes is None else class_names(classes)
        if len(self._classes) != count:
            raise InvalidInput(
                f"{len(self._classes)} `classes` were given for weights of {count}: give one each."
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.weights)} classes, images {self.input_shape}>"

    @classmethod
    @check_arguments(shape=Several(WholeNumber(1, most=10**6)), classes=WholeNumber(2, most=10**6))
    def random(
        cls, shape: Sequence[int], classes: int = 2, seed: int = 0, patch: int = 1
    ) -> LinearClassifier:
        """Draw weights for images of shape ``(*space, channels)`` from a normal distribution."""
        generator = np.random.default_rng(seed)
        _check_size(shape, classes)
        scale = 1 / np.sqrt(np.prod(shape))
        return cls(generator.normal(0, scale, (classes, *shape)), generator.normal(size=classes), patch)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self._classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """``(*space, channels)``."""
        return self.weights.shape[1:]

    @property
    def pure(self) -> bool:
        """Always: the scores are sums over one image; a class made of this one may do otherwise."""
        return type(self) is LinearClassifier

    def logits(self, images: Images, /) -> Scores:
        """Return ``weights . image + bias`` of every image, ``(batch, classes)``."""
        if images.shape[1:] != self.weights.shape[1:]:
            raise InvalidInput(
                f"the images must have the shape {self.weights.shape[1:]}, got {images.shape[1:]}."
            )
        flat = (
            images.reshape(len(images), -1).astype(np.float64) @ self.weights.reshape(len(self.weights), -1).T
        )
        logits: Array = (flat + self.bias).astype(np.float32)
        return logits

    def gradient(self, images: Images, objective: Objective, /) -> Gradient:
        """Return the weights, combined by the objective's derivative by the logits."""
        logits = self.logits(images)
        values = np.tensordot(objective.cotangents(logits), self.weights, axes=1)
        return Gradient(values.astype(np.float32), logits)

    def features(self, images: Images, /) -> Features:
        """Return the pixels of every image in a row, which are what the only layer takes."""
        self.logits(images[:1])  # of the shape of the weights
        return images.reshape(len(images), -1).astype(np.float32)

    def readout(self, images: Images, /) -> Readout:
        """Return weights and bias."""
        flat = self.weights.reshape(len(self.weights), -1).T
        return Readout(flat.astype(np.float64), self.bias.astype(np.float64))

    @property
    def layers(self) -> tuple[str, ...]:
        """The weights are the only layer."""
        return ("weights",)

    def randomised(self, layers: Sequence[str], seed: int, /) -> LinearClassifier:
        """Return a copy whose weights, and whose biases, have changed places by chance."""
        if set(layers) - set(self.layers):
            raise InvalidInput(f'the only layer of a LinearClassifier is "weights", got {list(layers)}.')
        if not layers:
            return self
        generator = np.random.default_rng(seed)
        weights = generator.permutation(self.weights.ravel()).reshape(self.weights.shape)
        return LinearClassifier(weights, generator.permutation(self.bias), self._patch, self.classes)

    def tempered(self, temperature: float, /) -> LinearClassifier:
        """Return a copy whose weights and biases are divided by a number."""
        return LinearClassifier(
            self.weights / temperature, self.bias / temperature, self._patch, self.classes
        )

    def feature_maps(self, images: Images, objective: Objective, /, layer: str | None = None) -> FeatureMaps:
        """Return the patches of the image, and of the gradient, as cells with features."""
        if layer not in (None, "patches"):
            raise InvalidInput(
                f'`layer` must be "patches", the only one of a LinearClassifier, got {shown(layer)}.'
            )
        gradient = self.gradient(images, objective)
        space = self.weights.shape[1:-1]
        grid = Grid.resized(space, tuple(n // self._patch for n in space))
        why = "named by the caller" if layer else "the only layer"
        maps, slopes = self._cells(images), self._cells(gradient.values)
        return FeatureMaps(maps, slopes, gradient.logits, grid, "patches", why)

    def _cells(self, images: Images) -> Array:
        """Move the pixels of every patch to the last axis."""
        side, space = self._patch, images.shape[1:-1]
        cut = [len(images), *(part for n in space for part in (n // side, side)), images.shape[-1]]
        rank = len(space)
        order = [0, *(1 + 2 * i for i in range(rank)), *(2 + 2 * i for i in range(rank)), 2 * rank + 1]
        cells = images.reshape(cut).transpose(order)
        return np.ascontiguousarray(cells.reshape(*cells.shape[: rank + 1], -1))


def _check_size(shape: Sequence[int], classes: int) -> None:
    """Refuse a shape that is none of images, or more weights than a gigabyte holds."""
    if not 2 <= len(shape) <= 5 or classes * math.prod(shape) > 2**28:
        raise InvalidInput(f"`shape` must be (*space, channels) of an image, got {shown(tuple(shape))}.")

"""How Keras brings an image to a size: stretched, cropped or padded, and where its pixels come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from xaimri.adapters.keras.tensors import Layer
from xaimri.arrays import Fitted, Image
from xaimri.grid import Grid


@dataclass(frozen=True)
class KerasResize:
    """What a ``keras.layers.Resizing`` does, as plain settings.

    Attributes
    ----------
    size
        Height and width.
    interpolation, antialias, crop, pad, fill
        As of ``keras.layers.Resizing``: ``crop_to_aspect_ratio``, ``pad_to_aspect_ratio`` and ``fill_value``
        in short.

    Examples
    --------
    >>> KerasResize((4, 4), crop=True).grid((8, 16)).start  # a square from the middle
    (0.5, 4.5)
    """

    size: tuple[int, int]
    interpolation: str = "bilinear"
    antialias: bool = False
    crop: bool = False
    pad: bool = False
    fill: float = 0.0

    @classmethod
    def of_layer(cls, layer: Layer) -> KerasResize:
        """Read the settings of a ``keras.layers.Resizing``."""
        return cls(
            (int(layer.height), int(layer.width)),
            layer.interpolation,
            bool(layer.antialias),
            bool(layer.crop_to_aspect_ratio),
            bool(layer.pad_to_aspect_ratio),
            float(layer.fill_value),
        )

    def __call__(self, image: Image, /) -> Fitted:
        """Return an image at this size, bit for bit as the layer does."""
        resized = keras.ops.image.resize(
            keras.ops.convert_to_tensor(image[None]),
            self.size,
            interpolation=self.interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop,
            pad_to_aspect_ratio=self.pad,
            fill_value=self.fill,
            data_format="channels_last",
        )
        fitted: Fitted = np.asarray(resized, np.float32)[0]
        return fitted

    def grid(self, space: tuple[int, ...], /) -> Grid:
        """Return where the pixels come from on an image of this height and width."""
        starts, steps = [], []
        for first, length, target in self._boxes(space):
            step = length / target
            at = (np.arange(target) + 0.5) * step
            places = np.floor(at) if self.interpolation == "nearest" else at - 0.5
            starts.append(first + float(np.mean(places - step * np.arange(target))))
            steps.append(step)
        return Grid(tuple(space), self.size, tuple(starts), tuple(steps))

    def describe(self) -> str:
        """Say it in a word."""
        return "cropped" if self.crop else "padded" if self.pad else "stretched"

    def _boxes(self, space: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
        """Yield, per axis, where the part of the image that is resized begins, its length, and the target.

        Rounded down to whole pixels as Keras does; padding begins before the image.
        """
        sizes = zip(space, reversed(space), self.size, reversed(self.size), strict=True)
        for own, other, target, opposite in sizes:
            like = int(np.float32(other * target) / np.float32(opposite))  # of the target's proportions
            if self.crop:
                length = max(min(own, like), 1)
                yield (own - length) // 2, length, target
            elif self.pad:
                before = (max(own, like) - own) // 2
                yield -before, own + 2 * before, target
            else:
                yield 0, own, target

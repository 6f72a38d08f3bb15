"""Small random changes of training images, drawn from an explicit seed."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from xaimri.rules import Flag, Number
from xaimri.settings import check, document, setting

SHARE = Number(least=0, below=1)


@document
@dataclass(frozen=True)
class Augmentation:
    """Ranges of the changes; each image draws its own, uniformly.

    Slices are turned, shifted, scaled, mirrored and changed in contrast; volumes are changed in contrast
    alone: which of their axes goes from left to right is not known here. What comes in from outside the image
    is black.

    Examples
    --------
    >>> Augmentation(rotation=5.0, flip=False)
    Augmentation(rotation=5.0, shift=0.05, zoom=0.08, flip=False, contrast=0.1)
    """

    rotation: float = setting(
        8.0, Number(least=0, most=180), doc="Largest turn to either side.", unit="degrees"
    )
    shift: float = setting(0.05, SHARE, doc="Largest shift, as a share of the height and of the width.")
    zoom: float = setting(0.08, SHARE, doc="Largest change of scale, as a share.")
    flip: bool = setting(True, Flag(), doc="Whether half the slices are mirrored left to right.")
    contrast: float = setting(
        0.1, SHARE, doc="Largest change of the intensities' scale, as a share; black stays black."
    )

    def __post_init__(self) -> None:
        check(self)

    def along(self, axes: int) -> Augmentation:
        """Return what is done to images of so many axes: of volumes, the change of contrast alone.

        Examples
        --------
        >>> Augmentation().along(3)
        Augmentation(rotation=0.0, shift=0.0, zoom=0.0, flip=False, contrast=0.1)
        """
        return self if axes == 2 else Augmentation(0.0, 0.0, 0.0, False, self.contrast)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Change a batch.

        Parameters
        ----------
        images
            Tensor, float32 ``(batch, *space, channels)``.
        seed
            Integer tensor of shape ``(2,)``; the same seed changes a batch in the same way.

        Returns
        -------
        tf.Tensor
            Of the shape of ``images``.
        """
        rank = len(images.shape) - 2
        draws = tf.random.stateless_uniform((tf.shape(images)[0], 7), seed, -1.0, 1.0)
        if rank == 2:
            images = self._moved(images, draws)
        if self.flip and rank == 2:
            mirrored = tf.reshape(draws[:, 5] > 0, (-1, *[1] * (rank + 1)))
            images = tf.where(mirrored, tf.reverse(images, [rank]), images)
        gain = 1 + self.contrast * tf.reshape(draws[:, 6], (-1, *[1] * (rank + 1)))
        return images * gain

    def _moved(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Turn, shift and scale slices about their centre, in one bilinear resampling."""
        height, width = (tf.cast(n, tf.float32) for n in images.shape[1:3])
        angle = draws[:, 0] * self.rotation * (3.141592653589793 / 180)
        scale = 1 / (1 + self.zoom * draws[:, 1])
        cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        x = middle_x + self.shift * width * draws[:, 2]
        y = middle_y + self.shift * height * draws[:, 3]
        zero = tf.zeros_like(angle)
        transforms = tf.stack(
            [cos, -sin, middle_x - cos * x + sin * y, sin, cos, middle_y - sin * x - cos * y, zero, zero],
            axis=1,
        )
        return keras.ops.image.affine_transform(
            images, transforms, "bilinear", "constant", 0.0, data_format="channels_last"
        )

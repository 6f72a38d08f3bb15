"""Whether images lie in the range that a network is made for, asked before it is trained on them."""

from __future__ import annotations

import warnings
from functools import partial

import keras
import tensorflow as tf

from xaimri.adapters.keras.range import DEEP, Scaling, scaling
from xaimri.arrays import Images
from xaimri.errors import InvalidInput

WHICH = "such as window=(0, {high:.0f}) or xaimri.Window(1, 99, percentile=True)"


def check_intensities(model: keras.Model, images: Images) -> None:
    """See that a network which scales 0 to 255 itself is given that, before hours of training.

    A network that scales nothing, or another range, may learn from any; values of 16 bits are told then, by
    a warning, where it scales nothing. Nothing is asked of the network where the images lie in 0 to 255.

    Parameters
    ----------
    model
        Takes ``images``.
    images
        As they reach the network, without a window.

    Raises
    ------
    InvalidInput
        If the images reach far beyond 255, or lie in 0 to 1, and the network is made for 0 to 255.
    """
    high = float(images.max(initial=0))
    if 1 < high <= DEEP or images.min(initial=0) < 0 or high == 0:
        return
    own = _scaling(model)
    if high > DEEP and own is not None and own.of_bytes:
        raise InvalidInput(
            f"the images reach {high:.6g}, and `{model.name}` is made for intensities of 0..255: say which "
            f"range to show by `window=`, {WHICH.format(high=high)}."
        )
    if high > DEEP and own is None:
        warnings.warn(
            f"The images reach {high:.6g}, as 16-bit images do, and `{model.name}` scales nothing itself: a "
            f"`window=` shows it a range as 0..255, {WHICH.format(high=high)}.",
            stacklevel=2,
        )
    if high <= 1 and own is not None and own.of_bytes and own.large:
        raise InvalidInput(
            f"the images lie in 0..{high:.3g}, and `{model.name}` is made for intensities of 0..255, so it "
            "would see next to nothing: give the images as they were stored, or window=(0, 1)."
        )


def _scaling(model: keras.Model) -> Scaling | None:
    """Return what the network does to its pixels first, None where that is no arithmetic."""
    given = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    called = tf.function(partial(model, training=False), autograph=False).get_concrete_function(given)
    return scaling(called.inputs[0])

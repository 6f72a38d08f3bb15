"""Images in another range than a network is made for are told before it is trained on them."""

import warnings

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training.intensities import check_intensities

pytestmark = pytest.mark.tensorflow

BYTES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype(np.float32)


def network(*first):
    rest = [keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    return keras.Sequential([keras.Input((8, 8, 1)), *first, *rest], name="net")


def scales():
    return network(keras.layers.Rescaling(1 / 255))


def centres():
    return network(keras.layers.Normalization(mean=[120.0], variance=[3600.0]))


def own():
    return network(keras.layers.Rescaling(1 / 4095))


@pytest.mark.parametrize("made", [scales, centres])
def test_deep_and_pale_images_are_refused_by_a_network_made_for_bytes(made):
    model = made()
    with pytest.raises(
        InvalidInput, match=r"reach 40\d\d, and `net` is made for .* `window=`, such as window=\(0, "
    ):
        check_intensities(model, np.float32(16) * BYTES)
    with pytest.raises(InvalidInput, match=r"lie in 0\.\.1, .* or window=\(0, 1\)"):
        check_intensities(model, BYTES / np.float32(BYTES.max()))


def test_deep_images_are_told_where_nothing_scales_them():
    with pytest.warns(UserWarning, match="as 16-bit images do, and `net` scales nothing itself"):
        check_intensities(network(), np.float32(16) * BYTES)


def test_nothing_is_said_of_what_is_right():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (scales(), centres(), own(), network()):
            check_intensities(model, BYTES)
            check_intensities(model, 1.2 * BYTES)  # cubic resizing overshoots
            check_intensities(model, np.zeros((2, 8, 8, 1), np.float32))
            check_intensities(model, np.zeros((0, 8, 8, 1), np.float32))
        check_intensities(own(), np.float32(16) * BYTES)  # it scales 12 bits itself
        check_intensities(network(), BYTES / np.float32(255))
        check_intensities(scales(), BYTES / np.float32(127.5) - 1)  # not what range it is, so not asked

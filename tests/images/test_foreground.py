"""The object on an image is found beside a uniform ground, whatever outshines it."""

import numpy as np
import pytest

from xaimri.images import foreground


def scan(shape=(20, 24, 22), *, ground=0.0, sign=1):
    pixels = np.full(shape, ground, np.float32)
    inside = tuple(slice(4, -4) for _ in shape)
    pixels[inside] += sign * np.random.default_rng(0).uniform(500, 2000, pixels[inside].shape)
    return pixels, inside


@pytest.mark.parametrize("shape", [(40, 48), (20, 24, 22)])
@pytest.mark.parametrize(("ground", "sign"), [(0.0, 1), (2000.0, -1)])
@pytest.mark.parametrize("spike", [3e4, -3e4])
def test_few_spikes_hide_nothing_of_the_object(shape, ground, sign, spike):
    pixels, inside = scan(shape, ground=ground, sign=sign)
    wanted = np.zeros(shape, bool)
    wanted[inside] = True
    found = foreground(pixels[..., None])
    assert (found <= wanted).all()
    assert (wanted & ~found).sum() <= 160  # edges and corners are smoothed
    spiked = pixels.copy()
    spiked[tuple(side // 2 for side in shape)] = spike
    np.testing.assert_array_equal(foreground(spiked[..., None]), found)


def test_a_small_object_on_a_noisy_ground_is_no_spike():
    pixels = np.zeros((100, 100), np.float32)
    pixels[38:54, 38:54] = np.random.default_rng(1).uniform(-2, 2, (16, 16))  # as a JPEG has around edges
    pixels[42:48, 42:48] = 255
    assert foreground(pixels[..., None]).sum() == 32  # all but its corners

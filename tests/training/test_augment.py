from __future__ import annotations

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.errors import InvalidInput

with on_first_use():
    import tensorflow as tf

    from xaimri.training import Augmentation

pytestmark = pytest.mark.tensorflow

STILL = {"rotation": 0.0, "shift": 0.0, "zoom": 0.0, "flip": False, "contrast": 0.0}


def changed(images, **settings):
    return np.asarray(Augmentation(**{**STILL, **settings})(tf.constant(images), tf.constant([3, 5])))


@pytest.fixture
def blobs():
    """A bright spot to the upper right of the centre of every image."""
    rows, columns = np.mgrid[:40, :60]
    spot = np.exp(-((rows - 12) ** 2 + (columns - 40) ** 2) / 18)
    return np.repeat(200 * spot[None, ..., None], 64, axis=0).astype(np.float32)


def centres(images):
    weights = images[..., 0] / images[..., 0].sum(axis=(1, 2), keepdims=True)
    rows, columns = np.mgrid[:40, :60]
    return np.stack([(weights * rows).sum(axis=(1, 2)), (weights * columns).sum(axis=(1, 2))], axis=1)


def test_nothing_allowed_changes_nothing(blobs):
    np.testing.assert_allclose(changed(blobs), blobs, atol=1e-3)


def test_turning_keeps_the_distance_from_the_centre(blobs):
    offset = centres(changed(blobs, rotation=20.0)) - (19.5, 29.5)
    before = np.array([12 - 19.5, 40 - 29.5])
    np.testing.assert_allclose(np.hypot(*offset.T), np.hypot(*before), atol=0.1)
    angles = np.degrees(np.arctan2(*offset.T) - np.arctan2(*before))
    assert angles.min() < -10
    assert angles.max() > 10
    assert np.abs(angles).max() <= 20.5


def test_shifts_are_shares_of_height_and_width(blobs):
    moved = centres(changed(blobs, shift=0.1)) - (12, 40)
    assert np.abs(moved[:, 0]).max() == pytest.approx(4, abs=0.5)
    assert np.abs(moved[:, 1]).max() == pytest.approx(6, abs=0.7)


def test_zooming_scales_about_the_centre(blobs):
    distance = np.hypot(*(centres(changed(blobs, zoom=0.2)) - (19.5, 29.5)).T) / np.hypot(7.5, 10.5)
    assert distance.min() == pytest.approx(0.8, abs=0.02)
    assert distance.max() == pytest.approx(1.2, abs=0.02)


def test_whole_pixels_and_quarter_turns_are_exact():
    """A shift by whole pixels moves them and fills with black; a quarter turn of a square is rot90."""
    images = np.random.default_rng(0).uniform(1, 255, (2, 8, 8, 2)).astype(np.float32)
    draws = np.zeros((2, 7), np.float32)
    draws[:, 2:4] = [[1.0, 0.5], [-1.0, 0.0]]  # of a quarter of the width, and of the height
    moved = np.asarray(
        Augmentation(**{**STILL, "shift": 0.25})._moved(tf.constant(images), tf.constant(draws))
    )
    expected = np.zeros_like(images)
    expected[0, 1:, 2:] = images[0, :7, :6]
    expected[1, :, :6] = images[1, :, 2:]
    np.testing.assert_allclose(moved, expected, atol=1e-3)
    draws[:, 2:4], draws[:, 0] = 0, [1, -1]
    turned = np.asarray(
        Augmentation(**{**STILL, "rotation": 90.0})._moved(tf.constant(images), tf.constant(draws))
    )
    for got, image, quarters in zip(turned, images, (1, -1), strict=True):
        np.testing.assert_allclose(got, np.rot90(image, quarters), atol=1e-3)
    draws[:, 0], draws[:, 1] = 0, 1  # half as large again, about the middle between the four inner pixels
    ramp = np.broadcast_to(np.arange(8.0, dtype=np.float32)[:, None, None], (2, 8, 8, 2))
    large = np.asarray(Augmentation(**{**STILL, "zoom": 0.5})._moved(tf.constant(ramp), tf.constant(draws)))
    np.testing.assert_allclose(large[0, :, 4, 0], 3.5 + (np.arange(8) - 3.5) / 1.5, atol=1e-4)


def test_about_half_are_mirrored_left_to_right(blobs):
    flipped = changed(blobs, flip=True)
    mirrored = np.array([np.allclose(f, b[:, ::-1], atol=0.01) for f, b in zip(flipped, blobs, strict=True)])
    same = np.array([np.allclose(f, b, atol=0.01) for f, b in zip(flipped, blobs, strict=True)])
    assert (mirrored ^ same).all()
    assert 16 < mirrored.sum() < 48


def test_contrast_keeps_black(blobs):
    gain = changed(blobs + 1, contrast=0.2)[:, 12, 40, 0] / 201
    assert gain.min() == pytest.approx(0.8, abs=0.03)
    assert gain.max() == pytest.approx(1.2, abs=0.03)
    assert (changed(np.zeros_like(blobs), contrast=0.2) == 0).all()


def test_the_same_seed_makes_the_same_images_and_another_does_not(blobs):
    augment = Augmentation()
    one, two, other = (
        np.asarray(augment(tf.constant(blobs), tf.constant(s))) for s in ([1, 2], [1, 2], [1, 3])
    )
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1
    assert np.abs(one[0] - one[1]).max() > 1


def test_volumes_are_scaled_alone():
    """Which axis goes from left to right isn't known: a scan must not be turned upside down."""
    volume = np.random.default_rng(0).uniform(1, 255, (20, 4, 5, 6, 2)).astype(np.float32)
    got = changed(volume, rotation=90.0, shift=0.5, flip=True, contrast=0.2)
    for before, after in zip(volume, got, strict=True):
        assert np.ptp(after / before) < 1e-5


@pytest.mark.parametrize(
    ("name", "value"), [("rotation", 181), ("shift", -0.1), ("zoom", 1.0), ("contrast", 2)]
)
def test_ranges_are_checked(name, value):
    with pytest.raises(InvalidInput, match=f"`{name}` must be a number of at least 0"):
        Augmentation(**{name: value})

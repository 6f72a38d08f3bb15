from __future__ import annotations

import json

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images.window import Window, as_window


def test_linear_between_the_limits_and_clipped_outside():
    image = np.float32([[-50, 0, 1000], [2000, 4000, 9000]])[..., None]
    kept = image.copy()
    windowed = Window(0, 4000).apply(image)
    np.testing.assert_allclose(windowed[..., 0], [[0, 0, 63.75], [127.5, 255, 255]], rtol=1e-6)
    assert windowed.dtype == np.float32
    assert windowed.shape == image.shape
    np.testing.assert_array_equal(image, kept)


def test_the_limits_become_exactly_zero_and_top():
    for low, high, top in ((0.1, 0.7, 255.0), (-1e30, 1e38, 1.0), (3.0, 3.0000002, 7.0), (0.0, 1e-40, 1.0)):
        windowed = Window(low, high, top=top).apply(np.array([low, high]))
        np.testing.assert_array_equal(windowed, np.float32([0, top]))


def test_a_window_of_its_own_range_changes_nothing():
    image = np.arange(256, dtype=np.float32).reshape(16, 16, 1)
    np.testing.assert_allclose(Window(0, 255).apply(image), image, rtol=1e-6)


def test_percentiles_are_of_the_image_itself():
    image = np.random.default_rng(0).permutation(np.arange(101.0) * 10).reshape(101, 1).astype(np.float32)
    window = Window(10, 90, percentile=True, top=1.0)
    assert window.resolved(image) == Window(100, 900, top=1.0)
    np.testing.assert_array_equal(window.apply(image), Window(100, 900, top=1.0).apply(image))
    np.testing.assert_allclose(window.apply(5 * image + 3), window.apply(image), atol=1e-6)
    assert Window(0, 100, percentile=True).resolved(image) == Window(0, 1000)


def test_windows_in_intensities_are_resolved_already():
    window = Window(1, 2)
    assert window.resolved(np.zeros((2, 2))) is window
    np.testing.assert_array_equal(window.apply(np.zeros((2, 2))), 0)


def test_a_record_is_json_and_makes_the_window_again():
    window = Window(np.float64(1), 99, percentile=True, top=1)
    record = json.loads(json.dumps(window.record()))
    assert record == {
        "low": 1.0,
        "high": 99.0,
        "percentile": True,
        "top": 1.0,
        "inside": "image",
        "header": False,
    }
    assert Window(**record) == window
    for other in (
        Window((0, 5), (9, 70)),
        Window((1, 2), (98, 99), percentile=True),
        Window(1, 99, percentile=True, inside="foreground"),
        Window(0, 1, top=1.0, header=True),
    ):
        assert Window(**json.loads(json.dumps(other.record()))) == other


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((2, 1), "`low` below `high`"),
        ((1, 1), "`low` below `high`"),
        ((np.nan, 1), "`low` of a window must be a finite number, or one for each channel, got nan"),
        ((0, np.inf), "`high` of a window must be a finite number, or one for each channel, got inf"),
        ((0, 10**400), "`high` of a window"),
        ((True, 2), "`low`|low"),
        (("0", 2), "`low`|low"),
        ((0, 1, False, 0.0), "`top` must be a number above 0"),
        ((0, 1, False, 1e300), "fits float32"),
        ((0, 1, 3), "percentile"),
        ((-1, 50, True), "between 0 and 100"),
        ((1, 101, True), "between 0 and 100"),
        ((1, 99, False, 255.0, "foreground"), "of which pixels percentiles are taken"),
        ((1, 99, True, 255.0, "brain"), "inside"),
        (((1, 2), 99), "one of each for every channel"),
        (((1, 2), (98, 99, 100)), "one of each for every channel"),
        (((1, 9), (8, 7)), "`low` below `high`"),
        (((1, 9), (99, 101), True), "between 0 and 100"),
        (((), 3), "low"),
        ((0, 1, True, 255.0, "image", True), "from the header"),
        (((0, 0), (1, 1), False, 255.0, "image", True), "from the header"),
    ],
)
def test_no_window(arguments, sentence):
    with pytest.raises((InvalidInput, TypeCheckError), match=sentence):
        Window(*arguments)


def test_a_constant_image_has_no_percentiles_to_spread():
    for act in (Window(1, 99, True).resolved, Window(1, 99, True).apply):
        with pytest.raises(
            InvalidInput, match="percentiles 1 and 99 of the image are both 7, so there is no"
        ):
            act(np.full((4, 4, 1), 7.0, np.float32))
        with pytest.raises(InvalidInput, match="an empty image"):
            act(np.zeros((0, 4, 1)))


def test_what_stands_for_a_window():
    window = Window(1, 99, percentile=True)
    assert as_window(window) is window
    for pair in ((0, 4000), [0, 4000.0], np.array([0, 4000])):
        assert as_window(pair) == Window(0.0, 4000.0)
    for other in (
        None,
        5,
        "ab",
        (1,),
        (1, 2, 3),
        ("0", "1"),
        (True, False),
        {0: 1, 1: 2},
        np.array(5),
        [[1, 2]] * 2,
    ):
        with pytest.raises(InvalidInput, match=r"`window` must be two intensities such as \(0, 4000\)"):
            as_window(other)
    with pytest.raises(InvalidInput, match="`low` below `high`"):
        as_window((4000, 0))


def ball(shape, radius, values, outside=0.0):
    """Return an image with values in their order inside a ball, and the ball."""
    where = np.indices(shape) - np.reshape([(side - 1) / 2 for side in shape], (-1, *[1] * len(shape)))
    inside = (where**2).sum(axis=0) <= radius**2
    image = np.full(shape, outside)
    image[inside] = np.linspace(*values, int(inside.sum()))
    return image[..., None], inside


@pytest.mark.parametrize("shape", [(40, 44), (20, 24, 22)])
def test_percentiles_inside_the_foreground_are_those_of_the_object(shape):
    image, inside = ball(shape, 8, (300, 1300))
    window = Window(10, 90, percentile=True, top=1.0, inside="foreground")
    found = window.resolved(image)
    assert (found.percentile, found.inside) == (False, "image")
    np.testing.assert_allclose([found.low, found.high], np.percentile(image[inside], [10, 90]), rtol=0.01)
    np.testing.assert_allclose([found.low, found.high], [400, 1200], rtol=0.01)
    wider = np.pad(image, [(9, 5)] * len(shape) + [(0, 0)])
    assert window.resolved(wider) == found  # however much black there is
    assert Window(10, 100, percentile=True).resolved(wider).low == 0
    noisy = wider + np.random.default_rng(0).uniform(0, 20, wider.shape)
    np.testing.assert_allclose(window.resolved(noisy).low, found.low, rtol=0.05)


def test_a_few_voxels_that_outshine_the_brain_change_next_to_nothing():
    image, _ = ball((20, 24, 22), 8, (100, 1300))
    window = Window(5, 95, percentile=True, inside="foreground")
    found = window.resolved(image)
    for spike in (5e3, 1e6, -1e4):
        bright = image.copy()
        bright[9, 11, 9:12] = spike
        again = window.resolved(bright)
        np.testing.assert_allclose([again.low, again.high], [found.low, found.high], rtol=0.02)


def test_percentiles_inside_nothing_are_refused():
    window = Window(1, 99, percentile=True, inside="foreground")
    everywhere = np.random.default_rng(0).uniform(1, 9, (12, 14, 1))
    dot = np.zeros((12, 14, 1))
    dot[5, 6] = 9
    for image, told in (
        (everywhere, "no background is found in the image"),
        (np.ones((12, 14, 1)), "no background is found in the image"),
        (dot, "1 and 99 of the foreground are both 9"),
    ):
        with pytest.raises(UnusableImage, match=told):
            window.apply(image)


def test_every_channel_has_limits_of_its_own():
    ramp = np.arange(101.0)
    image = np.stack([ramp, 5000 - 20 * ramp], axis=-1)[:, None]
    limits = Window((10, 3000), (90, 5000), top=1.0)
    seen = limits.apply(image)
    np.testing.assert_allclose(seen[:, 0, 0], np.clip((ramp - 10) / 80, 0, 1), rtol=1e-6)
    np.testing.assert_allclose(seen[:, 0, 1], 1 - ramp / 100, atol=1e-6)
    each = Window((10, 5), (90, 95), percentile=True)
    assert each.resolved(image) == Window((10, 3100), (90, 4900))
    assert Window(0, 100, percentile=True).resolved(image) == Window(0, 5000)
    assert limits.misses(image) is None
    assert Window((10, 3000), (90, 80_000)).misses(image) == "below"
    for channels in (1, 3):
        with pytest.raises(UnusableImage, match=f"for 2 channels, and the image has {channels}"):
            limits.apply(np.ones((4, 5, channels)))


def test_a_foreground_of_channels_is_that_of_all():
    image, inside = ball((30, 32), 9, (300, 1300))
    both = np.concatenate([image, image[::-1] / 50], axis=-1)
    found = Window((10, 10), (90, 90), percentile=True, inside="foreground").resolved(both)
    np.testing.assert_allclose(
        [found.low[0], found.high[0]], np.percentile(image[inside], [10, 90]), rtol=0.02
    )
    np.testing.assert_allclose(np.multiply(found.high, [1, 50]), found.high[0], rtol=0.02)

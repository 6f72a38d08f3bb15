from __future__ import annotations

import json

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from xaimri.errors import InvalidInput
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
    assert record == {"low": 1.0, "high": 99.0, "percentile": True, "top": 1.0}
    assert Window(**record) == window


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((2, 1), "`low` below `high`"),
        ((1, 1), "`low` below `high`"),
        ((np.nan, 1), "`low` of a window must be a finite number, got nan"),
        ((0, np.inf), "`high` of a window must be a finite number, got inf"),
        ((0, 10**400), "`high` of a window"),
        ((True, 2), "`low`|low"),
        (("0", 2), "`low`|low"),
        ((0, 1, False, 0.0), "`top` must be a number above 0"),
        ((0, 1, False, 1e300), "fits float32"),
        ((0, 1, 3), "percentile"),
        ((-1, 50, True), "between 0 and 100"),
        ((1, 101, True), "between 0 and 100"),
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

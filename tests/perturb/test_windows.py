"""What stands in a window."""

import numpy as np
import pytest

from lesions import lesion
from xaimri.perturb.absent import hidden
from xaimri.perturb.windows import HiddenWindows, windows_over


@pytest.mark.parametrize("absent", ["mean", "inpaint"])
@pytest.mark.parametrize("shape", [(23, 31, 2), (11, 14, 17, 1)], ids=["2d", "3d"])
def test_a_windows_own_is_the_same_seen_in_the_whole_image(shape, absent):
    """Only what lies near a window is looked at; at the borders too."""
    image = np.random.default_rng(8).random(shape, dtype=np.float32)
    windows = windows_over(shape[:-1], [4] * (len(shape) - 1), [3] * (len(shape) - 1))
    without = HiddenWindows(image, windows, absent, 0)
    for number, place in enumerate(windows):
        labels = np.full(shape[:-1], -1)
        labels[place] = 0
        expected = hidden(image, labels, absent)[place]
        np.testing.assert_allclose(without.gone(number), expected, rtol=1e-6)


def test_auto_is_the_blur_and_where_that_changes_nothing_the_level():
    case = lesion((96, 96), radius=0.26, centre=(0.5, 0.5), noise=0.1)  # wide: its middle is its own blur
    windows = windows_over((96, 96), (6, 6), (6, 6))
    without, blurred = (HiddenWindows(case.image, windows, absent, 0) for absent in ("auto", "blur"))
    filled = [n for n, w in enumerate(windows) if (np.ptp(without.gone(n)) == 0) and case.brain[w].all()]
    for number in filled:
        assert case.lesion[windows[number]].all()
        np.testing.assert_allclose(without.gone(number), 60, atol=1)
    for number, place in enumerate(windows):
        if case.brain[place].mean() < 0.4:  # the object is not smeared over the background
            np.testing.assert_allclose(without.gone(number), case.image[place].mean(), rtol=1e-5)
        elif case.brain[place].mean() > 0.6 and number not in filled:
            assert np.array_equal(without.gone(number), blurred.gone(number))
    assert len(filled) > 4
    assert 0 < blurred.unseen()[0] <= len(filled)
    assert without.unseen() == (0, 0.0)


@pytest.mark.parametrize("absent", ["blur", "noise", 0.3])
def test_everything_else_is_cut_from_the_whole_image(absent):
    image = np.random.default_rng(8).random((12, 15, 1), dtype=np.float32)
    place = (slice(3, 6), slice(9, 12))
    without = HiddenWindows(image, [place], absent, 3)
    assert np.array_equal(without.gone(0), hidden(image, np.zeros((12, 15), int), absent, 3)[place])


def test_a_pixel_is_unseen_where_every_window_on_it_hides_nothing():
    case = lesion(radius=0.25, noise=0.1)
    apart, half = (
        HiddenWindows(case.image, windows_over((64, 64), (8, 8), step), "mean", 0).unseen()
        for step in ((8, 8), (4, 4))
    )
    assert apart[0] > 4
    assert half[0] > apart[0]  # of more windows
    assert 0 < half[1] < apart[1] < case.lesion.sum() / case.brain.sum()
    assert HiddenWindows(case.image, windows_over((64, 64), (8, 8), (8, 8)), "auto", 0).unseen() == (0, 0.0)

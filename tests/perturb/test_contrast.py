"""How regions stand out, against the definition by loops, and by hand."""

import numpy as np
import pytest

from lesions import lesion
from xaimri.perturb.absent import hidden
from xaimri.perturb.contrast import HIDES, change_of, contrast_of, contrast_of_windows
from xaimri.perturb.segments import superpixels

SHAPES = {"2d": (12, 14, 2), "3d": (6, 7, 8, 1)}


def subject(shape, seed=0):
    generator = np.random.default_rng(seed)
    cells = [np.arange(n) // 3 for n in shape[:-1]]
    labels = np.zeros(shape[:-1], int)
    for axis, cell in enumerate(cells):
        labels = 4 * labels + cell.reshape([-1 if a == axis else 1 for a in range(len(shape) - 1)])
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    levels = generator.uniform(0, 10, (labels.max() + 1, shape[-1]))
    image = levels[labels] + generator.choice([0.05, 3.0], (labels.max() + 1, 1))[labels] * generator.normal(
        size=shape
    )
    labels[labels == 2] = -1
    labels[labels > 2] -= 1
    return image.astype(np.float32), labels


def naive(image, labels, region):
    """Mean, spread and level by the definition, all of the image being the object."""
    pixels = image.astype(np.float64)
    own, near = labels == region, np.zeros(labels.shape, bool)
    for place in np.argwhere(own):
        for axis in range(labels.ndim):
            for step in (-1, 1):
                other = place.copy()
                other[axis] += step
                if 0 <= other[axis] < labels.shape[axis] and labels[tuple(other)] not in (-1, region):
                    near |= labels == labels[tuple(other)]
    mean = pixels[own].mean(axis=0)
    levels = [np.median(pixels[near], axis=0), np.median(pixels[labels >= 0], axis=0)]
    far = [np.sqrt(np.mean((mean - level) ** 2)) for level in levels]
    return mean, np.sqrt(np.mean((pixels[own] - mean) ** 2)), levels[int(far[1] > far[0])], max(far)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_mean_spread_and_level_are_as_defined_and_auto_takes_the_level_where_the_mean_hides_nothing(shape):
    image, labels = subject(shape)
    found = contrast_of(image, labels)
    gone = hidden(image, labels, "auto")
    assert np.array_equal(gone, hidden(image, labels, "auto"))
    for region in range(labels.max() + 1):
        mean, spread, level, distance = naive(image, labels, region)
        np.testing.assert_allclose(found.mean[region], mean, rtol=1e-6)
        np.testing.assert_allclose(found.level[region], level, rtol=1e-6)
        assert found.spread[region] == pytest.approx(spread, rel=1e-6)
        assert found.distance[region] == pytest.approx(distance, rel=1e-6)
        expected = level if spread < HIDES * distance else mean
        np.testing.assert_allclose(
            gone[labels == region], np.tile(expected, ((labels == region).sum(), 1)), rtol=1e-5
        )
    assert 0 < found.blank.sum() < len(found.blank)
    assert not found.barely(change_of(image, gone, labels)).any()
    assert np.array_equal(gone[labels < 0], image[labels < 0])


def test_where_every_region_has_texture_auto_is_the_mean():
    image = np.random.default_rng(0).random((30, 40, 3), dtype=np.float32)
    labels = superpixels(image, 20)
    assert np.array_equal(hidden(image, labels, "auto"), hidden(image, labels, "mean"))
    flat = np.ones((8, 9, 1), np.float32)
    assert np.array_equal(hidden(flat, superpixels(flat, 5), "auto"), flat)


def test_the_background_keeps_its_mean_and_lends_no_level():
    case = lesion(noise=0.5, centre=(0.14, 0.5))
    labels = np.where(case.brain, 1, 0)
    labels[case.lesion] = 2  # at the border of the brain
    gone = hidden(case.image, labels, "auto")
    assert (gone[~case.brain] == 0).all()
    np.testing.assert_allclose(gone[case.lesion], 60, atol=0.2)  # by the tissue, not by the black
    found = contrast_of(case.image, labels)
    assert found.of_object.tolist() == [False, True, True]
    assert found.blank.tolist() == [False, True, True]


def test_windows_stand_out_from_what_lies_beside_them():
    image = np.zeros((12, 12, 1), np.float32)
    image[:, :6], image[:, 8:] = 1, 3
    image[4:8, 4:8] = 10
    windows = [(slice(4, 8), slice(4, 8)), (slice(0, 4), slice(0, 4)), (slice(8, 12), slice(6, 10))]
    found = contrast_of_windows(image, windows)
    assert found.mean.ravel().tolist() == [10, 1, 1.5]
    assert found.level.ravel().tolist() == [1, 1, 3]
    assert found.distance.tolist() == [9, 0, 1.5]
    assert found.spread.tolist() == [0, 0, 1.5]
    assert found.blank.tolist() == [True, False, False]
    assert found.scale == pytest.approx(image.std(), rel=1e-5)

"""Superpixels, what hidden looks like, and streamed prediction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes

from xaimri import LIME, LinearClassifier
from xaimri.data import phantom
from xaimri.errors import InvalidInput
from xaimri.images.foreground import foreground
from xaimri.perturb import absent
from xaimri.perturb.coalitions import halves
from xaimri.perturb.responses import responses
from xaimri.perturb.segments import superpixels


def head(shape):
    """A bright, slowly varying ellipsoid on black, and where it is."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum((x / 0.7) ** 2 for x in axes) < 1
    texture = 0.6 + 0.1 * sum(np.sin(4 * x) for x in axes)
    return (inside * texture).astype(np.float32)[..., None], inside


@pytest.mark.parametrize("shape", [(40, 52), (14, 20, 26)], ids=["2d", "3d"])
def test_superpixels_lie_in_the_brain_and_fill_it(shape):
    image, inside = head(shape)
    found = foreground(image)
    assert (found == inside).mean() > 0.97
    labels = superpixels(image, 12)
    assert labels.shape == shape
    assert np.array_equal(labels >= 0, found)
    assert set(np.unique(labels[found])) == set(range(labels.max() + 1))
    assert 6 <= labels.max() + 1 <= 24


@pytest.mark.parametrize("shape", [(40, 52), (14, 20, 26)], ids=["2d", "3d"])
def test_a_mask_of_the_callers_own_is_kept(shape):
    image, _ = head(shape)
    mask = np.zeros(shape, bool)
    mask[tuple(slice(3, n - 5) for n in shape)] = True
    labels = superpixels(image, 8, mask=mask)
    assert np.array_equal(labels >= 0, mask)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(12, 30),
    st.integers(12, 30),
    st.integers(2, 20),
    st.floats(0.01, 10),
    st.integers(0, 9),
    st.booleans(),
)
def test_labels_are_gapless_from_zero_whatever_the_settings(height, width, count, compactness, seed, masked):
    image = np.random.default_rng(seed).random((height, width, 1))
    mask = head((height, width))[1] if masked else None
    labels = superpixels(image, count, compactness, mask)
    kept = np.unique(labels[labels >= 0])
    assert np.array_equal(kept, np.arange(len(kept)))
    assert np.array_equal(labels >= 0, mask if masked else np.ones((height, width), bool))


def test_supervoxels_lie_in_the_brain_and_cover_it():
    """Every voxel of the brain is in one, but for the skin that opening takes off; no voxel of air is."""
    (case,) = phantom.make(1, 1, (24, 32, 28))
    volume = np.asarray(case.source, np.float32)[..., None]
    labels = superpixels(volume, 30)
    brain = volume[..., 0] > 0
    inside = binary_fill_holes(brain)
    assert not (labels[~inside] >= 0).any()
    assert (labels[inside] >= 0).mean() > 0.97
    sizes = np.bincount(labels[labels >= 0])
    assert 20 <= len(sizes) <= 40
    assert sizes.min() > 0
    assert sizes.max() < 5 * sizes.mean()


def test_scale_and_offset_of_the_image_do_not_matter():
    image, _ = head((40, 52))
    assert np.array_equal(superpixels(image, 10), superpixels(200 * image + 8, 10))


def test_an_image_without_background_is_all_foreground():
    assert foreground(np.random.default_rng(0).random((20, 24, 1))).all()
    assert foreground(np.full((20, 24, 1), 3.0)).all()


def test_unusable_masks_and_counts_are_refused():
    image, _ = head((20, 24))
    with pytest.raises(InvalidInput, match="mask is empty"):
        superpixels(image, 5, mask=np.zeros((20, 24), bool))
    with pytest.raises(InvalidInput, match="at least 1"):
        superpixels(image, 0)


def test_the_hidden_image_is_the_packages_fudged_image():
    """As `lime.lime_image` writes it: the mean over each segment, channel by channel."""
    generator = np.random.default_rng(0)
    image, labels = generator.random((9, 11, 3)), generator.integers(0, 6, (9, 11))
    fudged = image.copy()
    for x in np.unique(labels):
        fudged[labels == x] = tuple(np.mean(image[labels == x][:, c]) for c in range(3))
    np.testing.assert_allclose(absent.segment_mean(image, labels), fudged, rtol=1e-12)


@pytest.mark.parametrize("hide", [absent.segment_mean, lambda i, r: absent.constant(i, r, 0.25)])
def test_pixels_in_no_region_stay(hide):
    generator = np.random.default_rng(0)
    image, labels = generator.random((4, 5, 6, 2)), generator.integers(-1, 3, (4, 5, 6))
    hidden = hide(image, labels)
    assert np.array_equal(hidden[labels < 0], image[labels < 0])
    assert (hidden[labels >= 0] != image[labels >= 0]).all()
    assert hidden is not image


@pytest.mark.parametrize("samples", [2, 31, 67, 100])
@pytest.mark.parametrize("space", [(7, 9), (4, 5, 6)])
def test_streamed_responses_are_the_naive_loops(samples, space):
    generator = np.random.default_rng(1)
    model = LinearClassifier.random((*space, 2), classes=3)
    image = generator.random((*space, 2)).astype(np.float32)
    labels = generator.integers(-1, 5, space)
    hidden, coalitions = absent.segment_mean(image, labels), halves(samples, 5, seed=4)
    kept = image.copy(), hidden.copy()
    expected = []
    for shown in coalitions:
        perturbed = image.copy()
        for region in np.flatnonzero(~shown):
            perturbed[labels == region] = hidden[labels == region]
        expected.append(model.logits(perturbed[None])[0])
    np.testing.assert_allclose(responses(model, image, hidden, labels, coalitions), expected, atol=1e-6)
    assert np.array_equal(image, kept[0])
    assert np.array_equal(hidden, kept[1])


def test_every_batch_has_one_size():
    sizes = []

    class Watching(LinearClassifier):
        def logits(self, images, /):
            sizes.append(len(images))
            return super().logits(images)

    model = Watching(np.ones((2, 7, 9, 1)))
    image = np.ones((7, 9, 1), np.float32)
    labels = np.arange(63).reshape(7, 9) // 20
    found = responses(model, image, 0 * image, labels, halves(1000, 4, seed=0))
    assert len(found) == 1000
    assert len(set(sizes)) == 1
    assert sum(sizes) <= 1010


@pytest.mark.parametrize("pixels", [[[0, 0, 1]], [[1, 0], [0, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 0]]])
def test_a_foreground_too_small_for_superpixels_is_one(pixels):
    image = np.float32(pixels)[..., None]
    labels = superpixels(image, 5)
    assert labels.max() == 0
    model = LinearClassifier.random(image.shape, classes=2, seed=0)
    (found,) = LIME(samples=8, regions=5).explain(model, image[None])
    assert len(found.regions.values) == 1

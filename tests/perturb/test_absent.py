"""What a hidden region looks like, and the cells of a regular grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri import LIME
from xaimri.arrays import Stored
from xaimri.errors import InvalidInput
from xaimri.perturb.absent import blurred, hidden, inpainted, noise
from xaimri.perturb.segments import grid, regions_of

SHAPES = {"2d": (17, 23, 2), "3d": (9, 11, 13, 2)}
KINDS = ["mean", "blur", "noise", "inpaint", 0.25]


def subject(shape, seed=0):
    """A smooth image with some grain, and labels with pixels in no region."""
    generator = np.random.default_rng(seed)
    ramp = sum(np.linspace(0, 1, n).reshape(-1, *[1] * (len(shape) - 1 - a)) for a, n in enumerate(shape))
    image = (ramp + 0.1 * generator.random(shape)).astype(np.float32)
    labels = np.full(shape[:-1], -1)
    labels[tuple(slice(3, 6) for _ in labels.shape)] = 0
    labels[tuple(slice(6, 8) for _ in labels.shape)] = 1
    return image, labels


@pytest.mark.parametrize("kind", [*KINDS, "reference", "set"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_pixels_in_no_region_stay_and_the_callers_arrays_are_not_touched(shape, kind):
    image, labels = subject(shape)
    references = np.random.default_rng(5).random((4, *shape), dtype=np.float32)
    absent = {"reference": references[0], "set": Stored(references)}.get(kind, kind)
    before = image.copy(), labels.copy(), references.copy()
    found = hidden(image, labels, absent, seed=3)
    assert found.shape == image.shape
    assert found.dtype == image.dtype
    assert np.isfinite(found).all()
    assert np.array_equal(found[labels < 0], image[labels < 0])
    assert (found[labels >= 0] != image[labels >= 0]).mean() > 0.9
    assert not np.shares_memory(found, image)
    for now, then in zip((image, labels, references), before, strict=True):
        assert np.array_equal(now, then)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_call_gives_the_same_bytes_and_touches_no_global_generator(kind):
    image, labels = subject(SHAPES["2d"])
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert hidden(image, labels, kind, seed=3).tobytes() == hidden(image, labels, kind, seed=3).tobytes()
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_the_mean_is_each_regions_own_and_a_number_is_that_number():
    image, labels = subject(SHAPES["3d"])
    found = hidden(image, labels, "mean")
    for region in (0, 1):
        inside = labels == region
        np.testing.assert_allclose(
            found[inside], np.tile(image[inside].mean(axis=0), (inside.sum(), 1)), rtol=1e-6
        )
    assert (hidden(image, labels, -2)[labels >= 0] == -2).all()


@pytest.mark.parametrize("space", [(40, 53), (11, 13, 17)], ids=["2d", "3d"])
def test_the_blur_of_a_constant_is_the_constant_and_channels_do_not_mix(space):
    image = np.ones((*space, 2), np.float32) * np.float32([3, 7])
    np.testing.assert_allclose(blurred(image), image, rtol=1e-6)


def test_a_volume_of_few_slices_is_blurred_by_its_second_longest_side():
    image = np.zeros((3, 50, 61, 1))
    image[1, 25, 30] = 1
    across = blurred(image)[..., 0].sum(axis=(0, 1))
    spread = np.sqrt((np.arange(61) - 30) ** 2 @ across / across.sum())
    assert spread == pytest.approx(5, rel=0.01)


def test_the_blur_is_a_tenth_of_the_shorter_axis_wide():
    """Its second moment, of a single bright pixel far from the border, is the width squared."""
    image = np.zeros((60, 81, 1))
    image[30, 40] = 1
    found = blurred(image)[..., 0]
    assert found.sum() == pytest.approx(1, abs=1e-3)
    for axis, centre in enumerate((30, 40)):
        away = np.arange(image.shape[axis]) - centre
        assert np.sqrt(away**2 @ found.sum(axis=1 - axis)) == pytest.approx(6, rel=0.01)


def test_noise_has_each_channels_mean_and_spread_and_stays_in_range():
    generator = np.random.default_rng(0)
    image = np.stack([generator.normal(5, 0.5, (70, 90)), generator.normal(-3, 2, (70, 90))], axis=-1)
    image[0, 0], image[0, 1] = 40, -40  # a wide range, so that hardly anything is clipped
    found = noise(image, seed=4)
    assert found.min() >= image.min()
    assert found.max() <= image.max()
    np.testing.assert_allclose(found.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=0.1)
    np.testing.assert_allclose(found.std(axis=(0, 1)), image.std(axis=(0, 1)), rtol=0.05)
    assert not np.array_equal(found, noise(image, seed=5))


def ramp(shape, low, high):
    """A plane that rises along both axes, from low to high; constant along leading axes."""
    rows, columns = np.meshgrid(*(np.arange(n) for n in shape[-2:]), indexing="ij")
    plane = low + (high - low) * (rows + columns) / (rows + columns).max()
    return np.broadcast_to(plane, shape).astype(np.float32)[..., None].copy()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-2.0, 3.0), (0.0, 4095.0)])
@pytest.mark.parametrize("space", [(20, 27), (5, 20, 27)], ids=["2d", "3d"])
def test_a_ramp_is_about_the_ramp_once_inpainted_whatever_its_scale(space, low, high):
    image, labels = ramp(space, low, high), np.full(space, -1)
    labels[..., 8:12, 9:14] = 0
    labels[..., 14:17, 3:6] = 1
    found = inpainted(image, labels)
    off = np.abs(found - image)[labels >= 0] / (high - low)
    assert off.max() < 2 / 45  # a step of the ramp is 1 / 45
    assert off.max() > 0
    assert np.array_equal(found[labels < 0], image[labels < 0])


def test_inpainting_scales_with_the_image_and_never_looks_below():
    image, labels = subject((17, 23, 1))
    found = hidden(image, labels, "inpaint")
    np.testing.assert_allclose(hidden(200 * image - 50, labels, "inpaint"), 200 * found - 50, atol=0.02)
    changed = image.copy()
    changed[labels == 0] = 9
    np.testing.assert_allclose(
        hidden(changed, labels, "inpaint")[labels == 0], found[labels == 0], rtol=0, atol=1e-6
    )
    assert np.abs(hidden(changed, labels, "inpaint") - found)[labels == 1].max() > 1e-3  # each is alone


def test_inpainting_among_a_constant_is_the_constant_and_without_surroundings_the_mean():
    image, labels = np.full((9, 12, 1), 0.3, np.float32), np.full((9, 12), -1)
    labels[3:6, 4:7] = 0
    image[labels == 0] = 5
    assert np.array_equal(inpainted(image, labels)[labels == 0], np.full((9, 1), 0.3, np.float32))
    image = np.random.default_rng(0).random((4, 5, 2))
    np.testing.assert_allclose(
        inpainted(image, np.zeros((4, 5), int)), np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    )


def test_a_gap_in_the_numbers_of_regions_is_no_region():
    image, labels = subject(SHAPES["2d"])
    numbered = np.where(labels == 1, 4, labels)
    for kind in KINDS:
        assert np.array_equal(hidden(image, numbered, kind), hidden(image, labels, kind))


def test_a_set_of_references_stands_as_its_mean():
    image, labels = subject(SHAPES["3d"])
    references = np.random.default_rng(5).random((4, *image.shape), dtype=np.float32)
    found = hidden(image, labels, Stored(references))
    np.testing.assert_allclose(found[labels >= 0], references.mean(axis=0)[labels >= 0], rtol=1e-6)
    one = hidden(image, labels, references[1])
    assert np.array_equal(one[labels >= 0], references[1][labels >= 0])


@pytest.mark.parametrize("wrong", [(17, 22, 2), (17, 23, 1), (4, 17, 22, 2), (2, 4, 17, 23, 2), (23, 17, 2)])
def test_an_array_of_another_shape_is_one_sentence(wrong):
    image, labels = subject(SHAPES["2d"])
    with pytest.raises(
        InvalidInput, match=r"`absent` must be an image of shape \(17, 23, 2\), .* or a set of them"
    ) as told:
        hidden(image, labels, np.zeros(wrong, np.float32))
    assert str(wrong) in str(told.value)


@pytest.mark.parametrize("wrong", ["black", float("inf"), True, np.array(["a"]), np.array([[np.nan]])])
def test_what_cannot_stand_for_absent_is_one_sentence(wrong):
    with pytest.raises(Exception, match=r"`absent`|absent") as told:
        LIME(absent=wrong)
    assert isinstance(told.value, InvalidInput | TypeError)


# The regular grid.


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(3, 14), min_size=2, max_size=3),
    st.integers(1, 30),
    st.integers(0, 99),
    st.floats(0.1, 1),
)
def test_grid_labels_are_gapless_and_fill_the_mask_alone(space, count, seed, share):
    generator = np.random.default_rng(seed)
    mask = generator.random(space) < share
    mask.flat[generator.integers(mask.size)] = True
    labels = grid(np.zeros((*space, 1)), count, mask)
    assert np.array_equal(labels >= 0, mask)
    assert np.array_equal(np.unique(labels[mask]), np.arange(labels.max() + 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(4, 20), min_size=2, max_size=3), st.integers(1, 30), st.integers(0, 5))
def test_grid_cells_are_boxes_of_nearly_equal_sides(space, count, margin):
    """Inside a box, the sides of all cells along an axis differ by one pixel at most."""
    shape = [n + 2 * margin + a for a, n in enumerate(space)]
    mask = np.zeros(shape, bool)
    mask[tuple(slice(margin, margin + n) for n in space)] = True
    labels = grid(np.zeros((*shape, 1)), count, mask)
    sides = []
    for cell in range(labels.max() + 1):
        places = np.argwhere(labels == cell)
        lengths = np.ptp(places, axis=0) + 1
        assert len(places) == np.prod(lengths)  # a full box
        sides.append(lengths)
    assert (np.ptp(sides, axis=0) <= 1).all()


@pytest.mark.parametrize(
    ("space", "count", "expected"), [((8, 12), 6, 6), ((6, 12, 18), 6, 6), ((20, 31), 50, 6 * 9)]
)
def test_grid_cells_are_about_as_many_as_asked_for(space, count, expected):
    labels = grid(np.zeros((*space, 1)), count, np.ones(space, bool))
    assert labels.max() + 1 == expected


@pytest.mark.parametrize("space", [(60, 72), (24, 30, 36)], ids=["2d", "3d"])
def test_grid_cells_outside_the_object_do_not_count(space):
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in space), indexing="ij")
    inside = sum((x / 0.7) ** 2 for x in axes) < 1
    image = (inside * (1 + 0.2 * axes[0]))[..., None].astype(np.float32)
    labels = grid(image, 40)
    assert ((labels >= 0) == inside).mean() > 0.97
    assert 25 <= labels.max() + 1 <= 75


def test_the_setting_shape_chooses_the_grid():
    image = np.random.default_rng(0).random((9, 14, 1), dtype=np.float32)
    assert np.array_equal(regions_of(image, 6, shape="grid"), grid(image, 6))
    assert not np.array_equal(regions_of(image, 6, shape="superpixels"), grid(image, 6))


@pytest.mark.parametrize(
    ("count", "mask", "sentence"), [(0, True, "at least 1 cell"), (4, False, "mask is empty")]
)
def test_unusable_counts_and_masks_of_a_grid_are_refused(count, mask, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        grid(np.zeros((5, 7, 1)), count, np.full((5, 7), mask))

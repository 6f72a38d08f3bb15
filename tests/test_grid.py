"""Where cells lie: against Pillow, closed forms and identities, in one to three dimensions."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from xaimri.errors import InvalidInput
from xaimri.grid import Grid, Taps

SIZES = st.integers(1, 14)
QUICK = settings(max_examples=60, deadline=None)


def ramp(space, slopes, constant):
    """A linear function of the pixels."""
    axes = np.meshgrid(*(np.arange(n, dtype=np.float64) for n in space), indexing="ij")
    return constant + sum(s * x for s, x in zip(slopes, axes, strict=True))


def at_cells(grid, slopes, constant):
    """The same linear function at the cells' centres."""
    where = [a + s * np.arange(m) for a, s, m in zip(grid.start, grid.step, grid.cells, strict=True)]
    return constant + sum(s * x for s, x in zip(slopes, np.meshgrid(*where, indexing="ij"), strict=True))


@pytest.mark.parametrize("size", [(17, 9), (40, 50), (17, 50), (23, 31), (1, 2)])
def test_sampling_a_whole_image_is_pillows_bilinear_resize(size):
    image = np.random.default_rng(0).normal(size=(23, 31)).astype(np.float32)
    height, width = size
    expected = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(Grid.resized((23, 31), size).sample(image), expected, atol=2e-6)


@QUICK
@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=3), st.integers(0, 99))
def test_sampling_and_resampling_keep_constants_in_any_rank(sizes, seed):
    space, cells = (tuple(s) for s in zip(*sizes, strict=True))
    grid = Grid.resized(space, cells)
    level = np.float64(seed - 50.5)
    np.testing.assert_allclose(grid.sample(np.full(space, level)), np.full(cells, level), rtol=1e-6)
    np.testing.assert_allclose(grid.resample(np.full(cells, level)), np.full(space, level), rtol=1e-6)


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(2, 14), st.integers(2, 6), st.floats(1, 4), st.floats(-3, 3)),
        min_size=1,
        max_size=3,
    ),
)
def test_a_linear_function_on_the_cells_is_that_function_on_the_image(axes):
    space, cells, step, start = (tuple(a) for a in zip(*axes, strict=True))
    grid = Grid(space, cells, start, step)
    slopes = [0.7, -1.3, 0.4][: len(space)]
    found = grid.resample(at_cells(grid, slopes, 5.0))
    within = np.ones(space, bool)
    for axis, (n, m, a, s) in enumerate(zip(space, cells, start, step, strict=True)):
        inside = (np.arange(n) >= a) & (np.arange(n) <= a + s * (m - 1))
        within &= inside.reshape([-1 if i == axis else 1 for i in range(len(space))])
    np.testing.assert_allclose(found[within], ramp(space, slopes, 5.0)[within], atol=1e-4)


@QUICK
@given(st.lists(SIZES, min_size=1, max_size=3), st.integers(0, 99))
def test_a_grid_of_the_images_own_pixels_changes_nothing(space, seed):
    values = np.random.default_rng(seed).normal(size=space).astype(np.float32)
    for fit in ("stretch", "pad"):
        grid = Grid.fitted(space, space, fit)
        assert np.array_equal(grid.sample(values), values)
        assert np.array_equal(grid.resample(values), values)
        assert grid.sample(values) is not values


def test_outside_the_lattice_the_edge_goes_on_for_one_step():
    grid = Grid((9,), (2,), (3.0,), (2.0,))
    np.testing.assert_allclose(grid.resample(np.array([1.0, 5.0])), [0, 1, 1, 1, 3, 5, 5, 5, 0])
    plane = Grid((9, 4), (2, 2), (3.0, 0.5), (2.0, 2.0))
    laid = plane.resample(np.array([[1.0, 1.0], [5.0, np.nan]]))
    np.testing.assert_allclose(laid[:, 0], [0, 1, 1, 1, 3, 5, 5, 5, 0])
    assert np.isnan(laid[4:8, 3]).all()
    np.testing.assert_allclose(laid[[0, 8]], 0)


def test_each_cell_peaks_where_it_lies():
    grid = Grid((224,), (7,), (0.0,), (32.0,))
    for i in range(7):
        assert int(grid.resample(np.eye(7)[i]).argmax()) == 32 * i


@QUICK
@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=3), st.integers(0, 9))
def test_resampling_and_sampling_are_linear_maps_with_exact_matrices(sizes, seed):
    """Each axis acts by itself: the map of a product is the product of the maps."""
    space, cells = (tuple(s) for s in zip(*sizes, strict=True))
    generator = np.random.default_rng(seed)
    grid = Grid.resized(space, cells)
    rows = [generator.normal(size=n) for n in space]
    product = rows[0]
    for row in rows[1:]:
        product = np.multiply.outer(product, row)
    single = [Grid.resized((n,), (m,)).sample(r) for n, m, r in zip(space, cells, rows, strict=True)]
    expected = single[0]
    for row in single[1:]:
        expected = np.multiply.outer(expected, row)
    np.testing.assert_allclose(grid.sample(product), expected, atol=1e-5)


@pytest.mark.parametrize(("n", "m"), [(24, 8), (8, 24), (7, 21)])
def test_where_one_size_divides_the_other_resampling_is_the_adjoint_of_sampling_inside(n, m):
    """Up to the number of pixels per cell, and away from the border."""
    grid = Grid.resized((n,), (m,))
    down = np.stack([grid.sample(row) for row in np.eye(n)], axis=1)  # (cells, pixels)
    up = np.stack([grid.resample(row) for row in np.eye(m)], axis=1)  # (pixels, cells)
    edge = 2 * max(n // m, 1), 2 * max(m // n, 1)
    inner = down[edge[1] : -edge[1], edge[0] : -edge[0]] * n / m
    np.testing.assert_allclose(up[edge[0] : -edge[0], edge[1] : -edge[1]].T, inner, atol=1e-6)


@QUICK
@given(st.lists(st.tuples(st.integers(2, 20), st.integers(2, 20)), min_size=1, max_size=3))
def test_padding_keeps_proportions_and_centres(sizes):
    image, model = (tuple(s) for s in zip(*sizes, strict=True))
    grid = Grid.fitted(image, model, "pad")
    assert len(set(grid.step)) == 1
    for n, m, a, s in zip(image, model, grid.start, grid.step, strict=True):
        assert a + s * (m - 1) / 2 == pytest.approx((n - 1) / 2)
        assert s * m >= n - 1e-9  # the whole image is on the model's input
    assert any(s * m == pytest.approx(n) for n, m, s in zip(image, model, grid.step, strict=True))


def test_padding_leaves_zero_outside_and_the_image_inside():
    grid = Grid.fitted((4, 8), (8, 8), "pad")
    padded = grid.sample(np.full((4, 8), 7.0))
    assert np.array_equal(padded[:2], np.zeros((2, 8)))
    assert np.array_equal(padded[2:6], np.full((4, 8), 7.0))
    assert np.array_equal(padded[6:], np.zeros((2, 8)))


@QUICK
@given(st.integers(4, 12), st.integers(4, 12), st.integers(1, 3), st.sampled_from(["stretch", "pad"]))
def test_a_linear_image_survives_the_way_to_a_finer_model_and_back(height, width, factor, fit):
    image = ramp((height, width), (0.5, -0.25), 3.0)
    grid = Grid.fitted(image.shape, (factor * height, factor * width), fit)
    back = grid.resample(grid.sample(image))
    np.testing.assert_allclose(back[1:-1, 1:-1], image[1:-1, 1:-1], atol=1e-4)


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_a_spot_comes_back_to_its_place(fit):
    image = np.zeros((60, 44))
    image[20:26, 30:34] = 1
    grid = Grid.fitted(image.shape, (32, 32), fit)
    back = grid.resample(grid.sample(image))
    weights = back / back.sum()
    centre = [float((weights * axis).sum()) for axis in np.indices(image.shape)]
    np.testing.assert_allclose(centre, [22.5, 31.5], atol=0.2)


@QUICK
@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=3), st.integers(0, 99))
def test_nearest_takes_the_nearest_cells_label(sizes, seed):
    space, cells = (tuple(s) for s in zip(*sizes, strict=True))
    labels = np.random.default_rng(seed).integers(-1, 9, cells)
    grid = Grid.resized(space, cells)
    found = grid.nearest(labels)
    pixel = tuple(n // 2 for n in space)
    distance = [
        np.abs(a + s * np.arange(m) - p)
        for p, a, s, m in zip(pixel, grid.start, grid.step, cells, strict=True)
    ]
    assume(all(np.isclose(d, d.min(), atol=1e-9).sum() == 1 for d in distance))
    assert found[pixel] == labels[tuple(int(d.argmin()) for d in distance)]
    assert set(np.unique(found)) <= set(np.unique(labels))


def test_a_pixel_far_from_all_cells_lies_in_no_region():
    """Behind a crop: cells of 2 pixels lie on pixels 4 to 11 of 16, and their edges go on for one step."""
    grid = Grid((16, 3), (4, 3), (4.5, 0.0), (2.0, 1.0))
    found = grid.nearest(np.arange(12).reshape(4, 3))[:, 1]
    assert found.tolist() == [-1, -1, -1, 1, 1, 1, 4, 4, 7, 7, 10, 10, 10, -1, -1, -1]
    assert np.array_equal(found >= 0, grid.resample(np.ones((4, 3)))[:, 1] > 0)


def test_axes_before_the_lattice_are_kept():
    grid = Grid.resized((6, 8), (3, 4))
    values = np.random.default_rng(0).normal(size=(2, 5, 3, 4))
    expected = np.stack([[grid.resample(v) for v in row] for row in values])
    np.testing.assert_allclose(grid.resample(values), expected, atol=1e-6)


def test_a_grid_is_a_value():
    grid = Grid.fitted((5, 6), (7, 8), "pad")
    assert pickle.loads(pickle.dumps(grid)) == grid
    assert hash(Grid.fitted((5, 6), (7, 8), "pad")) == hash(grid)
    record = grid.record()
    rebuilt = Grid(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.items()})
    assert rebuilt == grid


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Grid((4, 5), (2,), (0.0,), (1.0,)), "one entry per axis"),
        (lambda: Grid((4,), (0,), (0.0,), (1.0,)), "positive sizes"),
        (lambda: Grid((4,), (2,), (0.0,), (-1.0,)), "positive sizes"),
        (lambda: Grid.fitted((4, 5), (2, 3, 4)), "the model takes 3-D images"),
        (lambda: Grid.resized((4, 5), (2, 3)).resample(np.zeros((4, 5))), "must end in the axes"),
        (lambda: vars(Grid)["fitted"].__func__.__wrapped__(Grid, (4, 5), (2, 3), "crop"), "`fit` must be"),
    ],
)
def test_errors_are_one_sentence(make, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        make()
    assert "\n" not in str(refusal.value)


def test_a_value_that_is_not_finite_spoils_only_the_pixels_it_enters():
    grid = Grid.resized((12, 15), (4, 5))
    cells = np.random.default_rng(0).random((4, 5))
    whole = grid.resample(cells)
    cells[0, 0] = np.nan
    spoiled = grid.resample(cells)
    near = np.zeros((12, 15), bool)
    near[:4, :4] = True  # up to the centre of the next cell
    assert np.isnan(spoiled[near]).all()
    assert spoiled[~near] == pytest.approx(whole[~near])


@pytest.mark.parametrize(
    ("cells", "space", "coarse"),
    [
        ((6, 7), (224, 224), False),
        ((5, 7), (224, 224), True),
        ((7, 1), (224, 1), False),  # an axis of one pixel has no more to give
        ((4, 9), (4, 9), False),
        ((5, 10, 12), (5, 80, 96), False),
        ((4, 10, 12), (5, 80, 96), True),
    ],
)
def test_cells_are_few_only_where_the_image_has_more(cells, space, coarse):
    assert Grid.resized(space, cells).coarse is coarse


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31 - 1))
def test_taps_sum_as_the_matrix_that_they_stand_for(size, out, seed):
    random = np.random.default_rng(seed)
    matrix = np.zeros((out, size))
    for row in matrix:
        count = random.integers(0, size + 1)
        start = random.integers(0, size - count + 1)
        row[start : start + count] = random.random(count)
    values = random.random((size, 3, 2))
    found = Taps.of(matrix)
    np.testing.assert_allclose(found.apply(values), np.tensordot(matrix, values, 1), atol=1e-12)
    assert found.still == (matrix.shape[0] == matrix.shape[1] and (matrix == np.eye(size)).all())

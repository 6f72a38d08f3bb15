"""Maps whose axes stand in another order come back as (batch, *space, channels), and lie where they lay."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import tensorflow as tf

    from xaimri.adapters.keras.geometry.lattice import as_map, grid_of, place_of

pytestmark = pytest.mark.tensorflow

PLANE, VOLUME = (2, 16, 20, 4), (2, 5, 16, 20, 4)


def opened(change, shape):
    """What a function of an image gives, as a map; and where its cells lie."""
    found = []

    def body(images):
        cells = change(images)
        place = place_of(cells, images)
        found.append(grid_of(cells, images))
        return cells if place is None else as_map(cells, place.layout, len(shape) - 2)

    images = np.random.default_rng(0).random(shape, np.float32)
    return tf.function(body, autograph=False)(tf.constant(images)).numpy(), found[0]


def strided(x):
    """Cells at 2 i + 0.5, the frames of a volume one by one."""
    if x.shape.rank == 4:
        return tf.nn.avg_pool2d(x, 2, 2, "VALID")
    return tf.nn.avg_pool3d(x, (1, 2, 2), (1, 2, 2), "VALID")


def first(x):
    return tf.transpose(x, (0, x.shape.rank - 1, *range(1, x.shape.rank - 1)))


def last(x):
    return tf.transpose(x, (0, *range(2, x.shape.rank), 1))


def folded(x):
    return tf.reshape(x, (-1, *x.shape[2:]))


def unfolded(x, frames=5):
    return tf.reshape(x, (-1, frames, *x.shape[1:]))


PLANES = {
    "rows and columns exchanged": lambda x: tf.transpose(strided(x), (0, 2, 1, 3)),
    "rows and columns exchanged before": lambda x: tf.nn.avg_pool2d(
        tf.transpose(x, (0, 2, 1, 3)), 2, 2, "VALID"
    ),
    "channels first": lambda x: first(strided(x)),
    "channels first and back": lambda x: strided(last(tf.nn.relu(first(x)))),
    "channels first, in a function": lambda x: tf.function(lambda y: strided(last(y + 0.0)))(first(x)),
    "channels in the middle": lambda x: tf.transpose(strided(x), (0, 1, 3, 2)),
    "images last": lambda x: tf.transpose(strided(x), (1, 2, 3, 0)),
    "rows in the batch": lambda x: folded(strided(x)),
    "all in one and back": lambda x: tf.reshape(tf.reshape(strided(x), (-1,)), (2, 8, 10, 4)),
    "dense in every row": lambda x: tf.reshape(
        tf.matmul(tf.reshape(strided(x), (160, 4)), tf.eye(4)), (2, 8, 10, 4)
    ),
    "tokens and back": lambda x: tf.reshape(tf.reshape(strided(x), (2, 80, 4)) * 1.0, (2, 8, 10, 4)),
    "padded and cut with channels first": lambda x: strided(
        last(tf.pad(first(x), [[0, 0], [0, 1], [2, 1], [0, 3]])[:, :4, 2:-1, :20])
    ),
    "joined and split with channels first": lambda x: tf.split(
        tf.concat([first(strided(x)), first(strided(2 * x))], 1), 2, axis=1
    )[0],
    "an axis put in and taken out": lambda x: tf.squeeze(tf.expand_dims(first(strided(x)), 2), 2),
    "an axis put in by an index": lambda x: first(strided(x))[:, :, None, ...][:, :, 0],
}

VOLUMES = {
    "frames in the batch": lambda x: tf.nn.avg_pool2d(folded(x), 2, 2, "VALID"),
    "frames in the batch and back": lambda x: unfolded(tf.nn.avg_pool2d(folded(x), 2, 2, "VALID")),
    "frames one by one": lambda x: tf.stack(
        [tf.nn.avg_pool2d(each, 2, 2, "VALID") for each in tf.unstack(x, axis=1)], axis=1
    ),
    "frames one by one, by index": lambda x: tf.stack(
        [tf.nn.avg_pool2d(x[:, i], 2, 2, "VALID") for i in range(5)], axis=1
    ),
    "frames before images": lambda x: tf.transpose(
        tf.stack([tf.nn.avg_pool2d(tf.transpose(x, (1, 0, 2, 3, 4))[i], 2, 2, "VALID") for i in range(5)]),
        (1, 0, 2, 3, 4),
    ),
    "frames behind the channels": lambda x: tf.transpose(strided(x), (0, 2, 3, 4, 1)),
    "channels first": lambda x: first(strided(x)),
}


@pytest.mark.parametrize("change", [*PLANES, *VOLUMES])
def test_a_map_comes_back_in_its_place(change):
    act, shape = (PLANES[change], PLANE) if change in PLANES else (VOLUMES[change], VOLUME)
    (values, grid), (right, where) = opened(act, shape), opened(strided, shape)
    assert not grid.assumed
    assert grid == where
    np.testing.assert_allclose(values, right, atol=1e-6)


@pytest.mark.parametrize("padding", ["SAME", "VALID", [(0, 0), (2, 1), (3, 0), (0, 0)]], ids=str)
def test_a_convolution_with_channels_first_lies_where_one_with_channels_last_does(padding):
    """Only traced: a processor does not run it."""
    grids = []
    moved = padding if isinstance(padding, str) else [padding[i] for i in (0, 3, 1, 2)]

    def body(images):
        kernel = tf.ones((3, 5, 4, 2))
        plain = tf.nn.conv2d(images, kernel, (1, 2, 3, 1), padding)
        other = tf.nn.conv2d(first(images), kernel, (1, 1, 2, 3), moved, data_format="NCHW")
        back = tf.nn.conv2d_transpose(
            other, kernel, first(images).shape, (1, 1, 2, 3), moved, data_format="NCHW"
        )
        grids.extend(grid_of(cells, images) for cells in (plain, other, back))

    tf.function(body, autograph=False).get_concrete_function(tf.TensorSpec(PLANE))
    assert grids[0] == grids[1]
    assert not grids[0].assumed
    assert (grids[2].start, grids[2].step) == ((0.0, 0.0), (1.0, 1.0))


def test_a_mean_over_frames_has_one_cell_along_them():
    values, grid = opened(lambda x: tf.reduce_mean(strided(x), axis=1), VOLUME)
    assert values.shape == (2, 1, 8, 10, 4)
    assert (grid.cells, grid.start, grid.step) == ((1, 8, 10), (2.0, 0.5, 0.5), (5.0, 2.0, 2.0))


def test_one_frame_lies_at_its_own_place():
    values, grid = opened(lambda x: strided(x)[:, 3], VOLUME)
    assert values.shape == (2, 1, 8, 10, 4)
    assert (grid.cells, grid.start, grid.step) == ((1, 8, 10), (3.0, 0.5, 0.5), (1.0, 2.0, 2.0))


LOST = {
    "frames folded behind one another": lambda x: tf.reshape(
        tf.transpose(x, (1, 0, 2, 3, 4)), (10, 16, 20, 4)
    ),
    "frames shuffled": lambda x: tf.stack([x[:, i] for i in (0, 2, 1, 3, 4)], axis=1),
    "tokens": lambda x: tf.reshape(x, (2, 5, 320, 4)),
    "rows with their columns cut": lambda x: tf.reshape(x, (2, 5, 20, 16, 4)),
    "rows and channels mixed": lambda x: tf.reshape(tf.transpose(x, (0, 1, 2, 4, 3)), (2, 5, 64, 20)),
    "rows mixed by weights": lambda x: tf.reshape(
        tf.matmul(tf.reshape(tf.transpose(x, (0, 1, 4, 3, 2)), (-1, 16)), tf.ones((16, 16))),
        (2, 5, 4, 20, 16),
    ),
}


@pytest.mark.parametrize("change", LOST)
def test_what_mixes_or_reorders_cells_is_never_taken_for_kept(change):
    values, grid = opened(lambda x: tf.reshape(LOST[change](x), (2, 5, 16, 20, 4)), VOLUME)
    assert grid.assumed or np.array_equal(values, opened(lambda x: x, VOLUME)[0])

"""Loops over frames: recurrent layers keep each frame at its place, and what they leave lies along all."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras.geometry.lattice import as_map, grid_of, place_of

pytestmark = pytest.mark.tensorflow

SHAPE = (2, 5, 12, 15, 3)


def opened(change, shape=SHAPE):
    found = []

    def body(images):
        cells = change(images)
        place = place_of(cells, images)
        found.append(grid_of(cells, images))
        return cells if place is None else as_map(cells, place.layout, len(shape) - 2)

    images = np.random.default_rng(0).random(shape, np.float32)
    return tf.function(body, autograph=False)(tf.constant(images)).numpy(), found[0]


def recurrent(**options):
    keras.utils.set_random_seed(0)
    return layers.ConvLSTM2D(4, 3, **options)


def test_every_frame_of_a_recurrent_layer_lies_at_its_own():
    values, grid = opened(recurrent(return_sequences=True, strides=2, padding="same"))
    assert values.shape == (2, 5, 6, 8, 4)
    assert (grid.cells, grid.start, grid.step) == ((5, 6, 8), (0.0, 1.0, 0.0), (1.0, 2.0, 2.0))
    assert not grid.assumed


@pytest.mark.parametrize("frames", [5, 3])
def test_the_last_state_lies_along_all_frames(frames):
    values, grid = opened(recurrent(), (2, frames, 12, 15, 3))
    assert values.shape == (2, 1, 10, 13, 4)
    assert (grid.cells, grid.start) == ((1, 10, 13), ((frames - 1) / 2, 1.0, 1.0))
    assert (grid.step, grid.assumed) == ((frames, 1.0, 1.0), False)


def test_a_frame_that_depends_on_those_before_it_lies_along_all():
    layer = recurrent(return_sequences=True)
    _, grid = opened(lambda x: layer(x)[:, -1])
    assert (grid.cells, grid.start[0], grid.step[0]) == ((1, 10, 13), 2.0, 5.0)


def test_two_recurrent_layers_and_a_dense_one_between():
    first, dense, second = recurrent(return_sequences=True), layers.Dense(3), recurrent(return_sequences=True)
    values, grid = opened(lambda x: second(dense(first(x))))
    assert values.shape == (2, 5, 8, 11, 4)
    assert (grid.start, grid.step, grid.assumed) == ((0.0, 2.0, 2.0), (1.0, 1.0, 1.0), False)


def test_backwards_no_place_is_told():
    _, grid = opened(recurrent(return_sequences=True, go_backwards=True, padding="same"))
    assert grid.assumed


def test_frames_that_are_shuffled_in_a_loop_have_no_place():
    def change(x):
        frames = tf.TensorArray(tf.float32, 5).unstack(tf.transpose(x, (1, 0, 2, 3, 4)))
        made = tf.TensorArray(tf.float32, 5)
        step = lambda i, to: (i + 1, to.write(4 - i, frames.read(i)))  # noqa: E731
        _, made = tf.while_loop(lambda i, to: i < 5, step, (0, made), maximum_iterations=5)
        return tf.transpose(tf.ensure_shape(made.stack(), (5, 2, 12, 15, 3)), (1, 0, 2, 3, 4))

    _, grid = opened(change)
    assert grid.assumed

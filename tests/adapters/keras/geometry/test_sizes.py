"""Sizes that a graph works out from an image's own: cropping and padding to the proportions of a target."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras.geometry.lattice import grid_of
    from xaimri.adapters.keras.geometry.sizes import Sizes
    from xaimri.adapters.keras.resize import KerasResize

pytestmark = pytest.mark.tensorflow

WAYS: tuple[dict[str, bool], ...] = ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True})
KINDS: tuple[dict[str, str | bool], ...] = (
    {},
    {"interpolation": "nearest"},
    {"antialias": True},
    {"interpolation": "bicubic"},
)
CASES = [((30, 37), (20, 24)), ((9, 20), (12, 12)), ((40, 24), (10, 12)), ((12, 18), (6, 9))]


def read(change, shape):
    found = []

    def body(images):
        cells = change(images)
        found.append(grid_of(cells, images))
        return cells

    return tf.function(body, autograph=False).get_concrete_function(tf.TensorSpec(shape)), found


@pytest.mark.parametrize("way", WAYS, ids=["plain", "cropped", "padded"])
@pytest.mark.parametrize(("space", "size"), CASES, ids=str)
def test_resizing_is_read_from_the_graph_as_from_its_settings(space, size, way):
    for kind in KINDS:
        layer = layers.Resizing(*size, **way, **kind)
        _, (found,) = read(layer, (2, *space, 1))
        wanted = KerasResize.of_layer(layer).grid(space)
        assert not found.assumed
        assert (found.space, found.cells) == (wanted.space, wanted.cells)
        assert (found.start, found.step) == (pytest.approx(wanted.start), pytest.approx(wanted.step))


@pytest.mark.parametrize("way", WAYS[1:], ids=["cropped", "padded"])
@pytest.mark.parametrize("space", [(24, 40), (40, 24)], ids=str)
def test_a_resized_ramp_says_where_its_pixels_came_from(space, way):
    """Of a ramp along an axis, bilinear resizing gives the places themselves; padding is left out."""
    run, (found,) = read(layers.Resizing(12, 12, **way), (2, *space, 1))
    for axis, ramp in enumerate(np.indices(space).astype(np.float32)):
        given = np.stack([ramp, np.ones(space, np.float32)])[..., None] + np.float32([[[[1]]], [[[0]]]])
        made = run(tf.constant(given)).numpy()[..., 0]
        places = found.start[axis] + found.step[axis] * np.arange(12)
        line = np.moveaxis(made[0], axis, 0)[:, 6] - 1
        inside = np.moveaxis(made[1], axis, 0)[:, 6] > 0.999
        assert inside.sum() >= 6
        np.testing.assert_allclose(line[inside], places[inside], atol=1e-3)


def test_resizing_with_channels_first_and_in_a_function():
    layer = layers.Resizing(10, 12, crop_to_aspect_ratio=True, data_format="channels_first")

    def change(x):
        first = tf.transpose(x, (0, 3, 1, 2))
        return tf.transpose(tf.function(layer)(first), (0, 2, 3, 1))

    _, (found,) = read(change, (2, 40, 24, 3))
    wanted = KerasResize((10, 12), crop=True).grid((40, 24))
    assert (found.start, found.step, found.assumed) == (wanted.start, wanted.step, False)


def test_only_what_depends_on_sizes_is_worked_out():
    values = {}

    def body(images, number):
        sizes = Sizes()
        half = tf.cast(tf.cast(tf.shape(images)[1], tf.float32) * 0.5, tf.int32)
        small = tf.ones((2, half, 5)) * 3.0
        values["half"], values["shape"] = sizes.value(half), sizes.shape(small)
        values["unknown"] = sizes.value(half + number)
        values["pixel"] = sizes.value(tf.cast(images[0, 0, 0, 0], tf.int32) + half)
        return small

    specs = [tf.TensorSpec((2, 9, 7, 1)), tf.TensorSpec((), tf.int32)]
    tf.function(body, autograph=False).get_concrete_function(*specs)
    assert (values["half"], values["shape"]) == (4, [2, 4, 5])
    assert values["unknown"] is values["pixel"] is None

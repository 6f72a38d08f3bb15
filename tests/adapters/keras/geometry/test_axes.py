"""Operations that keep every cell in its place, and those that may not: read from traced functions."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import tensorflow as tf
    from keras import layers, ops

    from xaimri.adapters.keras.geometry.lattice import grid_of

pytestmark = pytest.mark.tensorflow


def grid(change, shape=(2, 16, 20, 4)):
    """Where the cells lie that a function of the image gives."""
    found = []

    def body(images):
        cells = change(images)
        found.append(grid_of(cells, images))
        return cells

    tf.function(body, autograph=False).get_concrete_function(tf.TensorSpec(shape))
    return found[0]


def built(layer):
    layer.build((None, 8, 10, 4))
    return layer


def strided(x):
    """Cells at 2 i + 0.5."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


LAYERS = {
    "group normalization": lambda: layers.GroupNormalization(2),
    "layer normalization": lambda: layers.LayerNormalization(),
    "grouped convolution": lambda: layers.Conv2D(4, 1, groups=2),
    "dense": lambda: layers.Dense(3),
    "einsum dense": lambda: layers.EinsumDense("...x,xy->...y", output_shape=3),
}

KEPT = {
    "channel shuffle": lambda x: tf.reshape(
        tf.transpose(tf.reshape(x, (2, 8, 10, 2, 2)), (0, 1, 2, 4, 3)), (2, 8, 10, 4)
    ),
    "einsum of two maps": lambda x: tf.einsum("bhwc,bhwd->bhwcd", x, x)[..., 0],
    "product with a matrix": lambda x: tf.linalg.matmul(x, tf.ones((1, 1, 4, 3))),
    "weights of every place": lambda x: tf.einsum("bhwc,hw->bhwc", x, tf.ones((8, 10))),
    "unstacked channels": lambda x: tf.stack(tf.unstack(x, axis=-1), axis=-1),
    "split channels": lambda x: tf.concat(tf.split(x, 2, axis=-1)[::-1], axis=-1),
    "chosen channels": lambda x: tf.gather(x, [2, 0], axis=-1),
    "rolled channels": lambda x: tf.roll(x, 1, axis=-1),
    "sorted channels": lambda x: tf.sort(x, axis=-1),
    "summed channels": lambda x: tf.reduce_sum(x, axis=-1, keepdims=True),
    "summed and expanded": lambda x: tf.reduce_max(x, axis=3)[..., None],
    "squeezed": lambda x: tf.squeeze(tf.expand_dims(x, -2), -2),
    "channels along a sum": lambda x: tf.cumsum(x, axis=-1),
    "a slice of channels": lambda x: x[:, :, :, 1:3],
    "a slice from the back": lambda x: x[..., ::-1],
    "a slice of unknown end": lambda x: x[:, : tf.shape(x)[1], :8, :][:, :, :8],
    "a called function": lambda x: tf.function(lambda y: tf.nn.relu(y) + 1)(x),
    "a called function within another": lambda x: tf.function(lambda y: tf.function(tf.nn.gelu)(2 * y))(x),
    "swish": lambda x: tf.nn.silu(x),
    "a loop": lambda x: tf.while_loop(lambda y: True, lambda y: y + 1, [x], maximum_iterations=2)[0],
    "a condition": lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x + 1, lambda: x),
    "a condition with a constant": lambda x: tf.cond(
        tf.reduce_sum(x) > 0, lambda: tf.zeros((2, 8, 10, 4)), lambda: 2 * x
    ),
    "a gate by global pooling": lambda x: x * tf.reduce_mean(x, axis=(1, 2), keepdims=True),
    "a gate in space from global pooling": lambda x: (
        x * tf.reshape(tf.matmul(tf.reduce_mean(x, axis=(1, 2)), tf.ones((4, 80))), (2, 8, 10, 1))
    ),
    "global pooling spread out again": lambda x: tf.concat(
        [x, tf.image.resize(tf.reduce_mean(x, axis=(1, 2), keepdims=True), (8, 10))], axis=-1
    ),
    "one pooled cell resized": lambda x: tf.concat(
        [x, tf.image.resize(tf.nn.avg_pool2d(x, (8, 10), 1, "VALID"), (8, 10))], axis=-1
    ),
    "one pooled cell repeated": lambda x: (
        x + ops.repeat(ops.repeat(tf.nn.avg_pool2d(x, (8, 10), 1, "VALID"), 8, axis=1), 10, axis=2)
    ),
    "one pooled cell broadcast": lambda x: tf.concat(
        [x, tf.broadcast_to(tf.nn.avg_pool2d(x, (8, 10), 1, "VALID"), (2, 8, 10, 4))], axis=-1
    ),
}


@pytest.mark.parametrize("change", [*LAYERS, *KEPT])
def test_what_touches_channels_alone_keeps_the_cells(change):
    step = built(LAYERS[change]()) if change in LAYERS else KEPT[change]
    found = grid(lambda x: step(strided(x)))
    assert (found.start[0], found.step[0], found.assumed) == (0.5, 2.0, False)
    assert found.spread == 0


MOVED = {
    "zeros joined in front": (lambda x: tf.concat([tf.zeros((2, 3, 20, 4)), x], axis=1), -3.0, 1.0),
    "the last of a split": (lambda x: tf.split(x, [3, 5, 8], axis=1)[2], 8.0, 1.0),
    "tf.slice": (lambda x: tf.slice(x, (0, 2, 0, 0), (2, 9, 20, 4)), 2.0, 1.0),
    "a slice from the end": (lambda x: x[:, -7:], 9.0, 1.0),
    "a slice in steps": (lambda x: x[:, 1:-2:3], 1.0, 3.0),
    "a slice beyond the end": (lambda x: x[:, :40], 0.0, 1.0),
    "space to depth": (lambda x: tf.nn.space_to_depth(x, 4), 1.5, 4.0),
    "depth to space": (lambda x: tf.nn.depth_to_space(x, 2), -0.25, 0.5),
    "patches": (lambda x: tf.image.extract_patches(x, (1, 3, 3, 1), (1, 2, 2, 1), (1,) * 4, "SAME"), 1, 2),
    "a dilated convolution": (
        lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 4, 2)), 1, "VALID", dilations=2),
        2.0,
        1.0,
    ),
    "a convolution that pads as it is told": (
        lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 4, 2)), 2, [[0, 0], [2, 1], [0, 3], [0, 0]]),
        -1.0,
        2.0,
    ),
    "phases of a block and back": (
        lambda x: tf.batch_to_space(tf.space_to_batch(x, [2, 2], [[1, 1], [2, 2]]), [2, 2], [[2, 0], [1, 3]]),
        1.0,
        1.0,
    ),
    "one of two results with a gradient of their own": (
        lambda x: tf.custom_gradient(lambda y: ((y[:, :-2], y[:, 2:]), lambda a, b: y))(x)[1],
        2.0,
        1.0,
    ),
    "antialiased resize": (lambda x: tf.image.resize(x, (4, 5), antialias=True), 1.5, 4.0),
    "resize by area": (lambda x: tf.image.resize(x, (4, 5), method="area"), 1.5, 4.0),
    "resize to corners": (
        lambda x: tf.compat.v1.image.resize_bilinear(x, (6, 5), align_corners=True),
        0.0,
        3.0,
    ),
    "every other pixel by nearest": (lambda x: tf.image.resize(x, (8, 10), method="nearest"), 1.0, 2.0),
    "twice each pixel by nearest": (lambda x: tf.image.resize(x, (32, 40), method="nearest"), -0.25, 0.5),
    "a convolution in a called function": (
        lambda x: tf.function(lambda y: tf.nn.conv2d(y, tf.ones((3, 3, 4, 2)), 2, "VALID"))(x),
        1.0,
        2.0,
    ),
}


@pytest.mark.parametrize("change", MOVED)
def test_what_moves_cells_is_followed(change):
    act, start, step = MOVED[change]
    found = grid(act)
    assert (found.start[0], found.step[0], found.assumed) == (start, step, False)


def attention(x):
    return tf.einsum("bhwxy,bxyc->bhwc", tf.nn.softmax(tf.einsum("bhwc,bxyc->bhwxy", x, x)), x)


def attention_along_a_row(x):
    return tf.matmul(tf.matmul(x, x, transpose_b=True), x)


def multi_head():
    layer = layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
    layer.build((2, 8, 8, 4), (2, 8, 8, 4))
    return lambda x: layer(x, x)


def in_python(x):
    flipped = tf.numpy_function(np.flip, [x], tf.float32)
    flipped.set_shape(x.shape)
    return flipped


def reordered(x):
    """Cells of a square map, exchanged, come back in the same shape."""
    cells = tf.transpose(tf.reshape(x, (2, 64, 4)), (0, 2, 1))
    return tf.reshape(cells, (2, 8, 8, 4))


def bottleneck(x):
    flat = tf.matmul(tf.reshape(x, (2, 256)), tf.ones((256, 64)))
    return tf.reshape(flat, (2, 8, 8, 1))


LOST = {
    "attention": attention,
    "attention beside the map": lambda x: x + attention(x),
    "attention along a row": attention_along_a_row,
    "columns exchanged with channels in a product": lambda x: tf.matmul(
        tf.concat([x, x], -1), tf.ones((1, 1, 8, 3)), transpose_a=True
    ),
    "reordered through tokens": reordered,
    "another reshape": lambda x: tf.reshape(tf.reshape(x, (2, 4, 16, 4)), (2, 8, 8, 4)),
    "batch folded into channels": lambda x: tf.reshape(x, (1, 8, 8, 8)),
    "mixed by what the image says": lambda x: tf.tensordot(x, x[0, 0, :4], 1),
    "flattened and brought back": bottleneck,
    "axes exchanged by einsum": lambda x: tf.einsum("bhwc->bwhc", x),
    "rows mixed by a matrix": lambda x: tf.einsum("bhwc,hg->bgwc", x, tf.ones((8, 8))),
    "rolled": lambda x: tf.roll(x, 1, axis=1),
    "a part of it enlarged": lambda x: tf.image.crop_and_resize(
        x, tf.constant([[0.25, 0.25, 1.0, 1.0]] * 2), tf.range(2), (8, 8)
    ),
    "rows added elsewhere": lambda x: tf.tensor_scatter_nd_add(
        x, tf.constant([[0, 1], [1, 1]]), tf.stack([x[0, 0], x[1, 0]])
    ),
    "reversed": lambda x: tf.reverse(x, [2]),
    "gathered": lambda x: tf.gather(x, tf.range(8)[::-1], axis=1),
    "summed up along rows": lambda x: tf.cumsum(x, axis=1),
    "sorted along rows": lambda x: tf.sort(x, axis=2),
    "Fourier": lambda x: tf.math.real(tf.signal.fft2d(tf.cast(x, tf.complex64))),
    "circular padding": lambda x: tf.concat([x[:, -1:], x, x[:, :1]], axis=1),
    "a loop that rolls": lambda x: tf.while_loop(
        lambda y: True, lambda y: tf.roll(y, 1, 1), [x], maximum_iterations=2
    )[0],
    "a loop that cuts and pads": lambda x: tf.while_loop(
        lambda y: True,
        lambda y: tf.pad(y, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :8],
        [x],
        maximum_iterations=2,
    )[0],
    "a condition that may flip": lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x[:, ::-1], lambda: x),
    "a switch": lambda x: tf.switch_case(tf.cast(tf.reduce_sum(x), tf.int32), [lambda: x, lambda: x + 1]),
    "Python": in_python,
    "unknown size": lambda x: tf.ensure_shape(
        tf.image.resize(x[:, : tf.cast(tf.reduce_sum(x), tf.int32)], (8, 8)), (2, 8, 8, 4)
    ),
    "unknown rank": lambda x: tf.reshape(tf.reshape(x, tf.cast(x[0, 0, 0], tf.int32)), (2, 8, 8, 4)),
    "made from global pooling alone": lambda x: tf.image.resize(
        tf.reduce_mean(x, axis=(1, 2), keepdims=True), (8, 8)
    ),
    "a filter read from the image": lambda x: tf.nn.conv2d(x, x[0, :3, :3, :, None], 1, "SAME"),
}


@pytest.mark.parametrize("change", LOST)
def test_what_may_exchange_or_mix_cells_is_never_taken_for_kept(change):
    assert grid(LOST[change], (2, 8, 8, 4)).assumed


def test_multi_head_attention_mixes_cells():
    assert grid(multi_head(), (2, 8, 8, 4)).assumed


def test_a_volume_keeps_its_cells_too():
    layer = layers.GroupNormalization(2)
    layer.build((None, 3, 4, 5, 4))
    found = grid(lambda x: layer(tf.nn.avg_pool3d(x, 2, 2, "VALID")), (1, 6, 8, 10, 4))
    assert (found.start, found.step, found.assumed) == ((0.5,) * 3, (2.0,) * 3, False)


def test_an_image_of_one_pixel_and_a_map_of_one_cell():
    assert grid(lambda x: x + 1, (1, 1, 1, 3)).start == (0.0, 0.0)
    found = grid(lambda x: tf.nn.conv2d(x, tf.ones((5, 7, 1, 1)), 1, "VALID"), (1, 5, 7, 1))
    assert (found.cells, found.start, found.assumed) == ((1, 1), (2.0, 3.0), False)


def test_a_map_that_does_not_come_from_the_image_is_assumed():
    assert grid(lambda x: tf.ones((2, 4, 5, 1))).assumed

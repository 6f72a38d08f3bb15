"""Where a layer's cells lie, against impulses sent through networks of ones."""

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri.objective import Objective

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers, ops

    from xaimri.adapters.keras import KerasClassifier

pytestmark = pytest.mark.tensorflow


def ones(kind, kernel, filters=1, **options):
    return kind(filters, kernel, use_bias=False, kernel_initializer="ones", **options)


def network(space, *body):
    """A classifier on `space` whose layer `cells` ends a body of linear layers with weights of one."""
    image = keras.Input((*space, 1))
    x = image
    for layer in body:
        x = layer(x)
    cells = layers.Activation("linear", name="cells")(x)
    pooled = layers.GlobalAveragePooling2D() if len(space) == 2 else layers.GlobalAveragePooling3D()
    return keras.Model(image, layers.Dense(2, activation="softmax")(pooled(cells)))


def read_grid(model):
    space = model.input_shape[1:]
    zeros = np.zeros((1, *space), np.float32)
    return KerasClassifier(model).feature_maps(zeros, Objective(), layer="cells").grid


def responses(model, space):
    """What every cell answers to an impulse at every pixel: ``(pixels, *cells)``."""
    opened = keras.Model(model.input, model.get_layer("cells").output)
    impulses = np.eye(int(np.prod(space)), dtype=np.float32).reshape(-1, *space, 1)
    return np.concatenate(
        [opened(part, training=False).numpy()[..., 0] for part in np.array_split(impulses, 4)]
    )


def truth(model, space, margin=1):
    """Centre of gravity of the pixels that each cell sees, NaN for cells that see the margin."""
    answers = responses(model, space)
    cells = answers.shape[1:]
    seen = answers.reshape(*space, *cells)
    centres = np.full((len(space), *cells), np.nan)
    for index in np.ndindex(cells):
        weights = seen[(..., *index)]
        edge = [*range(margin), *range(-margin, 0)]
        border = [np.take(weights, edge, axis=axis) for axis in range(len(space))]
        if weights.sum() > 0 and not any(b.any() for b in border):
            where = np.indices(space).reshape(len(space), -1)
            centres[(slice(None), *index)] = (where * weights.ravel()).sum(axis=1) / weights.sum()
    return centres


def compare(model, space, tolerance=1e-3, margin=1):
    grid, centres = read_grid(model), truth(model, space, margin)
    assert not grid.assumed
    assert grid.space == space
    assert grid.cells == centres.shape[1:]
    known = np.isfinite(centres[0])
    assert known.sum() >= 2
    for axis, index in enumerate(np.indices(grid.cells)):
        placed = grid.start[axis] + grid.step[axis] * index
        assert np.abs(placed - centres[axis])[known].max() <= tolerance, (grid, centres[axis])


PLANE = {
    "same, stride 2": lambda: [ones(layers.Conv2D, 3, strides=2, padding="same")],
    "same, stride 2, even kernel": lambda: [ones(layers.Conv2D, 4, strides=2, padding="same")],
    "same, stride 3, kernel 5": lambda: [ones(layers.Conv2D, 5, strides=3, padding="same")],
    "valid, stride 2": lambda: [ones(layers.Conv2D, 3, strides=2)],
    "valid twice": lambda: [ones(layers.Conv2D, 5), ones(layers.Conv2D, (3, 4), strides=(2, 1))],
    "dilated": lambda: [
        ones(layers.Conv2D, 3, dilation_rate=2),
        ones(layers.Conv2D, 3, dilation_rate=3, padding="same"),
    ],
    "depthwise": lambda: [
        layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, depthwise_initializer="ones")
    ],
    "depthwise, dilated": lambda: [
        layers.DepthwiseConv2D(3, dilation_rate=2, use_bias=False, depthwise_initializer="ones")
    ],
    "separable": lambda: [
        layers.SeparableConv2D(
            1, 3, strides=2, use_bias=False, depthwise_initializer="ones", pointwise_initializer="ones"
        )
    ],
    "average pooling": lambda: [layers.AveragePooling2D(3, strides=2), ones(layers.Conv2D, 3)],
    "max pooling": lambda: [layers.MaxPooling2D(2), layers.MaxPooling2D(3, strides=2, padding="same")],
    "padding as in ResNet": lambda: [
        layers.ZeroPadding2D(3),
        ones(layers.Conv2D, 7, strides=2),
        layers.ZeroPadding2D(1),
        layers.MaxPooling2D(3, strides=2),
    ],
    "uneven padding": lambda: [layers.ZeroPadding2D(((0, 3), (2, 1))), ones(layers.Conv2D, 3, strides=2)],
    "cropping": lambda: [layers.Cropping2D(((5, 2), (3, 4))), ones(layers.Conv2D, 3, strides=2)],
    "transposed, same": lambda: [
        ones(layers.Conv2D, 3, strides=4),
        ones(layers.Conv2DTranspose, 3, strides=2, padding="same"),
    ],
    "transposed, valid": lambda: [
        ones(layers.Conv2D, 3, strides=4),
        ones(layers.Conv2DTranspose, 2, strides=2),
    ],
    "bilinear": lambda: [
        ones(layers.Conv2D, 3, strides=2),
        layers.UpSampling2D(2, interpolation="bilinear"),
    ],
    "dense in every cell": lambda: [
        ones(layers.Conv2D, 3, strides=2),
        layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ones(layers.Conv2D, 3),
    ],
    "resized": lambda: [layers.Resizing(20, 24)],
    "one pixel": lambda: [ones(layers.Conv2D, 1, strides=3), layers.MaxPooling2D(1, strides=2)],
    "grouped": lambda: [
        ones(layers.Conv2D, 1, filters=4),
        ones(layers.Conv2D, 3, filters=4, groups=2, strides=2, padding="same"),
    ],
    "channels shuffled": lambda: [
        ones(layers.Conv2D, 3, filters=4, strides=2),
        layers.Lambda(lambda x: ops.reshape(x, (*ops.shape(x)[:3], 2, 2))),
        layers.Permute((1, 2, 4, 3)),
        layers.Lambda(lambda x: ops.reshape(x, (*ops.shape(x)[:3], 4))),
        ones(layers.Conv2D, 3, groups=1),
    ],
    "dense by einsum": lambda: [
        ones(layers.Conv2D, 3, filters=2, strides=2),
        layers.EinsumDense("abcd,de->abce", (None, None, 1), kernel_initializer="ones"),
    ],
    "slices": lambda: [ones(layers.Conv2D, 3), layers.Lambda(lambda x: x[:, 1:-2, ::2])],
    "patches": lambda: [
        layers.Lambda(lambda x: ops.image.extract_patches(x, 4, strides=2)),
        ones(layers.Conv2D, 1),
    ],
    "space to depth": lambda: [layers.Lambda(lambda x: tf.nn.space_to_depth(x, 2)), ones(layers.Conv2D, 1)],
}


EVEN = {
    "max pooling": ((32, 40),),
    "bilinear": ((31, 37),),
    "resized": ((30, 37),),
    "space to depth": ((30, 36),),
}
"""Sizes at which no window is cut off at the far border, which would pull its cell inwards."""


@pytest.mark.parametrize(
    ("body", "space"), [(b, s) for b in PLANE for s in EVEN.get(b, ((30, 37), (31, 36)))]
)
def test_cells_of_a_plane_lie_where_impulses_say(body, space):
    # Up-sampled cells answer in steps, half a step of the coarse ones to either side.
    tolerance = {"transposed, same": 2.01, "transposed, valid": 1.01, "resized": 0.5}.get(body, 1e-3)
    margin = 3 if body == "dilated" else 1  # its windows have gaps, and may reach over the border
    compare(network(space, *PLANE[body]()), space, tolerance, margin)


VOLUME = {
    "same, stride 2": lambda: [ones(layers.Conv3D, 3, strides=2, padding="same")],
    "valid": lambda: [ones(layers.Conv3D, (3, 2, 3), strides=(1, 2, 1))],
    "pooling": lambda: [layers.MaxPooling3D(2), ones(layers.Conv3D, 2)],
    "dilated": lambda: [
        ones(layers.Conv3D, 2, dilation_rate=2),
        ones(layers.Conv3D, 3, dilation_rate=(1, 2, 1)),
    ],
    "padding": lambda: [layers.ZeroPadding3D(((1, 0), (2, 2), (0, 1))), layers.AveragePooling3D((2, 3, 2))],
    "cropping": lambda: [layers.Cropping3D(((1, 2), (2, 0), (0, 1))), ones(layers.Conv3D, 2, strides=2)],
    "grouped": lambda: [
        ones(layers.Conv3D, 1, filters=2),
        ones(layers.Conv3D, 2, filters=2, groups=2, strides=2),
    ],
    "transposed": lambda: [ones(layers.Conv3D, 2, strides=2), ones(layers.Conv3DTranspose, 2, strides=2)],
}


@pytest.mark.parametrize("space", [(8, 11, 10), (9, 10, 12)])
@pytest.mark.parametrize("body", VOLUME)
def test_cells_of_a_volume_lie_where_impulses_say(body, space):
    compare(network(space, *VOLUME[body]()), space, 0.51 if body == "transposed" else 1e-3)


def test_a_map_of_one_row():
    compare(network((5, 9), ones(layers.Conv2D, (5, 3))), (5, 9), margin=0)


@pytest.mark.parametrize("name", ["UpSampling3D", "Conv3DTranspose"])
def test_upsampling_a_volume_keeps_the_cells_in_place_on_average(name):
    up = layers.UpSampling3D(2) if name == "UpSampling3D" else ones(layers.Conv3DTranspose, 2, strides=2)
    space = (8, 10, 9)
    model = network(space, ones(layers.Conv3D, 2, strides=2), up)
    grid, centres = read_grid(model), truth(model, space, margin=0)
    for axis in range(3):
        placed = grid.start[axis] + grid.step[axis] * np.indices(grid.cells)[axis]
        pairs = [
            np.moveaxis(x, axis, 0).reshape(-1, 2, placed.size // grid.cells[axis]).mean(axis=1)
            for x in (placed, centres[axis])
        ]
        np.testing.assert_allclose(*pairs, atol=1e-3)


def test_nearest_upsampling_keeps_the_cells_in_place_on_average():
    space = (24, 28)
    body = [ones(layers.Conv2D, 3, strides=2), layers.UpSampling2D(2)]
    grid, centres = read_grid(network(space, *body)), truth(network(space, *body), space)
    pairs = grid.start[0] + grid.step[0] * (np.arange(grid.cells[0]).reshape(-1, 2).mean(axis=1))
    known = np.isfinite(centres[0][::2, 4])
    np.testing.assert_allclose(pairs[known], centres[0][::2, 4][known], atol=1e-3)


def test_merging_branches_give_their_mean_by_what_they_carry_and_their_disagreement():
    image = keras.Input((16, 20, 1))
    one = ones(layers.Conv2D, 3, strides=2, padding="same")(image)  # cell i at 2 i + 1
    other = ones(layers.Conv2D, 1, strides=2)(image)  # cell i at 2 i
    cells = layers.Add(name="cells")([one, other])
    out = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(cells))
    grid = read_grid(keras.Model(image, out))
    assert grid.start == pytest.approx((0.9, 0.9), abs=0.02)  # nine weights of one carry 9 / 10
    assert grid.step == (2.0, 2.0)
    assert grid.spread == pytest.approx(grid.start[0])  # of the other branch from there
    assert grid.doubt == pytest.approx((0.3, 0.3), abs=0.02)
    assert not grid.assumed


def test_a_grey_image_turned_to_colour_and_flipped_in_its_channels_stays_in_place():
    image = keras.Input((16, 20, 1))
    colour = layers.Concatenate()([image, image, image])[..., ::-1]
    cells = layers.Conv2D(2, 3, strides=2, padding="same", name="cells")(colour)
    out = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(cells))
    grid = read_grid(keras.Model(image, out))
    assert (grid.start, grid.step, grid.assumed) == ((1.0, 1.0), (2.0, 2.0), False)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[:, :, ::-1],
        lambda x: keras.ops.flip(x, axis=1),
        lambda x: keras.ops.roll(x, 3, axis=1),
    ],
    ids=["slice", "flip", "roll"],
)
def test_a_layer_that_moves_pixels_is_never_taken_for_one_that_does_not(change):
    image = keras.Input((16, 16, 1))
    cells = layers.Conv2D(2, 3, strides=2, padding="same", name="cells")(change(image))
    out = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(cells))
    assert read_grid(keras.Model(image, out)).assumed


def test_resnet50_at_224_has_its_cells_at_multiples_of_32():
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])
    maps = KerasClassifier(model).feature_maps(np.zeros((1, 224, 224, 3), np.float32), Objective())
    assert maps.layer == "resnet50/conv5_block3_out"
    assert maps.grid.cells == (7, 7)
    assert maps.grid.start == (0.0, 0.0)
    assert maps.grid.step == (32.0, 32.0)
    assert not maps.grid.assumed

"""Where tokens lie, against impulses: whatever order they are in, a token lies where its patch does."""

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers, ops

    from xaimri.adapters.keras.geometry.cells import gathering
    from xaimri.adapters.keras.geometry.field import Field
    from xaimri.adapters.keras.geometry.places import places_from

pytestmark = pytest.mark.tensorflow

SPACE = (12, 20)
BATCH = 2


def patches(x, size=4, strides=None, **options):
    return layers.Conv2D(3, size, strides=strides or size, kernel_initializer="ones", **options)(x)


def row(x):
    """Cells in one row, ``(batch, cells, features)``."""
    return ops.reshape(x, (x.shape[0], -1, x.shape[-1]))


def with_class(x, before=1, behind=0):
    extra = [ops.ones((x.shape[0], n, x.shape[-1])) for n in (before, behind)]
    return ops.concatenate([extra[0], x, extra[1]], axis=1)


def windows(x, side):
    b, h, w, c = x.shape
    x = ops.reshape(x, (b, h // side, side, w // side, side, c))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, side * side, c))


def unwindowed(x, side, shape):
    b, h, w, c = shape
    x = ops.reshape(x, (b, h // side, w // side, side, side, c))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), shape)


def shifted_windows(x):
    x = patches(x, 2)  # 6 x 10 cells
    return windows(ops.roll(x, (-1, -1), axis=(1, 2)), 2)


def there_and_back(x):
    x = patches(x, 2)
    cells = ops.roll(unwindowed(shifted_windows_of(x), 2, x.shape), (1, 1), axis=(1, 2))
    return row(x + cells)


def shifted_windows_of(x):
    return windows(ops.roll(x, (-1, -1), axis=(1, 2)), 2)


def merged(x):
    """Swin's merging of 2 x 2 cells."""
    x = patches(x, 2)
    corners = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    x = layers.LayerNormalization()(ops.concatenate(corners, axis=-1))
    return row(layers.Dense(5, kernel_initializer="ones")(x))


def overlapping(x):
    return row(patches(layers.ZeroPadding2D(3)(x), 7, 4, padding="valid"))


def heads(x):
    x = with_class(row(patches(x)))
    x = layers.Dense(8)(x)
    return ops.transpose(ops.reshape(x, (x.shape[0], -1, 2, 4)), (0, 2, 1, 3))


def folded_heads(x):
    x = heads(x)
    return ops.reshape(x, (-1, *x.shape[2:]))


def attended(x):
    """Attention with a residual, behind a class token and two registers."""
    x = with_class(row(patches(x)), 1, 2)
    return x + layers.MultiHeadAttention(2, 4)(x, x)


def attended_without_residual(x):
    x = row(patches(x))
    q, k, v = (layers.Dense(6)(x) for _ in range(3))
    scores = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))))
    return ops.matmul(scores, v)


def mixed_as_by_mlp(x):
    x = row(patches(x))
    y = ops.transpose(x, (0, 2, 1))
    y = layers.Dense(x.shape[1])(layers.Dense(4, "relu")(y))
    return x + ops.transpose(y, (0, 2, 1))


def as_convolution_again(x):
    """Tokens that become a map again, which is convolved: MobileViT, MiT."""
    x = patches(x, 2)
    b, h, w, c = x.shape
    x = ops.reshape(attended_of(row(x)), (b, h, w, c))
    return layers.Conv2D(4, 3, strides=2, padding="same")(x)


def attended_of(x):
    return x + layers.MultiHeadAttention(2, 4)(x, x)


def unfolded(x):
    """MobileViT's tokens: one row for each of the 2 x 2 places in a patch."""
    x = patches(x, 2)
    b, h, w, c = x.shape
    x = ops.transpose(ops.reshape(x, (b, h // 2, 2, w // 2, 2, c)), (0, 2, 4, 1, 3, 5))
    return ops.reshape(x, (b * 4, -1, c))


def by_reshaping(x):
    """Patches without a convolution."""
    b, h, w, c = x.shape
    x = ops.transpose(ops.reshape(x, (b, h // 4, 4, w // 4, 4, c)), (0, 1, 3, 2, 4, 5))
    return layers.Dense(6, kernel_initializer="ones")(ops.reshape(x, (b, (h // 4) * (w // 4), 16 * c)))


CASES = {
    "in a row": lambda x: row(patches(x)),
    "behind a class token": lambda x: with_class(row(patches(x))),
    "between class token and registers": lambda x: with_class(row(patches(x)), 2, 3),
    "class token cut off": lambda x: with_class(row(patches(x)))[:, 1:],
    "taken from the end": lambda x: ops.take(with_class(row(patches(x))), np.arange(-15, 0), axis=1),
    "gathered backwards": lambda x: ops.take(row(patches(x)), np.arange(14, -1, -1), axis=1),
    "columns first": lambda x: row(ops.transpose(patches(x), (0, 2, 1, 3))),
    "features first": lambda x: ops.transpose(row(patches(x)), (0, 2, 1)),
    "patches of 5 that leave a rest": lambda x: row(patches(x, 5)),
    "oblong patches": lambda x: row(patches(x, (3, 5))),
    "overlapping patches": overlapping,
    "by reshaping": by_reshaping,
    "shifted windows": shifted_windows,
    "there and back": there_and_back,
    "merged": merged,
    "heads": heads,
    "heads folded into the batch": folded_heads,
    "unfolded": unfolded,
    "the last rows cut off": lambda x: row(patches(x))[:, :10],
    "the first token cut off": lambda x: row(patches(x))[:, 1:],
    "as a list": lambda x: ops.stack(ops.unstack(row(patches(x)), axis=1), axis=1),
    "split and joined": lambda x: ops.concatenate(ops.split(row(patches(x)), 3, axis=1)[::-1], axis=1),
}


def traced(make, space=SPACE):
    """A compiled function of tokens, and what is told of their places."""
    image = keras.Input(batch_shape=(BATCH, *space, 1))
    model, found = keras.Model(image, make(image)), []

    @tf.function(autograph=False)
    def run(images):
        tokens = model(images)
        tracing = places_from(images)
        known = tracing.of(tokens)
        cells = gathering(known, space, BATCH) if isinstance(known, Field) else None
        found.append((cells, bool(tracing.mixed)))
        return tokens if cells is None else cells((tokens,))

    return run.get_concrete_function(tf.TensorSpec((BATCH, *space, 1), tf.float32)), *found[0]


def followed(make):
    """The cells that are gathered of impulses at every pixel, and what is told of them."""
    run, cells, mixed = traced(make)
    count = int(np.prod(SPACE))
    impulses = np.eye(count, dtype=np.float32).reshape(count, *SPACE, 1)
    zero = run(tf.zeros((BATCH, *SPACE, 1))).numpy()
    parts = [run(tf.constant(p)).numpy() - zero for p in np.split(impulses, count // BATCH)]
    return np.abs(np.concatenate(parts)).sum(axis=-1), cells, mixed


def placed(grid):
    """Per axis, the place of every cell."""
    return [a + s * np.arange(n) for a, s, n in zip(grid.start, grid.step, grid.cells, strict=True)]


@pytest.mark.parametrize("case", [c for c in CASES if c not in ("merged", "overlapping patches")])
def test_an_impulse_moves_the_cell_in_whose_patch_it_is(case):
    """Of the weights of ones, every pixel of a patch moves its token alike, so the mean is its centre."""
    answers, cells, mixed = followed(CASES[case])
    assert not mixed
    assert answers.shape[1:] == cells.grid.cells
    pixels = np.indices(SPACE).reshape(2, -1)
    weights = (answers > 1e-6).reshape(len(answers), -1)
    some = weights.any(axis=0)
    assert some.any()
    centres = pixels @ weights / np.maximum(weights.sum(axis=0), 1)
    sites = np.stack(np.meshgrid(*placed(cells.grid), indexing="ij")).reshape(2, -1)
    np.testing.assert_allclose(sites[:, some], centres[:, some], atol=1e-3)


def test_cells_without_a_token_are_zero():
    answers, cells, _ = followed(CASES["the first token cut off"])
    assert cells.grid.cells == (3, 5)
    assert not answers[:, 0, 0].any()
    assert answers[:, 0, 1].any()
    assert followed(CASES["the last rows cut off"])[1].grid.cells == (2, 5)


@pytest.mark.parametrize(
    ("make", "start", "step", "count", "extra", "mixes"),
    [
        (merged, (1.5, 1.5), (4, 4), (3, 5), 0, False),
        (overlapping, (0, 0), (4, 4), (3, 5), 0, False),
        (attended, (1.5, 1.5), (4, 4), (3, 5), 3, True),
        (attended_without_residual, (1.5, 1.5), (4, 4), (3, 5), 0, True),
        (mixed_as_by_mlp, (1.5, 1.5), (4, 4), (3, 5), 0, True),
        (as_convolution_again, (2.5, 2.5), (4, 4), (3, 5), 0, True),
    ],
)
def test_places_that_are_known_by_construction(make, start, step, count, extra, mixes):
    _, cells, mixed = traced(make)
    assert (cells.grid.start, cells.grid.step, cells.grid.cells) == (start, step, count)
    assert cells.extra == extra
    assert mixed == mixes
    assert cells.grid.spread == (1.0 if make is merged else 0.0)  # of four cells from their middle


def test_tokens_of_a_volume():
    def make(x):
        x = layers.Conv3D(3, (2, 4, 5), strides=(2, 4, 5))(x)
        return attended_of(with_class(row(x)))

    _, cells, mixed = traced(make, (6, 8, 15))
    assert cells.grid.cells == (3, 2, 3)
    assert (cells.grid.start, cells.grid.step) == ((0.5, 1.5, 2.0), (2, 4, 5))
    assert cells.extra == 1
    assert mixed


@pytest.mark.parametrize(
    "make",
    [
        lambda x: row(patches(x)) + ops.roll(row(patches(x)), 1, axis=1),
        lambda x: layers.Conv2D(3, 3)(ops.roll(patches(x, 2), 1, axis=1)),
        lambda x: ops.cumsum(row(patches(x)), axis=1),
        lambda x: ops.take_along_axis(row(patches(x)), ops.argsort(row(patches(x))[..., :1], axis=1), axis=1),
        lambda x: ops.mean(row(patches(x)), axis=1),
        lambda x: row(patches(x))[:, :1],
    ],
    ids=["rolled", "convolved after a roll", "running sum", "sorted", "mean", "one token"],
)
def test_where_tokens_lost_their_place_none_is_told(make):
    _, cells, _ = traced(make)
    assert cells is None

"""Which of two branches carries that place the cells differently: closed forms, and impulses."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.caveats import Reason
from xaimri.objective import Objective
from xaimri.testing import cell_offsets

with on_first_use():
    import keras
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras import KerasClassifier, classifier, clear_cache, places

pytestmark = pytest.mark.tensorflow

STEP, APART = 8, 11.5
"""Pixels from cell to cell, and between the places at which the two branches put a cell."""


@pytest.fixture(autouse=True, scope="module")
def forget():
    yield
    clear_cache()


def torn(meet, middle=lambda x: x, space=(48, 64)):
    """Cell i lies at pixel 8 i by a shortcut of one weight, at 8 i + 11.5 by a weighted mean over 8 x 8."""
    rank = len(space)
    convolution, pool, crop, pad, average = (
        getattr(layers, f"{name}{rank}D")
        for name in ("Conv", "AveragePooling", "Cropping", "ZeroPadding", "GlobalAveragePooling")
    )
    image = keras.Input((*space, 1))
    short = convolution(1, 1, strides=STEP, use_bias=False, name="short")(image)
    pooled = pool(STEP)(pad(((0, STEP),) * rank)(crop(((STEP, 0),) * rank)(image)))
    pooled = middle(convolution(1, 1, use_bias=False, name="pooled")(pooled))
    x = getattr(layers, meet)(name="met")([short, pooled])
    return keras.Model(image, layers.Dense(2, "softmax")(average()(x)))


def weigh(model, short, pooled):
    for name, weight in (("short", short), ("pooled", pooled)):
        layer = model.get_layer(name)
        layer.set_weights([np.full(layer.kernel.shape, weight, np.float32)])


def found(model, space=(48, 64)):
    image = np.random.default_rng(0).random(space, dtype=np.float32)
    explanation = xaimri.explain(model, image, "hirescam", layer="met")
    said = [c.text for c in explanation.caveats if c.reason is Reason.AMBIGUOUS_GEOMETRY]
    return explanation.diagnostics["grid"], said


@pytest.mark.parametrize(
    ("meet", "space"),
    [("Add", (48, 64)), ("Concatenate", (48, 64)), ("Average", (40, 32, 48))],
    ids=["added", "side by side", "averaged in 3-D"],
)
def test_the_cells_lie_at_the_mean_by_what_the_branches_carry(meet, space, monkeypatch):
    """A weight w sends w**2 through one pixel of the shortcut, and w**2 / pixels through a mean of so many.

    One network throughout: what was measured holds until its weights change.
    """
    model = torn(meet, space=space)
    pixels = STEP ** len(space)
    for short, pooled in ((0.0, 1.0), (1.0, 0.0), (1.0, pixels**0.5), (1.0, 2 * pixels**0.5), (1.0, 0.2)):
        weigh(model, short, pooled)
        grid, said = found(model, space)
        carried = pooled**2 / pixels / (short**2 + pooled**2 / pixels)
        doubt = APART * (carried * (1 - carried)) ** 0.5
        assert grid["start"] == pytest.approx([APART * carried] * len(space), abs=1e-3)
        assert max(grid["doubt"], default=0.0) == pytest.approx(doubt, abs=1e-3)
        assert bool(said) == (doubt > STEP / 4)
        assert not said or f"in doubt by {doubt:.0f} pixels" in said[0]
    monkeypatch.setattr(places, "run", None)  # nothing is measured again
    assert found(model, space)[0] == grid


@pytest.mark.parametrize(("short", "pooled", "place"), [(0.0, 1.0, 11.5), (1.0, 0.0, 0.0)])
def test_the_maps_change_lies_at_the_patch_that_caused_it(short, pooled, place):
    """A patch of 8 x 8 pixels, around the centre of one cell by the branch that carries."""
    model = torn("Add")
    weigh(model, short, pooled)
    network, plain, cell = KerasClassifier(model), np.zeros((48, 64, 1), np.float32), np.array([2, 3])
    centre = place + STEP * cell
    image = plain.copy()
    image[tuple(slice(int(np.ceil(c - 4)), int(np.ceil(c + 4))) for c in centre)] = 1.0
    maps = network.feature_maps(np.stack([plain, image]), Objective((0, 0)), layer="met")
    change = np.abs(maps.values[1] - maps.values[0])[..., 0]
    centroid = np.array([(change * axis).sum() / change.sum() for axis in np.indices(change.shape)])
    np.testing.assert_allclose(centroid, cell)
    np.testing.assert_allclose(np.array(maps.grid.start) + STEP * centroid, centre, atol=1e-3)
    noise = np.random.default_rng(0).random((2, 48, 64, 1), dtype=np.float32)
    assert cell_offsets(network, noise, "met").max() < 2  # bands are 3 and 4 pixels wide


def test_what_cannot_be_measured_stays_at_the_mean_and_is_said():
    """A gradient does not pass through rounding, so nobody knows what the pooled branch carries."""
    model = torn("Add", middle=layers.Lambda(tf.round))
    weigh(model, 1.0, 8.0)
    grid, said = found(model)
    assert grid["start"] == grid["doubt"] == (APART / 2, APART / 2)
    assert f"in doubt by {APART / 2:.0f} pixels" in said[0]


def test_branches_that_agree_are_never_asked(monkeypatch):
    monkeypatch.setattr(classifier, "settled", None)
    image = keras.Input((24, 32, 1))
    x = layers.Conv2D(3, 3, strides=2, padding="same", name="one")(image)
    y = layers.Conv2D(3, 3, strides=2, padding="same")(image)
    pooled = layers.GlobalAveragePooling2D()(layers.Add(name="met")([x, y]))
    grid, said = found(keras.Model(image, layers.Dense(2, "softmax")(pooled)), (24, 32))
    assert (grid["spread"], grid["doubt"], said) == (0, (), [])


@pytest.mark.slow
def test_in_a_random_xception_the_change_lies_at_the_patch():
    """Patches of a cell's size at 16 places: the branches' mean lies 15 pixels beside."""
    keras.utils.set_random_seed(0)
    side, width = 198, 32
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(side, side, 3))
    pooled = layers.GlobalAveragePooling2D()(base.output)
    network = KerasClassifier(keras.Model(base.input, layers.Dense(2)(pooled)), outputs="logits")
    plain = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    maps, off = network.feature_maps(plain[None], Objective((0,))), []
    assert not maps.grid.ambiguous
    for k in range(16):
        place = side // 2 + np.array([-15 + 2 * k, -15 + 2 * ((7 * k + 3) % 16)])
        image = plain.copy()
        image[tuple(slice(p - width // 2, p + width // 2) for p in place)] += 0.01
        change = (network.feature_maps(image[None], Objective((0,))).values - maps.values)[0].astype(float)
        weight = (change**2).sum(axis=-1)
        centroid = np.array([(weight * axis).sum() / weight.sum() for axis in np.indices(weight.shape)])
        off.append(np.array(maps.grid.start) + np.array(maps.grid.step) * centroid - (place - 0.5))
    assert np.abs(np.mean(off)) < 4.5

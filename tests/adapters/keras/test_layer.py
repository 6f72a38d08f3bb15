"""Which maps are opened: evidence that is known by construction, on networks whose ways part and meet."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri import InvalidInput, MissingCapability
from xaimri.caveats import Reason
from xaimri.objective import Objective
from xaimri.testing import check_classifier

with on_first_use():
    import keras
    from keras import layers, ops

    from xaimri.adapters.keras import KerasClassifier, clear_cache

pytestmark = pytest.mark.tensorflow

SPACE = (44, 48)
CHECKERS = np.array([[1, -1, 1], [-1, 0, -1], [1, -1, 1]], np.float32) + 0.05
"""A kernel that answers a checkerboard, and hardly a smooth bump."""


@pytest.fixture(autouse=True, scope="module")
def forget():
    yield
    clear_cache()


def evidence():
    """A faint checkerboard, which is the evidence, and a bright bump, which is none."""
    y, x = np.mgrid[: SPACE[0], : SPACE[1]]
    image = 0.1 + np.exp(-((y - 32.0) ** 2 + (x - 34.0) ** 2) / 60)
    image[8:16, 8:16] += 0.3 * ((y + x) % 2)[8:16, 8:16]
    return image.astype(np.float32)[..., None]


def sees_checkers(x, name):
    """A convolution that answers checkerboards, and a pooling."""
    depth = x.shape[-1]
    found = layers.Conv2D(1, 3, activation="relu", name=f"{name}_conv")
    found.build(x.shape)
    kernel = np.repeat(CHECKERS[:, :, None, None], depth, axis=2) / depth
    found.set_weights([kernel, np.array([-0.55], np.float32)])
    return layers.MaxPooling2D(2, name=f"{name}_pool")(found(x))


def copying(layer, x):
    """A convolution that hands on its first channel."""
    layer.build(x.shape)
    kernel = np.zeros(layer.kernel.shape, np.float32)
    kernel[kernel.shape[0] // 2, kernel.shape[1] // 2, 0] = 1
    layer.set_weights([kernel, np.zeros(kernel.shape[-1], np.float32)])
    return layer(x)


def scored(image, pooled):
    """A head whose weights are 80 for the second class, -80 for the first, and whose bias is no 0."""
    joined = layers.Concatenate()(pooled)
    head = layers.Dense(2, "softmax", name="head")
    head.build(joined.shape)
    head.set_weights([np.tile(np.float32([[-80, 80]]), (joined.shape[-1], 1)), np.float32([1.5, -1.5])])
    return keras.Model(image, head(joined))


def average(x):
    return layers.GlobalAveragePooling2D()(x)


def two_backbones(entrance):
    image = keras.Input((*SPACE, 1))
    x = entrance(image)
    return scored(image, [average(sees_checkers(x, "a")), average(sees_checkers(x, "b"))])


def three_windows(image):
    """One backbone, run on three windows of the intensities."""
    x = keras.Input((*SPACE, 3))
    shared = keras.Model(x, sees_checkers(x, "a"), name="shared")
    views = [layers.Concatenate()([layers.Rescaling(k)(image)] * 3) for k in (1.0, 1.1, 0.9)]
    return scored(image, [average(shared(view)) for view in views])


def stem_and_deep(image):
    """Stem and deep map are pooled both, and lie on one lattice: the deep one is made of the stem."""
    stem = copying(layers.Conv2D(3, 3, padding="same", name="stem"), image)
    deep = layers.Conv2D(4, 3, padding="same", activation="relu", name="deep")(stem)
    return scored(image, [average(stem), average(deep)])


WITH_EVIDENCE = {
    "1 x 1 grey to RGB": lambda x: copying(layers.Conv2D(3, 1, name="to_rgb"), x),
    "stem": lambda x: copying(layers.Conv2D(3, 3, padding="same", activation="relu", name="stem"), x),
    "copies": lambda x: layers.Concatenate()([x, x, x]),
}


@pytest.mark.parametrize("entrance", WITH_EVIDENCE)
def test_two_backbones_are_opened_together_and_show_the_evidence(entrance):
    model, image = two_backbones(WITH_EVIDENCE[entrance]), evidence()
    for method in ("gradcam", "gradcam++", "layercam", "hirescam", "scorecam"):
        found = xaimri.explain(model, image, method, target=1)
        positive = np.clip(found.values, 0, None)
        assert positive[6:18, 6:18].sum() > 0.99 * positive.sum(), method
        assert set(found.diagnostics["layer"].split(" + ")) == {"a_pool", "b_pool"}
        assert "all ways" in found.diagnostics["why"]
        assert "partial_way" not in [caveat.name for caveat in found.caveats]


def logit_of_cells(model, image):
    """The logit of the second class less its bias, and what the cells of HiResCAM add up to."""
    found = xaimri.explain(model, image, "hirescam", target=1)
    total = found.diagnostics["positive"] + found.diagnostics["negative"]
    return found.logits[1] + 1.5, total, found


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (lambda i: two_backbones(WITH_EVIDENCE["stem"]), {"a_pool", "b_pool"}),
        (three_windows, {"shared/a_pool"}),
        (stem_and_deep, {"stem", "deep"}),
    ],
    ids=["two backbones", "one backbone run three times", "a map and one behind it"],
)
def test_the_cells_of_joined_maps_add_up_to_the_logit(make, layer):
    """The head is a global average and a dense layer, so nothing may be missing, nor counted twice."""
    model = make(keras.Input((*SPACE, 1)))
    logit, total, found = logit_of_cells(model, evidence())
    assert total == pytest.approx(logit, rel=1e-4)
    assert set(found.diagnostics["layer"].split(" + ")) == layer
    again = xaimri.explain(model, evidence(), "hirescam", target=1, layer=found.diagnostics["layer"])
    np.testing.assert_allclose(again.values, found.values, atol=1e-6)
    assert found.caveats == again.caveats


def test_joined_maps_of_volumes_keep_every_promise_of_a_classifier():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 9, 7, 2))
    convolution = {"padding": "same", "activation": "tanh"}
    ways = [layers.Conv3D(n, 3, name=name, **convolution)(image) for n, name in ((3, "one"), (2, "other"))]
    pooled = layers.Concatenate()([layers.GlobalAveragePooling3D()(x) for x in ways])
    model = keras.Model(image, layers.Dense(3, "softmax")(pooled))
    images = np.random.default_rng(0).normal(size=(2, 8, 9, 7, 2)).astype(np.float32)
    classifier = KerasClassifier(model)
    assert classifier.feature_maps(images, Objective()).values.shape == (2, 8, 9, 7, 5)
    check_classifier(classifier, images, model.predict(images, verbose=0))


def stages(image):
    """Three stages, each pooled globally: their lattices differ."""
    found = [image]
    for n in (1, 2, 3):
        stage = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name=f"stage{n}")
        found.append(stage(found[-1]))
    return scored(image, [average(x) for x in found[1:]])


def encoder(image):
    """Two levels of a U-Net's encoder, pooled and joined; the first one carries all, and is no answer."""
    first = layers.Conv2D(3, 3, padding="same", activation="relu", name="level1")(image)
    second = layers.Conv2D(4, 3, padding="same", activation="relu", name="level2")(
        layers.MaxPooling2D(2)(first)
    )
    return scored(image, [layers.GlobalMaxPooling2D()(first), average(second)])


def half_a_cell_apart(image):
    """As many cells, and not at the same places: at pixels 0.5 + 2 i and 1 + 2 i."""
    even = layers.Conv2D(2, 2, strides=2, name="even")(image)
    odd = layers.Conv2D(2, 3, strides=2, padding="same", name="odd")(image)
    return scored(image, [average(even), average(odd)])


def past_the_maps(image):
    """The mean intensity goes past the convolution."""
    return scored(image, [average(layers.Conv2D(2, 3, name="cells")(image)), average(image)])


def test_cells_of_one_number_at_other_places_are_not_joined():
    model = half_a_cell_apart(keras.Input((*SPACE, 1)))
    with pytest.raises(MissingCapability, match=r"'even'.* don't lie on one lattice.*22 x 24 of them"):
        xaimri.explain(model, evidence())


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (stages, ("stage1", "stage2", "stage3")),
        (encoder, ("level1", "level2")),
        (past_the_maps, ("cells",)),
    ],
)
def test_ways_that_no_map_carries_are_refused_and_each_can_be_named(make, names):
    keras.utils.set_random_seed(0)
    model, image = make(keras.Input((*SPACE, 1))), evidence()
    with pytest.raises(MissingCapability) as refusal:
        xaimri.explain(model, image)
    for name in names:
        assert repr(name) in str(refusal.value)
        found = xaimri.explain(model, image, layer=name, relu=False)
        assert found.diagnostics["layer"] == name
        said = [c.text for c in found.caveats if c.reason is Reason.PARTIAL_WAY]
        earlier = [repr(n) for n in names[: names.index(name)]]  # later ones are made of it
        expected = earlier or (["no map at all"] if make is past_the_maps else [])
        assert bool(said) == bool(expected)
        assert all(n in said[0] for n in expected)
    if len(names) > 1:
        with pytest.raises(InvalidInput, match="don't lie on one lattice"):
            xaimri.explain(model, image, layer=" + ".join(names))


def attended(x):
    """Pooled by weights that a 1 x 1 convolution finds."""
    weights = ops.softmax(ops.reshape(layers.Conv2D(1, 1, name="weights")(x), (-1, 16 * 18)), axis=1)
    return ops.einsum("bn,bnc->bc", weights, ops.reshape(x, (-1, 16 * 18, 5)))


def by_attention(x):
    """Self-attention by hand, whose query, key and value are 1 x 1 convolutions."""
    q, k, v = (ops.reshape(layers.Conv2D(5, 1, name=name)(x), (-1, 16 * 18, 5)) for name in "qkv")
    return ops.mean(ops.softmax(q @ ops.transpose(k, (0, 2, 1))) @ v, axis=1)


HEADS = {
    "two poolings": lambda x: [average(x), layers.GlobalMaxPooling2D()(x)],
    "a pyramid of poolings": lambda x: [layers.Flatten()(layers.AveragePooling2D(n)(x)) for n in (2, 8)],
    "attention of cells": lambda x: [attended(x), average(x)],
    "query, key and value": lambda x: [by_attention(x), average(x)],
    "a gate by what is pooled": lambda x: [average(x) * layers.Dense(5, "sigmoid")(average(x))] * 2,
    "1 x 1 branches": lambda x: [average(layers.Conv2D(2, 1)(x)), average(layers.Conv2D(3, 1)(x))],
}


@pytest.mark.parametrize("head", HEADS)
def test_what_only_weighs_or_pools_a_map_does_not_take_its_place(head):
    keras.utils.set_random_seed(0)
    image = keras.Input((18, 20, 1))
    x = layers.Conv2D(5, 3, activation="relu", name="cells")(image)
    found = xaimri.explain(scored(image, HEADS[head](x)), evidence()[:18, :20])
    assert found.diagnostics["layer"] == "cells"
    assert found.diagnostics["why"].endswith("through which everything flows to the output")


def test_a_layer_beside_a_shortcut_is_said_to_carry_a_part_and_the_block_is_not():
    keras.utils.set_random_seed(0)
    image = keras.Input((18, 20, 1))
    x = layers.Conv2D(5, 3, activation="relu", name="before")(image)
    y = layers.Conv2D(5, 3, padding="same", name="beside")(x)
    model = scored(image, [average(layers.Add(name="block")([x, y]))] * 2)
    for layer, partial in (("beside", True), ("block", False), ("before", False)):
        found = xaimri.explain(model, evidence()[:18, :20], layer=layer, relu=False)
        said = [c.text for c in found.caveats if c.reason is Reason.PARTIAL_WAY]
        assert bool(said) == partial
        assert not partial or "'before'" in said[0]


@pytest.mark.parametrize("fine", [True, False])
def test_the_finer_layers_of_coarse_joined_maps_lie_on_both_ways(fine):
    """None is named where the cells are not few."""
    keras.utils.set_random_seed(0)
    image = keras.Input((24, 28, 1))
    stem = layers.Conv2D(2, 3, padding="same", name="stem")(image)
    ways = []
    for name in "ab":
        x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name=f"{name}_fine")(stem)
        x = layers.Conv2D(3, 3, strides=8 if fine else 1, padding="same", name=f"{name}_last")(x)
        ways.append(average(x))
    found = xaimri.explain(scored(image, ways), evidence()[:24, :28], relu=False)
    said = [c.text for c in found.caveats if c.reason is Reason.COARSE_CELLS]
    assert bool(said) == fine
    assert not fine or 'layer="a_fine + b_fine"' in said[0] or 'layer="b_fine + a_fine"' in said[0]


def convolutional_head(window, cells=8, **settings):
    """A map of so many cells a side, and a dense head that is written as convolutions, as VGG's."""
    image = keras.Input((2 * cells, 2 * cells, 1))
    x = layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="backbone")(image)
    x = layers.Conv2D(6, window, activation="relu", name="first", **settings)(x)
    x = layers.Conv2D(6, 1, activation="relu", name="second")(layers.Dropout(0.5, name="dropout")(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(2, "softmax")(x))


@pytest.mark.parametrize(
    ("settings", "opened"),
    [
        ({"window": 7}, "backbone"),  # 2 x 2 cells are left of 8 x 8
        ({"window": 5}, "backbone"),
        ({"window": 4}, "second"),  # half of it: a convolution among others
        ({"window": 7, "padding": "same"}, "second"),
        ({"window": 7, "cells": 16}, "second"),  # slid over a large image, it makes a map of its own
        ({"window": 3, "dilation_rate": 3}, "backbone"),  # sees 7 x 7
        ({"window": (7, 1)}, "second"),
    ],
)
def test_a_dense_head_written_as_convolutions_is_no_map(settings, opened):
    model = convolutional_head(**settings)
    side = model.input_shape[1]
    image = np.random.default_rng(0).uniform(size=(side, side, 1)).astype(np.float32)
    found = xaimri.explain(model, image)
    assert found.diagnostics["layer"] == opened
    if opened == "backbone":
        assert tuple(found.diagnostics["cells"]) == (8, 8)
        assert xaimri.explain(model, image, layer="second").diagnostics["layer"] == "second"

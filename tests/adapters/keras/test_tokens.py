"""Class activation maps of transformers: which tokens are opened, and known answers."""

from functools import cache

import numpy as np
import pytest

import tasks
import xaimri
from frameworks import on_first_use
from xaimri.caveats import Reason
from xaimri.objective import Objective

with on_first_use():
    import keras
    import keras_hub
    from keras import layers, ops

    from xaimri.adapters.keras import KerasClassifier, clear_cache

pytestmark = pytest.mark.tensorflow

SPACE, PATCH = (24, 40), 8
CELLS = (3, 5)
CAMS = ["gradcam", "gradcam++", "hirescam", "layercam", "eigencam", "scorecam"]


@pytest.fixture(autouse=True)
def forget():
    yield
    clear_cache()
    keras.backend.clear_session()


def image(seed=0, space=SPACE, channels=1):
    return np.random.default_rng(seed).uniform(0.2, 1, (*space, channels)).astype(np.float32)


def patches(x, features=6, **options):
    x = layers.Conv2D(features, PATCH, strides=PATCH, name="patches", **options)(x)
    return layers.Reshape((-1, features))(x)


@cache
def extra_class():
    """Make a layer of the network's own tokens before and behind those of the image, and of positions."""

    class Extra(layers.Layer):
        def __init__(self, before, behind=0, positions=True, **options):
            super().__init__(**options)
            self.before, self.behind, self.positions = before, behind, positions

        def build(self, shape):
            count = self.before + shape[1] + self.behind
            sizes = {"first": self.before, "last": self.behind, "position": count}
            for name, n in sizes.items():
                weight = self.add_weight(shape=(1, n, shape[-1]), initializer="random_normal", name=name)
                setattr(self, name, weight)

        def call(self, x):
            first, last = (ops.tile(t, (ops.shape(x)[0], 1, 1)) for t in (self.first, self.last))
            return ops.concatenate([first, x, last], axis=1) + self.position * self.positions

    return Extra


def with_extra(before, behind=0, **options):
    return extra_class()(before, behind, name="extra", **options)


def block(x, name, units=6):
    y = layers.LayerNormalization(name=f"{name}_norm1")(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, units, name=f"{name}_attention")(y, y)])
    y = layers.LayerNormalization(name=f"{name}_norm2")(x)
    y = layers.Dense(units)(layers.Dense(2 * units, "gelu")(y))
    return layers.Add(name=name)([x, y])


def transformer(read, before=0, behind=0, blocks=2, space=SPACE):
    """A small vision transformer; `read` makes features of its normalised tokens."""
    keras.utils.set_random_seed(0)
    given = keras.Input((*space, 1))
    x = with_extra(before, behind)(patches(given))
    for number in range(blocks):
        x = block(x, f"block{number + 1}")
    x = layers.LayerNormalization(name="norm")(x)
    return keras.Model(given, layers.Dense(3, "softmax", bias_initializer="ones")(read(x)))


def mean(x):
    return ops.mean(x, axis=1)


def names(explanation):
    return {c.name for c in explanation.caveats}


def copying(cell):
    """A transformer whose class token reads one patch, and whose score is that patch's mean."""
    count = int(np.prod(CELLS)) + 1
    given = keras.Input((*SPACE, 1))
    x = layers.Conv2D(1, PATCH, strides=PATCH, kernel_initializer=keras.initializers.Constant(1 / PATCH**2))(
        given
    )
    x = layers.Reshape((-1, 1))(x)
    extra = with_extra(1, positions=False)
    x = extra(x)
    place = layers.Lambda(lambda x: ops.tile(ops.eye(count)[None], (ops.shape(x)[0], 1, 1)))(x)
    x = layers.Concatenate(name="tokens")([x, place])
    attention = layers.MultiHeadAttention(1, count, value_dim=1, output_shape=1)
    head = layers.Dense(2)
    model = keras.Model(given, head(attention(x, x)[:, 0]))
    at = 1 + np.ravel_multi_index(cell, CELLS)
    width = 1 + count
    attention._query_dense.set_weights([np.zeros((width, 1, count)), 200.0 * np.eye(count)[at][None]])
    attention._key_dense.set_weights([np.eye(width)[:, None, 1:], np.zeros((1, count))])
    attention._value_dense.set_weights([np.eye(width)[:, None, :1], np.zeros((1, 1))])
    attention._output_dense.set_weights([np.ones((1, 1, 1)), np.zeros(1)])
    extra.set_weights([w * 0 for w in extra.get_weights()])
    head.set_weights([np.array([[0.0, 1.0]]), np.array([0.5, 0.0])])
    return model


@pytest.mark.parametrize("cell", [(0, 0), (1, 3)])
def test_a_class_token_that_reads_one_patch_has_its_heat_there_alone(cell):
    model, picture = copying(cell), image()
    pixels = tuple(slice(PATCH * c, PATCH * (c + 1)) for c in cell)
    score = picture[pixels].mean()
    maps = KerasClassifier(model, outputs="logits").feature_maps(picture[None], Objective((1,)))
    assert maps.values.shape[:-1] == maps.gradients.shape[:-1] == (1, *CELLS)
    own = (maps.values * maps.gradients).sum(axis=-1)[0]
    truth = np.zeros(CELLS)
    truth[cell] = score
    np.testing.assert_allclose(own, truth, atol=1e-4)
    for method in ("gradcam", "hirescam", "layercam"):
        found = xaimri.explain(model, picture, method, target=1, outputs="logits")
        assert found.diagnostics["cells"] == (3, 5)
        assert found.diagnostics["layer"] == "tokens"
        assert "attention_mixes" not in names(found)  # none comes before
        top = np.unravel_index(found.values.argmax(), SPACE)
        if method != "gradcam":  # whose weight is a mean over the cells
            assert all(s.start <= t < s.stop for s, t in zip(pixels, top, strict=True))
    hidden = xaimri.explain(
        model, picture, xaimri.Occlusion(window=PATCH, stride=PATCH, absent=0.0), target=1, outputs="logits"
    )
    assert all(
        s.start <= t < s.stop
        for s, t in zip(pixels, np.unravel_index(hidden.values.argmax(), SPACE), strict=True)
    )


def test_the_cells_of_pooled_tokens_add_up_to_the_logit_less_its_bias():
    model, picture = transformer(mean), image()
    found = xaimri.explain(model, picture, "hirescam", target=2)
    assert found.diagnostics["layer"] == "norm"
    assert "everything flows" in found.diagnostics["why"]
    total = found.diagnostics["positive"] + found.diagnostics["negative"]
    assert total == pytest.approx(float(found.logits[2]) - 1.0, abs=1e-4)
    assert names(found) == {"attention_mixes", "coarse_cells"}
    again = xaimri.explain(model, picture, "gradcam", target=2, relu=False)
    np.testing.assert_allclose(again.values, found.values, atol=1e-6)


READS = {
    "class token taken": (lambda x: ops.take(x, 0, axis=1), 1, 0),
    "class and distillation token": (lambda x: layers.Average()([x[:, 0], x[:, 1]]), 2, 0),
    "class token and registers": (lambda x: x[:, 0], 1, 4),
    "class token behind, split off": (lambda x: ops.split(x, [15], axis=1)[1][:, 0], 0, 1),
}


@pytest.mark.parametrize("case", READS)
def test_what_a_class_token_reads_is_opened_before_it_reads(case):
    """Behind the last block the tokens of the image have no gradient; before it, they are normalised."""
    read, before, behind = READS[case]
    model = transformer(read, before, behind)
    found = xaimri.explain(model, image(), "hirescam")
    assert found.diagnostics["layer"] == "block2_norm1"
    assert found.diagnostics["why"] == "the last tokens before they are read out"
    assert found.diagnostics["cells"] == CELLS
    grid = found.diagnostics["grid"]
    assert (list(grid["start"]), list(grid["step"]), grid["assumed"]) == ([3.5, 3.5], [8, 8], False)
    assert np.abs(found.values).max() > 1e-4
    (doubt,) = [c.text for c in found.caveats if c.name == "attention_mixes"]
    assert f"what {before + behind} of the tokens" in doubt


@pytest.mark.parametrize("case", ["a patch reads", "class token and mean", "one block"])
def test_other_ways_of_reading(case):
    read, before, blocks, layer = {
        "a patch reads": (lambda x: x[:, 0], 0, 2, "block2_norm1"),
        "class token and mean": (lambda x: layers.Concatenate()([x[:, 0], mean(x[:, 1:])]), 1, 2, "norm"),
        "one block": (lambda x: x[:, 0], 1, 1, "block1_norm1"),
    }[case]
    found = xaimri.explain(transformer(read, before, 0, blocks), image(), "hirescam")
    assert found.diagnostics["layer"] == layer
    assert ("attention_mixes" in names(found)) == (case != "one block")
    assert np.abs(found.values).max() > 1e-4


def test_all_maps_open_tokens_of_a_batch_as_of_each_alone():
    model = transformer(lambda x: x[:, 0], 1, 2)
    images = [image(seed) for seed in range(3)]
    together = KerasClassifier(model).feature_maps(np.stack(images), Objective((0, 1, 2)))
    for number, picture in enumerate(images):
        alone = KerasClassifier(model).feature_maps(picture[None], Objective((number,)))
        np.testing.assert_allclose(together.values[number], alone.values[0], atol=1e-5)
        np.testing.assert_allclose(together.gradients[number], alone.gradients[0], atol=1e-6)
    for method in CAMS:
        found = xaimri.explain(model, images[0], method)
        assert found.values.shape == SPACE
        assert np.isfinite(found.values).all()
        assert found.diagnostics["layer"] == "block2_norm1"


def test_tokens_that_nothing_reads_have_no_gradient():
    model = transformer(lambda x: x[:, 0], 1)
    dead = xaimri.explain(model, image(), "hirescam", layer="block2")
    assert "degenerate_gradient" in names(dead)
    assert not dead.values.any()


def test_tokens_are_opened_by_name():
    model = transformer(mean, 1)
    for layer in ("block1_norm1", "block1_attention/query", "extra", "block2"):
        found = xaimri.explain(model, image(), "hirescam", layer=layer, target=0)
        assert found.diagnostics["cells"] == CELLS
        assert not found.diagnostics["grid"]["assumed"]
        assert ("partial_way" in names(found)) == (layer not in ("extra", "block2")), layer
    patches = xaimri.explain(model, image(), "hirescam", layer="patches")
    assert "attention_mixes" not in names(patches)


def test_patches_that_leave_a_rest_and_registers_lie_where_they_are():
    model = transformer(lambda x: x[:, 0], 1, 3, space=(29, 45))
    found = xaimri.explain(model, image(space=(29, 45)))
    assert found.diagnostics["cells"] == (3, 5)
    assert list(found.diagnostics["grid"]["start"]) == [3.5, 3.5]


def test_tokens_of_a_volume():
    keras.utils.set_random_seed(0)
    given = keras.Input((8, 16, 24, 1))
    x = layers.Conv3D(6, (4, 8, 4), strides=(4, 8, 4))(given)
    x = block(with_extra(1)(layers.Reshape((-1, 6))(x)), "block1")
    model = keras.Model(given, layers.Dense(2, "softmax")(x[:, 0]))
    found = xaimri.explain(model, image(space=(8, 16, 24)), "hirescam")
    assert found.diagnostics["cells"] == (2, 2, 6)
    assert list(found.diagnostics["grid"]["start"]) == [1.5, 3.5, 1.5]


def test_patches_that_nothing_mixes_are_maps_without_a_caveat():
    keras.utils.set_random_seed(0)
    given = keras.Input((*SPACE, 1))
    x = layers.Dense(5, "relu", name="worked")(patches(given))
    model = keras.Model(given, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(x)))
    found = xaimri.explain(model, image())
    assert found.diagnostics["layer"] == "worked"
    assert found.diagnostics["cells"] == CELLS
    assert "attention_mixes" not in names(found)


def mobile():
    """Convolutions, attention over every second pixel of either axis, and a convolution of both."""
    given = keras.Input((16, 24, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="silu")(given)
    t = ops.transpose(ops.reshape(x, (-1, 4, 2, 6, 2, 8)), (0, 2, 4, 1, 3, 5))
    t = ops.reshape(t, (-1, 4, 24, 8))
    t = t + layers.MultiHeadAttention(2, 4, attention_axes=2)(t, t)
    t = ops.transpose(ops.reshape(t, (-1, 2, 2, 4, 6, 8)), (0, 3, 1, 4, 2, 5))
    x = layers.Concatenate()([x, layers.Conv2D(8, 1, activation="silu")(ops.reshape(t, (-1, 8, 12, 8)))])
    x = layers.Conv2D(8, 3, padding="same", activation="silu", name="both")(x)
    return given, layers.GlobalAveragePooling2D()(x)


def pooled_stages():
    """Convolutions, attention, a pooling of the tokens, and attention again; residuals that no layer adds."""
    given = keras.Input((16, 24, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="gelu")(given)
    t = layers.Reshape((96, 8))(x)
    t = layers.Reshape((8, 12, 8))(t + layers.MultiHeadAttention(2, 4)(t, t))
    t = layers.Reshape((24, 8))(layers.AveragePooling2D(2)(t))
    return given, mean(t + layers.MultiHeadAttention(2, 4)(t, t))


def probe():
    """A query of the network's own that reads the tokens."""
    given = keras.Input((16, 24, 1))
    t = layers.Reshape((24, 8))(layers.Conv2D(8, 4, strides=4)(given))
    t = layers.LayerNormalization(name="last")(t + layers.MultiHeadAttention(2, 4)(t, t))
    query = layers.Dense(8)(layers.Lambda(lambda x: ops.ones_like(x[:, :1]))(t))
    return given, layers.MultiHeadAttention(2, 4)(query, t)[:, 0]


HYBRIDS = {
    mobile: ("both", (8, 12), 1.0, 2.0),
    pooled_stages: ("Add", (4, 6), 2.0, 4.0),
    probe: ("last", (4, 6), 1.5, 4.0),
}


@pytest.mark.parametrize("make", HYBRIDS)
def test_hybrids_and_other_readers_open_the_last_cells(make):
    keras.utils.set_random_seed(0)
    layer, cells, start, step = HYBRIDS[make]
    given, features = make()
    model = keras.Model(given, layers.Dense(2, "softmax")(features))
    found = xaimri.explain(model, image(space=(16, 24)), "hirescam", target=0)
    assert layer in found.diagnostics["layer"]
    assert found.diagnostics["cells"] == cells
    grid = found.diagnostics["grid"]
    assert (*grid["start"], *grid["step"], grid["assumed"]) == (start, start, step, step, False)
    assert "attention_mixes" in names(found)
    again = xaimri.explain(
        model, image(space=(16, 24)), "hirescam", target=0, layer=found.diagnostics["layer"]
    )
    np.testing.assert_allclose(again.values, found.values, atol=1e-6)


def side_by_side():
    given = keras.Input((*SPACE, 1))
    ends = []
    for size in (4, 8):
        x = layers.Reshape((-1, 6))(layers.Conv2D(6, size, strides=size)(given))
        ends.append(mean(block(x, f"of{size}")))
    return keras.Model(given, layers.Dense(2, "softmax")(layers.Concatenate()(ends)))


def sorted_tokens():
    given = keras.Input((*SPACE, 1))
    x = patches(given)
    x = ops.take_along_axis(x, ops.argsort(x[..., :1], axis=1), axis=1)
    return keras.Model(given, layers.Dense(2, "softmax")(mean(block(x, "block1"))))


def test_what_has_no_tokens_that_carry_everything_is_refused_in_one_sentence():
    with pytest.raises(xaimri.errors.MissingCapability, match="no layer's tokens carry everything"):
        xaimri.explain(side_by_side(), image())


def test_tokens_are_opened_before_they_lose_their_place():
    found = xaimri.explain(sorted_tokens(), image(), "hirescam")
    assert found.diagnostics["layer"].startswith("reshape")
    assert found.diagnostics["cells"] == CELLS
    assert not found.diagnostics["grid"]["assumed"]


HUB = {
    "ViT": ("transformer_block_2/ln_1", (6, 8), (3.5, 8)),
    "ViT, pooled": ("vit_encoder/ln", (6, 8), (3.5, 8)),
    "DeiT": ("transformer_block_2/ln_1", (6, 8), (3.5, 8)),
    "Swin": ("norm", (6, 8), (3.5, 8)),
    "MiT": ("output_level_1", (6, 6), (0, 8)),
}


def hub(name):
    """A small classifier of KerasHub with random weights."""
    models = keras_hub.models
    size = {"image_shape": (48, 64, 3)}
    vit = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, **size}
    keras.utils.set_random_seed(0)
    if name.startswith("ViT"):
        pooling = "gap" if "pooled" in name else "token"
        base = models.ViTBackbone(mlp_dim=16, use_class_token=pooling == "token", **vit)
        return models.ViTImageClassifier(base, 3, pooling=pooling)
    if name == "DeiT":
        return models.DeiTImageClassifier(models.DeiTBackbone(intermediate_dim=16, **vit), 3)
    if name == "Swin":
        base = models.SwinTransformerBackbone(
            embed_dim=4, depths=(2, 2), num_heads=(1, 2), window_size=4, patch_size=4, **size
        )
        return models.SwinTransformerImageClassifier(base, 3)
    base = models.MiTBackbone(
        image_shape=(48, 48, 3),
        layerwise_depths=[1, 1],
        num_layers=2,
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        hidden_dims=[8, 16],
    )
    return models.MiTImageClassifier(base, 3)


@tasks.MISSING
@pytest.mark.filterwarnings("ignore:Layer 'attn':UserWarning")
@pytest.mark.parametrize("name", HUB)
def test_a_transformer_of_kerashub_gives_a_map_in_its_place(name):
    """With attention switched off, what a patch changes lies at that patch."""
    layer, cells, (start, step) = HUB[name]
    model = hub(name)
    space = model.input_shape[1:3]
    picture = image(space=space, channels=3)
    found = xaimri.explain(model, picture, relu=False, outputs="logits")
    assert found.diagnostics["layer"].endswith(layer)
    assert found.diagnostics["cells"] == cells
    grid = found.diagnostics["grid"]
    assert (*grid["start"], *grid["step"]) == (start, start, step, step)
    assert not grid["assumed"]
    assert Reason.ATTENTION_MIXES in {c.reason for c in found.caveats}
    assert np.abs(found.values).max() > 0
    for weight in model.weights:
        if any(part in weight.path for part in ("attention_output", "attention_projection")):
            weight.assign(weight * 0)
    if name == "MiT":
        return  # it convolves its tokens
    place = (2, 5)
    changed = picture.copy()
    changed[tuple(slice(8 * c, 8 * c + 8) for c in place)] = 0
    classifier = KerasClassifier(model, outputs="logits")
    maps = classifier.feature_maps(np.stack([picture, changed]), Objective((0, 0)))
    difference = np.abs(maps.values[1] - maps.values[0]).sum(axis=-1)
    assert set(zip(*np.nonzero(difference > 1e-5), strict=True)) == {place}

"""A small 3-D network: what it is made of, and the whole way from volumes to maps."""

from __future__ import annotations

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training import Augmentation, build_cnn3d, save, train

pytestmark = pytest.mark.tensorflow

SIZE = (8, 12, 10)


@pytest.fixture(scope="module")
def network():
    return build_cnn3d(["dark", "bright"], size=SIZE, filters=(4, 6), seed=3)


def test_what_it_is_made_of(network):
    assert network.input_shape == (None, *SIZE, 1)
    assert network.get_layer("cells").output.shape == (None, 4, 6, 5, 6)
    assert network.output_shape == (None, 2)
    weights = 27 * (1 * 4 + 4 * 6 + 6 * 6) + 4 * (4 + 6 + 6) + 6 * 2 + 2
    assert network.count_params() == weights
    inner = keras.Model(network.input, network.get_layer("prepare").output)
    volume = np.full((1, *SIZE, 1), 51.0, np.float32)
    np.testing.assert_allclose(np.asarray(inner(volume)), 0.2, atol=1e-7)


def test_the_seed_alone_fixes_every_weight(network):
    keras.utils.set_random_seed(9)
    again = build_cnn3d(2, size=SIZE, filters=(4, 6), seed=3)
    other = build_cnn3d(2, size=SIZE, filters=(4, 6), seed=4)
    for one, two in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    pairs = zip(network.weights, other.weights, strict=True)
    equal = [np.array_equal(one, two) for one, two in pairs if one.path.endswith("kernel")]
    assert equal == [False] * 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"classes": 1}, "at least 2 distinct names"),
        ({"size": (16, 16)}, r"three sides, each at least 4 voxels for 2 blocks, got \(16, 16\)"),
        ({"size": (3, 16, 16)}, "each at least 4 voxels"),
        ({"size": (4.5, 16, 16)}, r"`size\[0\]`"),
        ({"filters": (8,)}, "at least 2 blocks"),
        ({"filters": (8, 0)}, r"`filters\[1\]`"),
        ({"dropout": 1.0}, "`dropout`"),
        ({"scale": 0}, "`scale`"),
        ({"channels": 0}, "`channels`"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        build_cnn3d(**{"classes": 2, "size": SIZE, "filters": (4, 6), **arguments})


def volumes(number: int) -> tuple[Dataset, np.ndarray]:
    """Return noise, in every second volume with a bright block; and where the block is."""
    generator = np.random.default_rng(1)
    block = np.zeros(SIZE, bool)
    block[2:5, 3:7, 5:9] = True
    made = [generator.uniform(20, 60, SIZE) + 120 * (block & bool(i % 2)) for i in range(number)]
    cases = [Case(f"{i}", i % 2, f"{i}", made[i].astype(np.float32)) for i in range(number)]
    return Dataset(("dark", "bright"), tuple(cases)), block


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train on volumes, save the bundle, and open it again."""
    data, block = volumes(40)
    model = build_cnn3d(data.classes, size=SIZE, filters=(4, 6), seed=0)
    settings = {"epochs": 6, "batch": 8, "learning_rate": 3e-3, "progress": False}
    recipe = train(model, (data[:24], data[24:32]), **settings).recipe
    assert recipe.augment == Augmentation(0.0, 0.0, 0.0, flip=False)  # what was done, not what was not
    folder = tmp_path_factory.mktemp("bundles") / "volumes"
    save(folder, model, data.classes)
    return xaimri.open_model(folder), data[32:], block


def test_a_trained_one_is_right_on_new_volumes(trained):
    model, new, _ = trained
    assert (model.predict(new).argmax(axis=1) == new.labels).all()


@pytest.mark.parametrize(
    "method",
    [
        xaimri.GradCAM(),
        xaimri.HiResCAM(),
        xaimri.LIME(samples=150, regions=30),
        xaimri.SHAP(samples=150, regions=30),
    ],
    ids=lambda method: method.name,
)
def test_its_maps_lie_on_the_block(trained, method):
    """More of the relevance lies in the block than the 4 % of the volume that it takes."""
    model, new, block = trained
    found = model.explain(new[1].source, method, target="bright", of="logit")
    assert found.values.shape == SIZE
    assert np.isfinite(found.values).all()
    assert xaimri.metrics.relevance_mass(found, block) > 3 * block.mean()

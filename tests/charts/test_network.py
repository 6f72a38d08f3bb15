"""A drawing of a network: a slab for every block, coloured by what learns, and the explained layer marked."""

from types import SimpleNamespace

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon

from xaimri.charts import network_diagram
from xaimri.charts.stages import stages_of
from xaimri.errors import InvalidInput


def layer(name, shape=(8, 8, 4), trainable=True, weights=True, layers=()):
    own = {"layers": list(layers)} if layers else {}
    arrays = [SimpleNamespace(shape=(3, 5))] if weights else []
    output = SimpleNamespace(shape=(None, *shape))
    return SimpleNamespace(name=name, output=output, trainable=trainable, weights=arrays, **own)


@pytest.fixture
def model():
    """Two blocks of a nested network, the first of which is frozen, and a head."""
    inner = [layer(f"conv{n}_block1_{k}", trainable=n == 2) for n in (1, 2) for k in ("conv", "out")]
    return SimpleNamespace(
        layers=[
            layer("rescaling", weights=False),
            layer("backbone", layers=inner),
            layer("dense", (3,)),
        ]
    )


def slabs(figure):
    """The colour of every slab's front."""
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Polygon)]
    return [to_hex(patch.get_facecolor()) for patch in patches[2::3]]


def test_stages_are_blocks_of_names_with_what_learns_of_them(model):
    stages = list(stages_of(model))
    assert [stage.name for stage in stages] == ["rescaling", "conv1", "conv2", "dense"]
    assert [stage.nested for stage in stages] == [None, "backbone", "backbone", None]
    states = [[block.state for block in stage.blocks] for stage in stages]
    assert states == [["without weights"], ["frozen"], ["trained"], ["trained"]]
    assert stages[1].blocks[0].names == ("conv1_block1_conv", "conv1_block1_out")


def test_each_block_is_a_slab_of_its_state_and_the_explained_layer_is_named(model):
    figure = network_diagram(model, "backbone/conv2_block1_out")
    none, frozen, *trained = slabs(figure)
    assert len({none, frozen, *trained}) == 3
    assert trained[0] == trained[1]
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "explained: conv2_block1_out" in words
    assert "backbone" in words
    assert "8 × 8 × 4" in words
    assert "75 weights, 45 in layers that are trained" in words


def test_a_layer_that_is_not_there_is_one_sentence(model):
    with pytest.raises(InvalidInput, match="the network has no layer `conv9`"):
        network_diagram(model, "conv9")
    with pytest.raises(InvalidInput, match="the network has no layers to draw"):
        network_diagram(SimpleNamespace(layers=[]))

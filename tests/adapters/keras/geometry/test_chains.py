"""Where the cells of any chain of layers lie, against impulses sent through it."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from frameworks import on_first_use

with on_first_use():
    import tensorflow as tf
    from keras import layers

    from xaimri.adapters.keras.geometry.lattice import grid_of

pytestmark = pytest.mark.tensorflow

LINEAR = ["Conv", "Conv", "DepthwiseConv", "AveragePooling", "Pad", "Crop"]
PER_AXIS = st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(0, 2))
"""Kernel, stride (or dilation), and what is padded or cropped."""


@st.composite
def chains(draw):
    """Sizes, and one to four layers of ones; a maximum comes first, where it is as good as a sum."""
    axes = draw(st.sampled_from([2, 2, 3]))
    low, high = (14, 23) if axes == 2 else (8, 11)
    space = tuple(draw(st.integers(low, high)) for _ in range(axes))
    kinds = [draw(st.sampled_from([*LINEAR, "MaxPooling"]))]
    kinds += draw(st.lists(st.sampled_from(LINEAR), max_size=3))
    each = st.lists(PER_AXIS, min_size=axes, max_size=axes)
    return space, [(kind, draw(each), draw(st.booleans()), draw(st.booleans())) for kind in kinds]


def built(kind, each, same, dilate):
    """The layer, and how many pixels of its input a whole window sums up."""
    axes, (kernel, strides, extra) = len(each), zip(*each, strict=True)
    name = f"{axes}D"
    if kind in ("Pad", "Crop"):
        borders = tuple((s - 1, p) for s, p in zip(strides, extra, strict=True))
        return getattr(layers, ("ZeroPadding" if kind == "Pad" else "Cropping") + name)(borders), 1
    padding = "same" if same and kind != "AveragePooling" else "valid"  # its mean leaves the border out
    if kind.endswith("Pooling"):
        count = int(np.prod(kernel)) if kind == "MaxPooling" else 1
        return getattr(layers, kind + name)(kernel, strides, padding), count
    options = {"padding": padding, "use_bias": False}
    if kind == "DepthwiseConv" and axes == 2:
        how = {"dilation_rate" if dilate else "strides": strides[0]}
        layer = layers.DepthwiseConv2D(kernel, depthwise_initializer="ones", **options, **how)
    else:
        how = {"dilation_rate" if dilate else "strides": strides}
        layer = getattr(layers, "Conv" + name)(1, kernel, kernel_initializer="ones", **options, **how)
    return layer, int(np.prod(kernel))


def answers(space, chain):
    """What every cell answers to an impulse at every pixel, and the lattice's grid."""
    count, found = int(np.prod(space)), []

    def run(images):
        cells = images
        for layer in chain:
            cells = layer(cells)
        found.append(grid_of(cells, images))
        return cells

    impulses = np.eye(count, dtype=np.float32).reshape(-1, *space, 1)
    cells = tf.function(run, autograph=False)(impulses)
    return cells.numpy().reshape(count, -1), found[0]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(chains())
def test_cells_of_any_chain_lie_where_impulses_say(drawn):
    space, specs = drawn
    parts = [built(*spec) for spec in specs]
    size = space
    for layer, _ in parts:
        try:
            size = layer.compute_output_shape((None, *size, 1))[1:-1]
        except ValueError:
            size = (0,)
        assume(min(size) > 0)
    seen, grid = answers(space, [layer for layer, _ in parts])
    total = seen.sum(axis=0)
    whole = np.isclose(total, np.prod([count for _, count in parts]), rtol=1e-4)  # of no window cut off
    assume(whole.any())
    assert not grid.assumed
    assert grid.cells == size
    cells = np.indices(size).reshape(len(space), -1)
    placed = np.array(grid.start)[:, None] + np.array(grid.step)[:, None] * cells
    centres = np.indices(space).reshape(len(space), -1) @ seen / np.maximum(total, 1e-9)
    assert np.abs(placed - centres)[:, whole].max() < 1e-3

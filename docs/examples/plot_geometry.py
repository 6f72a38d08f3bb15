"""
Where the cells lie
===================

A class activation map has a value per cell of a coarse lattice. Where do these cells lie on the
image? The usual answer, "spread evenly, as resizing does", is wrong for most networks. In a
ResNet50 it moves the map by 15.5 pixels to the lower right.
"""

# %%
# Two places for the same cell
# ----------------------------
#
# The last block of a ResNet50 has 7 x 7 cells at 224 pixels. Its padding and strides put the centre
# of cell ``i`` at pixel ``32 * i``. Resizing the 7 x 7 map to 224 x 224 puts it at ``32 * i +
# 15.5``.
#
# :class:`~xaimri.grid.Grid` says where cells lie. The network's own lattice is read from the
# operations that lead to the layer:
import keras
import numpy as np

import xaimri
from xaimri.objective import Objective
from xaimri.grid import Grid


def classifier(backbone, side):
    """Put global pooling and a dense layer of ones on a backbone: the logit is the sum of its last maps."""
    network = backbone(weights=None, include_top=False, input_shape=(side, side, 3))
    head = keras.layers.Dense(1, activation="sigmoid", kernel_initializer="ones")
    model = keras.Sequential([network, keras.layers.GlobalAveragePooling2D(), head])
    return xaimri.KerasClassifier(model, classes=("no", "yes"))


resnet = classifier(keras.applications.ResNet50, 224)
traced = resnet.feature_maps(np.zeros((1, 224, 224, 3), np.float32), Objective()).grid
resized = Grid.resized((224, 224), traced.cells)
print("traced: ", traced)
print("resized:", resized)

# %%
# Where 224 pixels span 176 mm, 15.5 of them are 12 mm: about the width of a hippocampus. The first
# row and column of cells lie on the border of the image, half outside, since ResNet50 pads before
# it strides.
from matplotlib.figure import Figure

from xaimri.data import phantom

(case,) = phantom.make(subjects=1, slices=1, size=(224, 224), seed=1)


def draw_cells(axes, grid, colour, title):
    """Dot every cell's centre on the slice, and outline what one of them is taken to stand for."""
    axes.imshow(case.source, cmap="gray")
    rows, columns = (a + s * np.arange(n) for a, s, n in zip(grid.start, grid.step, grid.cells))
    axes.plot(
        *[p.ravel() for p in np.meshgrid(columns, rows)], "o", color=colour, markersize=4, clip_on=False
    )
    corner = columns[4] - 16, rows[3] - 16
    axes.add_patch(Rectangle(corner, 32, 32, fill=False, edgecolor=colour, linewidth=2))
    axes.set_title(title, fontsize=9)
    axes.set(xlim=(-0.5, 223.5), ylim=(223.5, -0.5), xticks=[], yticks=[])


from matplotlib.patches import Rectangle

figure = Figure(figsize=(7.2, 3.8), layout="constrained")
left, right = figure.subplots(1, 2)
draw_cells(left, traced, "#e69f00", "where the network put them: 32 i")
draw_cells(right, resized, "#56b4e9", "where resizing puts them: 32 i + 15.5")
figure

# %%
# Ask the network
# ---------------
#
# No need to trust the arithmetic. Change a small patch of an image and look where the last maps
# change. We do it at five places of a 320-pixel image, with random weights: geometry does not
# depend on what was learned.
side, places = 320, np.arange(96, 225, 32)
network = classifier(keras.applications.ResNet50, side)
generator = np.random.default_rng(0)
batch = np.repeat(generator.normal(0, 30, (1, side, side, 3)), len(places) + 1, axis=0).astype(np.float32)
for image, place in zip(batch[1:], places):
    image[place - 4 : place + 4, place - 4 : place + 4] = generator.normal(0, 30, (8, 8, 3))

maps = network.feature_maps(batch, Objective())
change = np.abs(maps.values[1:] - maps.values[:1]).sum(axis=-1).mean(axis=2)
cells = np.arange(change.shape[1])
centre = (change * cells).sum(axis=1) / change.sum(axis=1)
wrong = Grid.resized((side, side), maps.grid.cells)
placed = {
    name: grid.start[0] + grid.step[0] * centre for name, grid in (("traced", maps.grid), ("resized", wrong))
}
print("patch at      ", (places - 0.5).round(1))
print("centre, cells ", centre.round(2))
for name, pixels in placed.items():
    print(f"{name:14s}", pixels.round(1), "off by", (pixels - places + 0.5).mean().round(1), "on average")

# %%
# The change is centred where the traced grid says. With half-pixel resizing every patch seems to
# lie half a cell further down and to the right.
figure = Figure(figsize=(5.2, 3.6), layout="constrained")
axes = figure.subplots()
axes.plot([80, 240], [80, 240], color="0.7", linewidth=1, label="the patch itself")
for (name, pixels), colour, marker in zip(placed.items(), ("#e69f00", "#56b4e9"), "os"):
    axes.plot(places - 0.5, pixels, marker, color=colour, label=f"{name} grid", markersize=6)
axes.set(xlabel="patch, pixel", ylabel="centre of the change, pixel")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, fontsize=8)
figure

# %%
# What it does to a map
# ---------------------
#
# The change of the third patch, laid out by both grids. The cross marks the patch itself.
from xaimri.render.colour import sequential

figure = Figure(figsize=(7.2, 3.8), layout="constrained")
cells_changed = np.abs(maps.values[3] - maps.values[0]).sum(axis=-1)
for axes, (name, grid) in zip(figure.subplots(1, 2), (("traced", maps.grid), ("resized", wrong))):
    axes.imshow(batch[3].mean(axis=-1), cmap="gray", vmin=-200, vmax=200)
    axes.imshow(grid.resample(cells_changed), cmap=sequential())
    axes.plot(places[2] - 0.5, places[2] - 0.5, "+", color="white", markersize=14, markeredgewidth=2)
    axes.set_title(f"{name} grid", fontsize=9)
    axes.set_axis_off()
figure

# %%
# Other networks
# --------------
#
# The shift is not the same everywhere: it follows from each network's padding and strides.
# ``spread`` is how far branches disagree that merge on the way.
for backbone, side in (("VGG16", 224), ("InceptionV3", 299), ("MobileNetV2", 224)):
    one = classifier(getattr(keras.applications, backbone), side)
    grid = one.feature_maps(np.zeros((1, side, side, 3), np.float32), Objective()).grid
    shift = grid.start[0] - Grid.resized(grid.space, grid.cells).start[0]
    print(
        f"{backbone:12s} {grid.cells[0]:2d} cells, cell i at {grid.start[0]:5.1f} + {grid.step[0]:.0f} i, "
        f"spread {grid.spread:.1f}; resizing would shift the first cell by {-shift:+.1f} pixels"
    )

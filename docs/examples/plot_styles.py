"""
Pictures of an explanation
==========================

Overlay, contours, superpixels and volumes: what each shows, and when to take it.
"""

# %%
# A model and a slice
# -------------------
#
# Any function of a batch of images is a model. This one compares how bright the two halves of the
# picture are, so its explanation has both signs.
import numpy as np
from matplotlib.figure import Figure

import xaimri
from xaimri.data import phantom

(case,) = phantom.make(subjects=1, slices=1, size=(156, 132), seed=5)
# sphinx_gallery_thumbnail_number = 3


def brighter_half(batch):
    """Probabilities that the right, and that the left half is the brighter one."""
    middle = batch.shape[2] // 2
    surplus = batch[:, :, :middle].mean(axis=(1, 2, 3)) - batch[:, :, middle:].mean(axis=(1, 2, 3))
    left = 1 / (1 + np.exp(-surplus / 10))
    return np.stack([1 - left, left], axis=1)


settings = {"samples": 600, "regions": 60, "absent": 0}
lime = xaimri.explain(
    brighter_half, case.source, "lime", target="left", classes=["right", "left"], **settings
)
lime

# %%
# The default figure of a method that works on regions has two panels: the ten strongest superpixels, and
# their values as a chart. The numbers are the same in both.
#
# Overlay
# -------
#
# Colour is the value, in the unit that the bar names. Zero is pinned and transparent, warm speaks
# for the class and cool against it, and both signs reach equally far. The colours get steadily
# lighter as the value grows, and they stay readable on grey tissue.
lime.figure(style="overlay")

# %%
# Colours of your own, and grey print
# -----------------------------------
#
# ``colours=`` takes the name of a matplotlib colour map, ``limit=`` the value of the strongest colour.
# ``hatch=True`` hatches what speaks against the class: both signs can be told in grey print.
figure = Figure(figsize=(9, 3.9), layout="constrained")
for axes, own in zip(figure.subplots(1, 3), ({"colours": "coolwarm"}, {"limit": 0.05}, {"hatch": True})):
    lime.plot(axes, title=", ".join(f"{name}={value!r}" for name, value in own.items()), **own)
figure

# %%
# Superpixels
# -----------
#
# The strongest ``k`` regions of either sign, with their borders. This is how LIME is usually shown;
# unlike the usual picture it tells for from against.
figure = Figure(figsize=(9, 3.9), layout="constrained")
for axes, k in zip(figure.subplots(1, 3), (3, 5, 12)):
    lime.plot(axes, style="superpixels", k=k, title=f"the {k} strongest")
figure

# %%
# A chart with its errors
# -----------------------
#
# A region's value comes from random samples, so another seed gives another value. Where the method
# tells its standard error, the bars carry 95 % intervals. Regions whose interval holds zero are
# hatched here, and pale in every other picture (``fade=False`` turns that off). The numbers are those
# in the superpixels. The interval is of the sampling alone: it says how far more samples could move
# the value, not whether the network is right. Each holds for one region; of twenty regions that do
# nothing, about one looks certain.
#
# With as few as 80 samples, many regions can't be told from zero.
few = {**settings, "samples": 80, "regions": lime.regions.labels}
rough = xaimri.explain(brighter_half, case.source, "lime", target="left", classes=["right", "left"], **few)
rough.figure(style="chart", k=40)

# %%
# Contours
# --------
#
# Lines at a quarter, a half and three quarters of the strongest value. They leave the tissue itself
# in view, and print well in black and white. They suit smooth maps, such as those of Grad-CAM. Here
# is one of a network made by hand: one filter answers to dark spots in bright surroundings and
# speaks for the class, the other to bright spots in dark surroundings and speaks against it.
import keras


def spot_finder(shape, side, sign):
    """Make a network of two filters for images, or volumes, of this shape; the second counts ``sign``."""
    rank = len(shape) - 1
    place = np.indices((side,) * rank) - side // 2
    distance = np.sqrt((place**2).sum(axis=0))
    rings = [np.exp(-((distance / (side / k)) ** 2) / 2) for k in (4, 8)]
    spot = rings[0] / rings[0].sum() - rings[1] / rings[1].sum()
    filters = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[rank]
    pooled = {2: keras.layers.GlobalAveragePooling2D, 3: keras.layers.GlobalAveragePooling3D}[rank]
    maps = filters(2, side, strides=3, padding="same", activation="relu", name="spots")
    head = keras.layers.Dense(2, activation="softmax")
    layers = [keras.Input(shape), keras.layers.Rescaling(1 / 255), maps, pooled(), head]
    network = keras.Sequential(layers)
    maps.set_weights([np.stack([spot, -spot], axis=-1)[..., None, :], np.full(2, -0.03)])
    head.set_weights([np.array([[-20.0, 20.0], [-20.0 * sign, 20.0 * sign]]), np.zeros(2)])
    return network


model = spot_finder((156, 132, 1), side=21, sign=-1)
gradcam = xaimri.explain(model, case.source, classes=["no", "yes"], target="yes", relu=False)

figure = Figure(figsize=(7.2, 4.2), layout="constrained")
left, right = figure.subplots(1, 2)
gradcam.plot(left, style="overlay", title="overlay")
gradcam.plot(right, style="contours", title="contours")
figure

# %%
# One scale for several maps
# --------------------------
#
# Maps of one method and one unit can be compared, and are drawn on one scale: a weak map then looks
# weak. A :class:`~xaimri.Comparison` does so by itself. Here the second filter speaks against the
# class, not at all, and for it.
from xaimri.render import Comparison

networks = [spot_finder((156, 132, 1), side=21, sign=sign) for sign in (-1, 0, 1)]
Comparison(
    xaimri.explain(network, case.source, classes=["no", "yes"], target="yes", relu=False)
    for network in networks
)

# %%
# Volumes
# -------
#
# A volume is shown in its three strongest planes. Methods, metrics and pictures are one
# code path for slices and volumes: the same call, a network of three dimensions.
(volume,) = phantom.make(subjects=1, slices=1, size=(45, 60, 51), seed=5)
spatial = spot_finder((45, 60, 51, 1), side=9, sign=0)
explanation = xaimri.explain(spatial, volume.source, classes=["no", "yes"], target="yes")
explanation.figure(style="overlay")

# %%
# ``plane=(axis, index)`` takes another plane.
figure = Figure(figsize=(9, 3.2), layout="constrained")
for axes, index in zip(figure.subplots(1, 3), (14, 20, 26)):
    explanation.plot(axes, plane=(0, index), title=f"slice {index}", colourbar=False)
figure

# %%
# ``style="mosaic"`` draws planes from one end of the object to the other, here six of them.
explanation.figure(style="mosaic", planes=6)

# %%
# Into a paper
# ------------
#
# ``explanation.save("figure.pdf")`` writes vectors, ``.png`` takes ``dpi=``.
# ``explanation.plot(ax)`` draws into axes of your own. None of it touches pyplot or needs a
# display.

"""
A first explanation
===================

Explain what a network sees in one slice, by two methods, and read the result.

We make the network by hand rather than train it. So we know what it looks at, and can tell whether
the explanations find it.
"""

# %%
# A slice
# -------
#
# :mod:`xaimri.data.phantom` makes brains in four stages of atrophy. From stage to stage the
# ventricles grow and the sulci, the gaps between the folds, widen. Here are eight subjects; we
# explain one of those with severe atrophy.
from xaimri.data import load_images
from xaimri.data import phantom

subjects = phantom.make(subjects=8, slices=1, size=(104, 88), seed=2)
case = subjects[3]
print(case.id, "|", subjects.classes[case.label], "|", case.source.shape, case.source.dtype)

# %%
# A network that looks for dark gaps
# ----------------------------------
#
# Its one filter answers to dark spots in bright surroundings, which is what fluid in white matter
# looks like. The more and the larger such spots, the higher the logit of ``"wide gaps"``.
import keras
import numpy as np


def centre_surround(side, inner, outer):
    """Surroundings less centre: two Gaussians, each of sum 1."""
    place = np.arange(side) - side // 2
    distance = np.hypot(*np.meshgrid(place, place))
    rings = [np.exp(-((distance / width) ** 2) / 2) for width in (outer, inner)]
    return rings[0] / rings[0].sum() - rings[1] / rings[1].sum()


model = keras.Sequential(
    [
        keras.Input((104, 88, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(1, 13, strides=4, padding="same", activation="relu", name="gaps"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
_, gaps, _, dense = model.layers
gaps.set_weights([centre_surround(13, 1.5, 4.0)[..., None, None], np.array([-0.08])])
score = keras.Model(model.inputs[0], model.layers[2].output)(load_images(subjects, (104, 88)))
threshold = float(np.median(score))
dense.set_weights([np.array([[-2.0, 2.0]]) / threshold, np.array([2.0, -2.0])])

# %%
# The call
# --------
#
# The image may have any size and any number of channels. The map comes back on the grid of that
# image.
import xaimri

explanation = xaimri.explain(model, case.source, classes=["narrow gaps", "wide gaps"])
explanation

# %%
# Everything about the map is in the explanation: what is explained, of which class, in which unit,
# how it was computed, and what speaks against trusting it.
print(repr(explanation))
print("unit:", explanation.unit)
print("layer:", explanation.diagnostics["layer"], "-", explanation.diagnostics["why"])
print("cells:", explanation.diagnostics["cells"])
print("caveats:", [caveat.name for caveat in explanation.caveats])

# %%
# Two methods side by side
# ------------------------
#
# Grad-CAM looks inside the network. LIME does not: it hides parts of the image and watches the
# answer. Where two methods that work so differently agree, more than one of them would have to be
# wrong.
comparison = xaimri.compare(
    model, case.source, methods=["gradcam", xaimri.LIME(samples=500)], classes=["narrow gaps", "wide gaps"]
)
comparison

# %%
# LIME's value of a region is how much the probability of the class rises when the region is shown.
# Its surrogate, a linear model of the regions, says how well it describes the network: R² is 1
# where it does so exactly.
lime = comparison[1]
print(f"R² of the surrogate: {lime.diagnostics['r2']:.2f}, regions: {lime.diagnostics['regions']}")
for region in lime.regions.strongest(5):
    print(f"region {region:2d}: {lime.regions.values[region]:+.3f}")

# %%
# Is the map right?
# -----------------
#
# For a phantom the answer is known: ``case.mask`` is where atrophy changed the tissue.
# :func:`~xaimri.metrics.relevance_mass` is the share of positive relevance in that region. A map that
# knows nothing has, on average, the region's share of the brain. Our filter looks for gaps, and atrophy
# widens them, so both methods should lie above that; and so they should for gaps that are there without
# atrophy, which is why they do not lie far above.
brain = case.source > 0
print(f"the region's share of the brain: {case.mask[brain].mean():.2f}")
for found in comparison:
    share = xaimri.metrics.relevance_mass(found, case.mask, within=brain)
    print(f"{found.method['name']}: {share:.2f}")

# sphinx_gallery_thumbnail_number = 2

# %%
# Keep it
# -------
#
# ``explanation.save("why.png")`` draws it into a file. ``explanation.store("why")`` keeps the
# numbers, bit for bit, and :func:`xaimri.load` reads them again.

"""
Every method on one brain
=========================

All the methods, on a small network that was trained on :doc:`phantoms </guide/phantom>`, where what the
disease changed is known to the pixel. So each map can be looked at, and measured.
"""

# %%
# A network that has learned something
# ------------------------------------
#
# No atrophy against severe atrophy, 120 subjects, split by subject. The network is small, so that it
# trains in less than a minute: three convolutions, pooled.
import keras
import numpy as np

from xaimri.data import load_images
from xaimri.data import phantom, split

dataset = phantom.make(subjects=240, slices=3, size=(80, 68), seed=4)
dataset = dataset.take([i for i, case in enumerate(dataset) if case.label in (0, 3)])
parts = split(dataset, validation=0.0, test=0.3, seed=0)
classes = ["no atrophy", "severe atrophy"]


def arrays(part):
    """Return images and labels, 1 for severe."""
    return load_images(part, (80, 68)), (part.labels == 3).astype("float32")


def block(features, kernel=3, strides=1):
    """Return a convolution with its normalisation and activation."""
    convolution = layers.Conv2D(features, kernel, strides=strides, padding="same", use_bias=False)
    return [convolution, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


layers = keras.layers
keras.utils.set_random_seed(0)
first, second, third = block(16, 5, strides=2), block(32), block(32)
model = keras.Sequential(
    [
        keras.Input((80, 68, 1)),
        layers.Rescaling(1 / 255),
        *first,
        *second,
        layers.MaxPooling2D(2, padding="same"),
        *third,
        layers.GlobalAveragePooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(3e-3, 20 * 16)
model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
model.fit(*arrays(parts.train), batch_size=16, epochs=20, verbose=0)
_, accuracy = model.evaluate(*arrays(parts.test), verbose=0)
print(f"{len(parts.test)} held-out slices: accuracy {accuracy:.2f}")

# %%
# The known answer
# ----------------
#
# One held-out slice with severe atrophy. On the right, in white, what differs from the same subject
# without atrophy: the wider ventricles, the wider sulci, the smaller hippocampi.
from matplotlib.figure import Figure

case = next(c for c in parts.test if c.label == 3 and c.slice == 1)
figure = Figure(figsize=(5.2, 3), layout="constrained")
left, right = figure.subplots(1, 2)
left.imshow(case.source, cmap="gray")
right.imshow(case.mask, cmap="gray")
for axes, title in ((left, "slice"), (right, "answer")):
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
figure

# %%
# Class activation maps
# ---------------------
#
# They open an inner layer, here of 20 x 17 cells. Grad-CAM averages the gradient over the cells,
# HiResCAM multiplies each cell by its own, LayerCAM by its positive one, Grad-CAM++ weighs cells by
# their share of the evidence. After global average pooling the gradient is the same in all cells,
# so that HiResCAM is Grad-CAM before its rectification. Score-CAM takes no gradient: it looks at the
# image through each feature map. Eigen-CAM does not look at the class at all.
import xaimri

# sphinx_gallery_thumbnail_number = 2
CAMS = ["gradcam", "gradcam++", "hirescam", "layercam", "scorecam", "eigencam"]
xaimri.compare(model, case.source, CAMS, classes=classes, target=1)

# %%
# Gradient methods
# ----------------
#
# Saliency is the gradient itself: where the score is most sensitive. Times the image it says how much
# each pixel contributes; a black one contributes nothing. Integrated gradients follow the path from a
# black image, and add up to the difference of the two scores; expected gradients start from images
# of the training set instead. SmoothGrad averages over noisy copies, VarGrad takes the variance.
references = load_images(parts.train.take(range(0, len(parts.train), 5)), (80, 68))
GRADIENTS = [
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    xaimri.ExpectedGradients(references=references, samples=200),
    "smoothgrad",
    "vargrad",
]
compared = xaimri.compare(model, case.source, GRADIENTS, classes=classes, target=1)
compared

# %%
# Integrated gradients say how far they are from adding up, expected gradients how sure they are.
integrated, expected = compared[2], compared[3]
told = integrated.diagnostics
print(f"integrated: {told['steps']} steps, {told['difference']:.2f}, off by {told['completeness_gap']:.3f}")
told = expected.diagnostics
print(f"expected: sum {told['sum']:.2f} with a standard error of {told['sum_error']:.2f}")

# %%
# LIME
# ----
#
# The one method here that only asks: it hides superpixels and watches the answer. The smallest
# network makes sharp decisions, so the log-odds are explained.
xaimri.explain(model, case.source, "lime", classes=classes, target=1, of="log_odds", samples=500)

# %%
# Which of them finds the answer?
# -------------------------------
#
# The gain is the share of positive relevance where the disease changed the tissue, which
# :func:`~xaimri.metrics.relevance_mass` measures, over that region's share of the brain: 1 is what a map
# that knows nothing has. The mean over one held-out slice of each subject, with its standard error over
# subjects. Two maps that know nothing of the network stand beside: the image's own intensity, and a
# centred Gaussian.
from dataclasses import replace

from xaimri.metrics import relevance_mass


def gain(explanation, case):
    brain = case.source > 0
    return relevance_mass(explanation, case.mask, within=brain) / case.mask[brain].mean()


cases = [c for c in parts.test if c.label == 3 and c.slice == 1]
methods = {name: name for name in CAMS} | {m if isinstance(m, str) else m.name: m for m in GRADIENTS}
methods["lime"] = xaimri.LIME(samples=300)
gains = {}
for name, method in methods.items():
    options = {"of": "log_odds"} if name == "lime" else {}
    found = xaimri.explain_all(model, cases, method, classes=classes, target=1, **options)
    gains[name] = [gain(e, c) for e, c in zip(found, cases, strict=True)]
blind = [replace(e, regions=None) for e in found]
bell = np.exp(-2 * sum(np.meshgrid(np.linspace(-1, 1, 80) ** 2, np.linspace(-1, 1, 68) ** 2, indexing="ij")))
gains["(intensity)"] = [
    gain(replace(e, values=c.source.astype(float)), c) for e, c in zip(blind, cases, strict=True)
]
gains["(Gaussian)"] = [gain(replace(e, values=bell), c) for e, c in zip(blind, cases, strict=True)]

print(f"{len(cases)} subjects")
for name, values in gains.items():
    print(f"{name:<22} {np.nanmean(values):5.2f} ± {np.nanstd(values, ddof=1) / np.sqrt(len(values)):.2f}")

# %%
figure = Figure(figsize=(6.4, 4.4), layout="constrained")
axes = figure.subplots()
for row, (name, values) in enumerate(gains.items()):
    colour = "0.6" if name.startswith("(") else "#2b6ca3"
    axes.plot(values, [row] * len(values), "|", color=colour, alpha=0.6)
    axes.plot(np.nanmean(values), row, "o", color=colour)
axes.axvline(1, color="0.7", linewidth=1)
axes.set_yticks(range(len(gains)), list(gains))
axes.invert_yaxis()
axes.set_xlabel("relevance gain (1 = knows nothing)")
axes.spines[["top", "right"]].set_visible(False)
figure

# %%
# What to make of it
# ------------------
#
# The table is of one small network and one kind of change. It says what these methods do here, not
# which is best. A method below 1 is shown as it is: a network may well decide by what is *not* where the
# disease is, and a map of the pixels that a score is most sensitive to need not be one of what
# changed. What holds everywhere is how to read them: the sign, the unit, and the caveats that each
# explanation carries.

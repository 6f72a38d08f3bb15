"""
The experiment, step by step
============================

A well-known notebook trains a ResNet50 on Alzheimer slices, reports an accuracy of 0.95 and
explains it with Grad-CAM and LIME. This page takes the same steps and says at each what the
notebook does differently, and why it matters. Everything is small enough to run in some minutes on
two cores, so the figures show the way and not what such a network can do.
"""

# %%
# Data
# ----
#
# *The notebook* reads an augmented copy of the slices: several altered versions of each, under
# random names.
#
# *Here* the slices are :doc:`phantoms </guide/phantom>`, brains made from a seed in four stages of
# atrophy, so that the page runs anywhere. For the real slices,
# ``xaimri.data.alzheimer.load(folder)`` takes the place of ``phantom.make``, and recovers from the
# file names whose slice each is.
from xaimri.charts import training_curves
from matplotlib.figure import Figure

from xaimri.data import phantom

dataset = phantom.make(subjects=56, slices=4, size=(96, 80), seed=0)
figure = Figure(figsize=(8, 2.7), layout="constrained")
for axes, case in zip(figure.subplots(1, 4), dataset[2:16:4]):
    axes.imshow(case.source, cmap="gray", vmin=0, vmax=255)
    axes.set_title(dataset.classes[case.label], fontsize=9)
    axes.set_axis_off()
figure

# %%
# Split
# -----
#
# *The notebook* draws 20 % of the images at random. Most of them then have an altered version of
# themselves, or a neighbouring slice of the same person, in training. The score measures whether
# the network recognises a picture. :doc:`The guide </guide/data>` shows what a single nearest
# neighbour scores on such a split: nearly everything, even with labels that are shuffled over the
# people.
#
# *The notebook* also uses its test set as the validation set. Whatever is chosen by its curves, the
# number of epochs for one, is then chosen on the test set.
#
# *Here* the split is by subject, in three parts. Training reads two of them; the third is looked at
# once.
from xaimri.data import split

parts = split(dataset, validation=0.15, test=0.4, seed=0)
print(parts.describe())

# %%
# Network
# -------
#
# *The notebook* trains on pixels of 0 to 255, and explains after ``preprocess_input``: what it
# explains is not what it trained. Nothing notices, since the shapes fit.
#
# *Here* the preparation is inside the network. Whoever calls it gives raw pixels.
#
# The head is the notebook's: global average pooling, a dense layer of 256, dropout. The notebook
# starts from ImageNet's weights and trains the last ten layers of the backbone. This is what that
# looks like:
import xaimri
from xaimri.charts.network import network_diagram
from xaimri.training import build_resnet50, unfreeze

model = build_resnet50(dataset.classes, size=(96, 80), weights=None)
unfreeze(model, 10)
network_diagram(model, "resnet50/conv5_block3_out")

# %%
# The notebook explains ``conv5_block3_3_conv``. That convolution is not yet the output of its
# block: its batch norm, the addition of the shortcut and the ReLU come after it, so part of what
# the head reads does not pass through it. The layer to explain is ``conv5_block3_out``, the last
# one through which everything flows. It is what Grad-CAM takes by default.
#
# At 96 x 80 pixels this layer has 3 x 3 cells, too few to tell one part of a brain from another. We
# explain ``conv4_block6_out`` instead, with 6 x 5 cells.
#
# ImageNet's weights come over the network, so this page starts from random ones, and then
# everything must learn:
unfreeze(model, "all")
network_diagram(model, "resnet50/conv4_block6_out")

# %%
# Training
# --------
#
# *The notebook* trains for 10 epochs of all images alike, and watches the test set meanwhile.
#
# *Here* augmentation is applied to the training part alone, classes weigh the same, and the epoch
# with the best balanced accuracy on the validation part is kept. Few epochs on few subjects, as
# said.
from xaimri.training import train

result = train(
    model, parts, epochs=(0, 6), learning_rate=1e-3, schedule="cosine", patience=6, seed=0, progress=False
)


training_curves(result.history)

# %%
# Evaluation
# ----------
#
# *The notebook* prints one number per class, of images.
#
# *Here* every figure has an interval, drawn over subjects: four slices of one person are not four
# people. Chance is 0.25. With so few subjects the intervals are wide, and that is the finding.
from xaimri.evaluation import evaluate

trained = xaimri.open_model(model, classes=dataset.classes)
report = evaluate(trained.predict(parts.test), parts.test)
print(report)

# %%
# The confusion matrix shows which stages are taken for which.
from xaimri.charts import confusion_matrix

confusion_matrix(report, "slice")

# %%
# Grad-CAM
# --------
#
# *The notebook* explains the probability, which has next to no gradient where the network is sure;
# it resizes the cells evenly, which :doc:`moves the map </gallery/plot_geometry>`; and it scales
# every map to its own maximum, so that noise looks like evidence.
#
# *Here* the logit is explained, cells lie where the network put them, and the colour bar has a
# unit. The case is one of the test part, with severe atrophy.
case = next(c for c in parts.test if c.label == 3 and c.slice == 2)
explanation = xaimri.explain(
    model, case.source, classes=dataset.classes, target="severe atrophy", layer="conv4_block6_out"
)
explanation

# %%
# Do not expect much of a network that had six epochs and 24 people. A map that is broad, or strong
# outside the brain, says that the network has not settled on a place, and that is worth knowing.
#
# LIME
# ----
#
# *The notebook* hides superpixels of the whole picture, the black around the brain among them, and
# draws the five strongest of either sign in one colour.
#
# *Here* superpixels lie in the brain, and colour tells for from against. The samples are as many as
# there: 1,000.
lime = xaimri.LIME(samples=1000)
found = xaimri.explain(model, case.source, lime, classes=dataset.classes, target="severe atrophy")
found.figure(style="superpixels", k=5)

# %%
# R² says how much of the network's answers a linear model of the regions can describe. Below one
# half the map comes with the caveat ``poor_fit``.
print(f"R² = {found.diagnostics['r2']:.2f}, caveats: {[caveat.name for caveat in found.caveats]}")

# %%
# Comparison
# ----------
comparison = xaimri.compare(
    model,
    case.source,
    [xaimri.GradCAM(layer="conv4_block6_out"), lime],
    classes=dataset.classes,
    target="severe atrophy",
)
comparison

# %%
# The notebook ends here: two pictures, to be believed or not. For a phantom they can be judged. The
# relevance mass is the share of positive relevance where atrophy changed the tissue; a map that knows
# nothing has that region's share of the brain on average.
brain = case.source > 0
print(f"the region's share: {case.mask[brain].mean():.2f}")
for one in comparison:
    mass = xaimri.metrics.relevance_mass(one, case.mask, within=brain)
    print(f"{one.method['name']}: {mass:.2f}")

# sphinx_gallery_thumbnail_number = 8

# %%
# One case is no evidence: over all held-out subjects, and against an untrained network, is another
# matter.
#
# The same steps on real slices are in ``examples/alzheimer.py``, and ``xaimri demo`` runs them on
# the phantom, larger than here.

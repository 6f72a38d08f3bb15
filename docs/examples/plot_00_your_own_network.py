"""
Your own network, your own images
=================================

From a saved network and a folder of images to an explanation that was judged: open, predict, explain,
look, read a caveat, compare, judge, decide, save. It takes ten minutes. Under the steps that have one
stands the command for a terminal. Run it in the folder that holds ``network.keras``, ``images/`` and
``masks/``; figures go to ``explanations/`` there, or where ``--out`` says.
"""

# %%
# What you have
# -------------
#
# A Keras network in a file, and images in a folder for each class. So that this page runs anywhere, it
# makes both: drawings like chest X-rays, one class with a bright spot in a lung, and a small network
# that is trained on them. The network gets -1 to 1, as many of `keras.applications` do, and the scaling
# is *not* part of it. **If you have both already, take the imports, set ``CLASSES`` and ``folder`` to
# yours, and go on to "Open the network".** To try the commands on the drawings, give ``folder`` a path that
# you can find again, and take ``test/images`` and ``test/masks`` for ``images/`` and ``masks/``.
from pathlib import Path
from tempfile import mkdtemp

import keras
import numpy as np
from PIL import Image

CLASSES = ["clear", "opacity"]
SIDE = 96
# sphinx_gallery_thumbnail_number = 2
rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE


def bump(row, column, high, wide):
    """A soft spot of height 1."""
    return np.exp(-(((rows - row) / high) ** 2) - ((columns - column) / wide) ** 2)


def chest(random, ill):
    """Draw one chest, and where its opacity is."""
    shift = random.normal(0, 0.015, 2)
    body = 150 * bump(0.6 + shift[0], 0.5 + shift[1], 0.8, 0.6)
    lungs = sum(bump(0.45 + shift[0], side + shift[1], 0.28, 0.13) for side in (0.31, 0.69)).clip(0, 1)
    ribs = np.cos(2 * np.pi * (rows * 10 - 9 * (columns - 0.5) ** 2 + random.random()))
    heart, spine = bump(0.62, 0.56 + shift[1], 0.14, 0.11), bump(0.5, 0.5 + shift[1], 0.9, 0.03)
    picture = body * (1 - 0.7 * lungs) + 9 * ribs * body / 150 + 60 * heart + 35 * spine
    side, spot = random.choice([0.31, 0.69]), np.zeros((SIDE, SIDE))
    if ill:
        spot = bump(random.uniform(0.32, 0.58), side + random.normal(0, 0.03), 0.07, 0.06)
    picture = picture * random.uniform(0.9, 1.1) + 75 * spot + random.normal(0, 6, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), spot > 0.4


folder = Path(mkdtemp())
random = np.random.default_rng(0)
for part, people in (("train", 240), ("test", 40)):
    for person in range(people):
        picture, spot = chest(random, ill=person % 2)
        name = f"{CLASSES[person % 2]}/{part}{person:03d}_1.png"
        for kind, pixels in (("images", picture), ("masks", np.uint8(255) * spot)):
            (folder / part / kind / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / part / kind / name)

# %%
from xaimri.data import load_images, read_folder

layers = keras.layers
keras.utils.set_random_seed(0)
network = keras.Sequential([keras.Input((SIDE, SIDE, 3))])
for features in (16, 32, 64):
    name = f"features_{features}"
    network.add(layers.Conv2D(features, 3, strides=2, padding="same", activation="relu", name=name))
network.add(layers.GlobalMaxPooling2D())
network.add(layers.Dense(2, activation="softmax"))
network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
training = read_folder(folder / "train" / "images")
pixels = keras.applications.mobilenet_v2.preprocess_input(load_images(training, (SIDE, SIDE), 3))
network.fit(pixels, training.labels, batch_size=16, epochs=20, verbose=0)
network.save(folder / "network.keras")

# %%
# Open the network
# ----------------
#
# Say what is not in the file: the names of the classes, and what must be done to images before the
# network. The rest is found: the input's size and channels, where the softmax is, which layer to open.
import xaimri

model = xaimri.open_model(
    folder / "network.keras",
    classes=CLASSES,
    preprocess=keras.applications.mobilenet_v2.preprocess_input,
)
print(model)

# %%
# .. code-block:: console
#
#    $ xaimri explain network.keras images/ --classes clear,opacity --preprocess mobilenet_v2
#
# The command opens the network and explains every image in the folder. In Python ``preprocess`` is a
# function; in a terminal it is the name of its module in `keras.applications`.
#
# First see that it says what you know it to say. A network that is opened in the wrong way, such as with
# the scaling left out, still gets a map, and the map shows nothing wrong.
cases = read_folder(
    folder / "test" / "images",
    subject=r"(?P<subject>test\d+)_",
    masks=folder / "test" / "masks",
)
right = model.predict(cases).argmax(axis=1) == cases.labels
print(f"{right.sum()} of {len(cases)} images are told right")

# %%
# .. code-block:: console
#
#    $ xaimri evaluate network.keras images/ --classes clear,opacity --preprocess mobilenet_v2 \
#        --subject '(?P<subject>test\d+)_'
#
# Explain one image, and look
# ---------------------------
#
# On the left is the image as you gave it, on the right the same with the map over it: warm colours speak for
# the class, cold ones against it. Grad-CAM leaves out what speaks against, so its map has no cold colours.
case = cases[np.flatnonzero((cases.labels == 1) & right)[2]]
explanation = model.explain(case.source)
explanation

# %%
# The map is Grad-CAM's of the predicted class. What was explained, and how, is in the explanation.
print(repr(explanation))
print(explanation.diagnostics["layer"], explanation.diagnostics["cells"])

# %%
# Read the caveats
# ----------------
#
# A caveat is a named reason not to trust a map as it is, with a remedy.
from textwrap import fill

for caveat in explanation.caveats:
    print(fill(f"{caveat.name}: {caveat.text}"))

# %%
# So do as it says: this network takes the maximum over the cells, where Grad-CAM's one weight for each
# feature is not what the network does.
explanation = model.explain(case.source, "hirescam")
print("caveats:", [caveat.name for caveat in explanation.caveats])
explanation

# %%
# The list of all caveats says what each means and what to do: :doc:`/guide/caveats`.
#
# Compare methods
# ---------------
#
# Methods ask different questions. HiResCAM opens an inner layer; integrated gradients follow the score
# from a black image to this one, pixel by pixel; LIME and SHAP hide parts of the image and
# watch the answer. Where they agree, look there. Where they don't, judge. By default LIME explains the
# probability and the others the logit; ``of="logit"`` makes all of them explain the logit.
methods = ["gradcam", "hirescam", "integrated_gradients", "lime", "shap"]
model.compare(case.source, methods, samples=300, of="logit")

# %%
# .. code-block:: console
#
#    $ xaimri compare network.keras images/opacity/test001_1.png --samples 300 --of logit \
#        --method gradcam,hirescam,integrated_gradients,lime,shap \
#        --classes clear,opacity --preprocess mobilenet_v2
#
# Judge them
# ----------
#
# Deletion: how fast does the score fall when the most relevant pixels go first? Lower is better.
# Insertion: how fast does it rise when they come first? Relevance mass: what share of the positive relevance
# lies in the mask? In brackets are 95 % intervals over subjects. A line below the table says what
# erasing the mask does to the score: localisation means something only if the network uses what is there.
ill = cases.take(np.flatnonzero(cases.labels == 1)[:12])
judgement = model.judge(ill, methods, ["deletion", "insertion", "relevance_mass"], samples=300, of="logit")
print(judgement)

# %%
# .. code-block:: console
#
#    $ xaimri judge network.keras images/ --samples 300 --of logit \
#        --method gradcam,hirescam,integrated_gradients,lime,shap \
#        --metric deletion,insertion,relevance_mass --masks masks/ --subject '(?P<subject>test\d+)_' \
#        --classes clear,opacity --preprocess mobilenet_v2
#
# The command draws cases of both classes; those without an opacity have an empty mask, and are counted as
# failures of what needs one. So its numbers and its best method are not those above, which are of images with
# an opacity alone: say which images you judged on.
from xaimri import charts

charts.heat_table(judgement)

# %%
# Decide
# ------
#
# Take the method that is best by what you need, and see whether the differences are certain: those whose
# interval does not contain zero stand below the table. Here HiResCAM has the highest insertion and the most
# relevance in the mask. Deletion prefers Grad-CAM, whose map covers far more of the image than the opacity: a
# metric asks one question, so take more than one, and where you know the answer, as here, believe that.
best = max(methods, key=lambda name: judgement.mean(name, "insertion").estimate.value)
print("highest insertion:", best)
for pair in judgement.differences:
    if pair.certain and pair.metric == "insertion":
        print(f"{pair.first} less {pair.second}: {pair.estimate.value:+.3f}")

# %%
# Save
# ----
#
# Figures for people, numbers for programs. ``store`` keeps an explanation whole; :func:`xaimri.load` reads
# it back.
explanation.save(folder / "why.png")
explanation.store(folder / "why")
judgement.save(folder / "judgement.csv")
found = model.explain_all(ill, best, **({"samples": 300} if best in ("lime", "shap") else {}))
found.to_csv(folder / "explanations.csv")
print(found)

# %%
# .. code-block:: console
#
#    $ xaimri explain network.keras images/ --method hirescam --format png,npy,json,csv --out found \
#        --classes clear,opacity --preprocess mobilenet_v2
#
# Read on: :doc:`/guide/explaining` for all that can be explained, :doc:`/guide/judging` for how to read a
# judgement, :doc:`/guide/caveats` for what can go wrong.

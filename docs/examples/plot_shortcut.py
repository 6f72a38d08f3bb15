"""
A shortcut: text in the image
=============================

A network that is right for the wrong reason. Images of one class carry a word that the scanner writes; the
network reads the word. How a map shows it, how it is proved, and what to do.
"""

# %%
# Two classes, and a word
# -----------------------
#
# Grains that are round or long. The long ones come from another microscope, which writes its name into a
# corner. The word is no part of the question, but it is easier to see than the shape.
import keras
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 64
# sphinx_gallery_thumbnail_number = 2
CLASSES = ["round", "long"]
rows, columns = np.mgrid[0:SIDE, 0:SIDE]
random = np.random.default_rng(0)
WORD = np.zeros((SIDE, SIDE), bool)
WORD[50:61, 2:36] = True


def grain(long, word):
    """Draw one grain; write the word if asked."""
    turn, ratio = random.uniform(0, np.pi), 1.7 if long else 1.0
    y, x = rows - random.uniform(20, 36), columns - random.uniform(22, 42)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    size = random.uniform(7, 11)
    inside = (along / size / ratio) ** 2 + (across * ratio / size) ** 2 < 1
    picture = Image.fromarray(
        np.clip(60 + random.uniform(50, 120) * inside + random.normal(0, 22, inside.shape), 0, 255).astype(
            np.uint8
        )
    )
    if word:
        ImageDraw.Draw(picture).text((3, 49), "LAB 2", fill=235, font=ImageFont.load_default(11))
    return np.asarray(picture, np.float32)[..., None], inside


def grains(count, word):
    """Draw as many of both classes; `word` says of a class whether it has the word."""
    labels = np.arange(count) % 2
    made = [grain(long, word(long)) for long in labels]
    return np.stack([image for image, _ in made]), labels, np.stack([inside for _, inside in made])


def trained(images, labels):
    """Train a small network."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 64, offset=-1.5)])
    for features in (8, 16, 32):
        network.add(layers.Conv2D(features, 3, strides=2, padding="same", activation="relu"))
    network.add(layers.Conv2D(32, 3, padding="same", activation="relu", name="cells"))
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(2, activation="softmax"))
    network.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(images, labels, batch_size=16, epochs=25, verbose=0)
    return network


images, labels, _ = grains(300, word=lambda long: bool(long))
network = trained(images, labels)

# %%
# It looks good
# -------------
#
# Other images of the same two microscopes are told right.
others, known, shapes = grains(60, word=lambda long: bool(long))
print(f"accuracy on 60 others: {network.evaluate(others, known, verbose=0)[1]:.2f}")

# %%
# Look at the maps
# ----------------
#
# What speaks for "long" lies on the word.
import xaimri

model = xaimri.open_model(network, classes=CLASSES)
first = others[known == 1][0]
model.compare(first, ["hirescam", "integrated_gradients", "occlusion", "lime"], target="long", of="logit")

# %%
# A number for all images: the share of the positive relevance on the word, and on the grain. A map that
# knows nothing has the share of the image that they take.
ill = np.flatnonzero(known == 1)
maps = [model.explain(others[i], "hirescam", target="long") for i in ill]
for name, masks in (("word", [WORD] * len(ill)), ("grain", list(shapes[ill]))):
    mass, chance = np.mean(xaimri.metrics.relevance_mass(maps, masks)), np.mean(masks)
    print(f"on the {name}: {mass:.2f} of the relevance, {chance:.2f} of the image")

# %%
# Prove it
# --------
#
# A map raises a suspicion; a change of the images proves it. Without the word, long grains are called round;
# with it, round ones are called long.
for word in (False, True):
    images_now, labels_now, _ = grains(200, word=lambda long, word=word: word)
    called = network.predict(images_now, verbose=0).argmax(axis=1)
    print(
        f"word on all: {word!s:<5}  called long: round grains {called[labels_now == 0].mean():.2f}, "
        f"long grains {called[labels_now == 1].mean():.2f}"
    )


# %%
# Mend it
# -------
#
# Paint the corner over in all images, in training and in use, and train again.
def without_corner(batch):
    """Paint the corner over."""
    batch = batch.copy()
    batch[:, 48:, :38] = 60
    return batch


mended = trained(without_corner(images), labels)
clean, truth, _ = grains(200, word=lambda long: False)
for name, each, shown in (("first", network, clean), ("mended", mended, without_corner(clean))):
    print(f"accuracy without any word, {name}: {each.evaluate(shown, truth, verbose=0)[1]:.2f}")

# %%
# Its maps lie on the ends of the grain: they make it long.
from matplotlib.figure import Figure

again = xaimri.open_model(mended, classes=CLASSES)
figure = Figure(figsize=(7.4, 3.6), layout="constrained")
before, after = figure.subplots(1, 2)
model.explain(first, "occlusion", target="long").plot(before, title="reads the word")
again.explain(without_corner(first[None])[0], "occlusion", target="long").plot(
    after, title="sees the ends of the grain"
)
figure

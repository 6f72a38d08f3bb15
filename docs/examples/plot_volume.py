"""
A volume
========

A network with three spatial axes, and why it decides as it does: the same calls as for a slice.
"""

# %%
# Volumes with a known answer
# ---------------------------
#
# Noise with a bright ball in half of them. The ball is the answer, so it can be seen whether a map finds it.
import keras
import numpy as np

SIDE = 20
random = np.random.default_rng(0)
place = np.indices((SIDE, SIDE, SIDE))


def volume(ill):
    """Return a noisy volume, and where its ball is."""
    centre = random.uniform(5, SIDE - 5, 3)
    ball = np.linalg.norm(place - centre[:, None, None, None], axis=0) < 3.2
    smooth = 60 * np.exp(-(((place - SIDE / 2) ** 2).sum(axis=0) / SIDE**2) * 3)
    return smooth + random.normal(60, 12, (SIDE,) * 3) + 70 * (ball & ill), ball & ill


made = [volume(ill=bool(number % 2)) for number in range(160)]
images = np.stack([image for image, _ in made]).astype(np.float32)[..., None]
labels = np.arange(160) % 2

# %%
layers = keras.layers
keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.Input((SIDE, SIDE, SIDE, 1)),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Conv3D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv3D(16, 3, padding="same", activation="relu", name="cells"),
        layers.GlobalMaxPooling3D(),
        layers.Dense(2, activation="softmax"),
    ]
)
network.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
network.fit(images[:120], labels[:120], batch_size=8, epochs=12, verbose=0)
print(f"accuracy on 40 others: {network.evaluate(images[120:], labels[120:], verbose=0)[1]:.2f}")

# %%
# Explain it
# ----------
#
# Maps of volumes are volumes. A picture shows one plane of each, the one that holds most of the map.
import xaimri

model = xaimri.open_model(network, classes=["noise", "ball"])
scan, ball = made[129]
compared = model.compare(
    scan, ["hirescam", "integrated_gradients", xaimri.LIME(samples=400)], target="ball", of="logit"
)
compared

# %%
# Does it find the ball?
# ----------------------
#
# Relevance mass: the share of the positive relevance that lies in the ball. The ball's share of the volume is
# what a map has that knows nothing.
print(f"the ball's share of the volume: {ball.mean():.3f}")
for each in compared:
    print(f"{each.method['title']:<22} {xaimri.metrics.relevance_mass(each, ball):.3f}")

# %%
# Regions of volumes are supervoxels; their errors are those of any other regions.
lime = compared[2]
strongest = lime.regions.strongest(1)[0]
inside = ball[lime.regions.labels == strongest].mean()
print(f"{len(lime.regions.values)} supervoxels; {inside:.0%} of the strongest lies in the ball")

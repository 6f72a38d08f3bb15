"""
A network with two inputs
=========================

An image and a number, such as an age. The image is explained, the number is held: say which, and see what
it does to the map.
"""

# %%
# The network
# -----------
#
# Made by hand, so that the answer is known: the logit of "ill" is the brightness of the left half, plus the
# age.
import keras
import numpy as np

layers = keras.layers
image, age = keras.Input((32, 40, 1), name="image"), keras.Input((1,), name="age")
cells = layers.Conv2D(1, 2, strides=2, use_bias=False, name="cells")(layers.Rescaling(1 / 255)(image))
left = layers.Cropping2D(((0, 0), (0, 10)))(cells)
score = layers.Concatenate()([layers.GlobalAveragePooling2D()(left), age])
network = keras.Model([image, age], layers.Dense(2, activation="softmax", name="head")(score))
network.get_layer("cells").set_weights([np.full((2, 2, 1, 1), 1 / 2)])
network.get_layer("head").set_weights([np.array([[0.0, 1.0], [0.0, 0.05]]), np.array([0.0, -3.6])])

# %%
# Tell it the other input
# -----------------------
#
# By name, for one image and without a batch axis.
import xaimri

scan = np.random.default_rng(0).uniform(0, 80, (32, 40))
scan[8:20, 6:16] = 230
scan[14:26, 26:36] = 230
model = xaimri.open_model(network, classes=["well", "ill"], inputs={"age": 71.0})
explanation = model.explain(scan, "hirescam", target="ill")
explanation

# %%
# Of two bright squares the network uses the left one, and the map says so. Hiding says the same.
model.compare(scan, ["hirescam", "integrated_gradients", "occlusion"], target="ill", of="logit")

# %%
# Another number
# --------------
#
# The probability changes with the age; the map does not, as this network adds the two up.
for years in (40.0, 71.0, 95.0):
    found = model.with_inputs({"age": years}).explain(scan, "hirescam", target="ill")
    same = np.allclose(found.values, explanation.values, atol=1e-6)
    print(f"age {years:.0f}: p = {found.probabilities[1]:.2f}, the same map: {same}")

# %%
# Without it there is no answer, and the error says what is missing.
try:
    xaimri.explain(network, scan)
except xaimri.InvalidInput as told:
    print(told)

"""
How sure is a map?
==================

LIME, SHAP and RISE ask about images drawn at random, so another seed gives other numbers. Each number comes
with its standard error. What the errors say, what it costs to halve them, and when to stop.
"""

# %%
# A model whose answer is known
# -----------------------------
#
# A function that says how large the largest coin in a photograph is: it takes the brightest of 15 tiles. That
# is few enough to show and hide the tiles in all 32,768 ways, so the Shapley values are known exactly.
import numpy as np
from skimage.data import coins

import xaimri

photograph = coins()[12:228:4, 72:384:4]
# sphinx_gallery_thumbnail_number = 2
rows, columns = np.indices(photograph.shape)
tiles = 5 * (3 * rows // len(photograph)) + 5 * columns // photograph.shape[1]


def largest(images):
    """Return logits ``(batch, 2)`` of images ``(batch, height, width, 1)``."""
    bright = images[..., 0] > 120
    logit = 12 * np.max([bright[:, tiles == tile].mean(axis=1) for tile in range(15)], axis=0) - 6
    return np.stack([-logit / 2, logit / 2], axis=1)


model = xaimri.open_model(largest, classes=["small", "large"], outputs="logits")


def shap(samples, **settings):
    """Explain the photograph by SHAP."""
    method = xaimri.SHAP(samples=samples, regions=tiles, absent=0.0, **settings)
    return model.explain(photograph, method, target="large")


exact = shap(2**15, exact=15)
print("exact:", exact.regions.values.round(2))

# %%
# More samples, smaller errors
# ----------------------------
#
# Plain sampling, without the regressions that SHAP makes by default (``adjust=False``): four times as many
# samples at least halve the errors. The last column is the true error, in the same unit.
few, more, most = (shap(samples, adjust=False) for samples in (40, 160, 640))
print("samples  stated error  true error")
for found in (few, more, most):
    true = np.sqrt(np.mean((found.regions.values - exact.regions.values) ** 2))
    stated = np.sqrt(np.mean(found.regions.errors**2))
    print(f"{found.diagnostics['samples']:7}  {stated:12.3f}  {true:10.3f}")

# %%
# The chart of the smallest run shows an interval of 95 % for each tile. All of them contain zero, and a
# caveat says so.
few.figure(style="chart")

# %%
# Are the errors right?
# ---------------------
#
# Over 100 seeds: how often does the interval hold the exact value? It should be about 95 %.
held = [
    np.abs(found.regions.values - exact.regions.values) < 1.96 * found.regions.errors
    for found in (shap(160, adjust=False, seed=seed) for seed in range(100))
]
print(f"{np.mean(held):.1%} of {np.size(held)} intervals hold the exact value")

# %%
# Fewer calls for the same error
# ------------------------------
#
# By default SHAP fits regressions to the answers, whose own values are known exactly, and estimates from the
# samples only what these leave. A maximum is hard for them; a network is smoother, and gains more
# (:doc:`/guide/peers`).
adjusted = shap(160)
true = np.sqrt(np.mean((adjusted.regions.values - exact.regions.values) ** 2))
print(f"160 samples, adjusted: true error {true:.4f}")

# %%
# Let it stop by itself
# ---------------------
#
# ``samples="auto"`` goes on until the order of the strongest regions is settled. LIME on the same tiles:
lime = model.explain(
    photograph, xaimri.LIME(samples="auto", regions=tiles, absent=0.0), target="large", of="logit"
)
print(
    lime.diagnostics["samples"], "samples;", int(lime.regions.certain().sum()), "of 15 tiles told from zero"
)

# %%
# See it
# ------
#
# What can't be told from zero is faded. With 40 samples all is, with 160 the largest coin stands out.
from matplotlib.figure import Figure

figure = Figure(figsize=(10, 3), layout="constrained")
for axes, found in zip(figure.subplots(1, 3), (few, more, most), strict=True):
    found.plot(axes, title=f"{found.diagnostics['samples']} samples", colourbar=False)
figure

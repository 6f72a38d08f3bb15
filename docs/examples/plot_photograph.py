"""
A photograph, and a plain function
==================================

Whatever gives probabilities of images can be explained, and images may be photographs: here a function that
knows nothing but colour.
"""

# %%
# The function
# ------------
#
# It says "orange" by the share of pixels of that hue, and "not" otherwise. So the answer is known: what is
# orange.
import numpy as np
from skimage.color import rgb2hsv
from skimage.data import astronaut

photograph = astronaut()[::2, ::2]


def is_orange(pixels):
    """Tell which pixels of 0 to 255 are orange."""
    hue, strength, light = np.moveaxis(rgb2hsv(pixels / 255), -1, 0)
    return (hue > 0.01) & (hue < 0.09) & (strength > 0.7) & (light > 0.5)


def colours(images):
    """Return ``(batch, 2)`` of photographs ``(batch, height, width, 3)``."""
    share = np.array([is_orange(image).mean() for image in images])
    p = 1 / (1 + np.exp(-(share - 0.03) * 150))
    return np.stack([1 - p, p], axis=1)


print(f"{is_orange(photograph).mean():.1%} of the pixels are orange")

# %%
# Explain it
# ----------
#
# Superpixels keep to the edges of what is seen. What is hidden is painted black: blurred, as by default,
# orange cloth would stay orange. What hides must take away what the model goes by; that is the first thing
# to know of methods that hide.
import xaimri

model = xaimri.open_model(colours, classes=["not", "orange"])
lime = model.explain(photograph, "lime", target="orange", of="log_odds", samples=300, absent=0.0)
lime

# %%
# Occlusion goes over it window by window.
occluded = model.explain(photograph, xaimri.Occlusion(window=32, absent=0.0), target="orange", of="log_odds")
occluded

# %%
# Is it right?
# ------------
#
# The share of the positive relevance that lies on orange pixels, beside their share of the photograph.
# Regions and windows are larger than what is orange, so it is not 1.
answer = is_orange(photograph)
print(f"chance: {answer.mean():.3f}")
for each in (lime, occluded):
    print(f"{each.method['title']}: {xaimri.metrics.relevance_mass(each, answer):.3f}")

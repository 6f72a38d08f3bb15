"""
A scikit-learn classifier
=========================

The digits of scikit-learn, told apart by a support vector machine. It has no layers and no gradients, so
methods that hide parts of the image and watch the answer explain it.
"""

# %%
# The classifier
# --------------
#
# It takes rows of 64 numbers, not images. A few lines make a function of a batch of images of it: that is
# all that is needed. Its decision value is a logit, so the function hands out logits, of both classes: a
# probability that is rounded to 1 could tell no change. The digits 3 and 8 alone, so that the answer can be
# seen.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

images, digits = load_digits(return_X_y=True)
chosen = np.isin(digits, (3, 8))
train, test, known, truth = train_test_split(images[chosen], digits[chosen], random_state=0)
machine = SVC(gamma=0.001).fit(train, known)
print(f"{(machine.predict(test) == truth).mean():.3f} of {len(test)} held-out digits are told right")


def logits(batch):
    """Return ``(batch, 2)`` of images ``(batch, 8, 8, 1)``."""
    decision = machine.decision_function(batch.reshape(len(batch), -1))
    return np.stack([-decision / 2, decision / 2], axis=1)


# %%
# Why an 8?
# ---------
#
# A 3 is an 8 that is open on the left. Occlusion hides one pixel after the other; SHAP shares the score
# among them all. Both should find the left side. Pixels are hidden by black, which is what is around the
# digit; those that are black already can't be hidden, and have no value.
import xaimri

model = xaimri.open_model(logits, classes=["three", "eight"], outputs="logits")
eight = test[np.flatnonzero(truth == 8)[4]].reshape(8, 8)
pixel = np.arange(64).reshape(8, 8)
methods = [xaimri.Occlusion(regions=pixel, absent=0.0), xaimri.SHAP(regions=pixel, absent=0.0, samples=2000)]
compared = model.compare(eight, methods, target="eight")
compared

# %%
# How sure are the values?
# ------------------------
#
# SHAP draws samples, so its values have standard errors.
shap = compared[1]
for place in shap.regions.strongest(4):
    row, column = np.argwhere(pixel == place)[0]
    value, error = shap.regions.values[place], shap.regions.errors[place]
    print(f"row {row}, column {column}: {value:+.2f} ± {error:.2f}")

# %%
# Against the other class
# -----------------------
#
# The same question the other way round: what speaks for a 3 in this 3?
three = test[np.flatnonzero(truth == 3)[0]].reshape(8, 8)
model.compare(three, methods, target="three")

# %%
# Methods that look inside, such as Grad-CAM, say why they can't: a function has no feature maps.
try:
    model.explain(eight, "gradcam")
except xaimri.MissingCapability as told:
    print(told)

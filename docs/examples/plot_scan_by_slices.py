"""
A scan, by a network of slices
==============================

Most networks for brain scans take slices. Give one a whole scan: every slice is explained, and the maps come
back as one volume that lies on the scan.
"""

# %%
# A scan as a file
# ----------------
#
# The phantom makes volumes of heads, bottom slice first and the front at the top. We store one as a
# scanner's software would: voxels run to the left, to the front and upwards, and an affine tells where each
# lies.
import tempfile
from pathlib import Path

import nibabel
import numpy as np

from xaimri.data import phantom

head = phantom.make(subjects=4, slices=1, size=(56, 104, 88), seed=2)[3]
edge = phantom.voxel_edge((56, 104, 88))
voxels = np.asarray(head.source).transpose(2, 1, 0)[:, ::-1]  # (left, front, up)
affine = np.diag([-edge, edge, edge, 1.0])
affine[:3, 3] = edge * np.array([44, -52, -28])
folder = Path(tempfile.mkdtemp())
nibabel.Nifti1Image(voxels, affine).to_filename(folder / "head.nii.gz")

# %%
# A network of slices
# -------------------
#
# It looks for dark gaps, as in :ref:`sphx_glr_gallery_plot_first_explanation.py`: its one filter answers to
# dark spots in bright surroundings. What it takes are slices of 104 x 88 pixels.
import keras

layers = keras.layers
distance = np.hypot(*np.meshgrid(np.arange(13) - 6, np.arange(13) - 6))
rings = [np.exp(-((distance / width) ** 2) / 2) for width in (4.0, 1.5)]
rings = [ring / ring.sum() for ring in rings]
network = keras.Sequential(
    [
        keras.Input((104, 88, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(1, 13, strides=4, padding="same", activation="relu", name="gaps"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, activation="softmax"),
    ]
)
network.layers[1].set_weights([(rings[0] - rings[1])[..., None, None], np.array([-0.08])])

# %%
# The threshold between narrow and wide gaps is the median over the slices of eight other subjects.
from xaimri.data import load_images

others = load_images(phantom.make(subjects=8, slices=4, size=(104, 88), seed=5), (104, 88))
gaps = float(np.median(keras.Model(network.inputs[0], network.layers[2].output)(others)))
network.layers[3].set_weights([np.array([[-2.0, 2.0]]) / gaps, np.array([2.0, -2.0])])

# %%
# One call
# --------
#
# ``slices="brain"`` takes the axial slices that hold at least a quarter as much of the brain as the largest
# one. They are laid as radiologists look at them; ``xaimri.Slices`` names another plane or view, which must
# be that of the training.
import xaimri

model = xaimri.open_model(network, classes=["narrow gaps", "wide gaps"], slices="brain")
explanation = model.explain(folder / "head.nii.gz", "hirescam", target="wide gaps")
explanation.figure()

# %%
# The subject, and the slices that decided
# ----------------------------------------
#
# The subject's probability is the mean of its slices' (or their median, their product, or a rule of your
# own). Every slice's own stands beside it. ``strongest`` are the slices without which the probability of the
# target falls most: here those through the ventricles. Most slices have narrow gaps, and so has the subject.
told = explanation.diagnostics["slices"]
print(f"{explanation.target_class}: p = {explanation.probabilities[explanation.target]:.3f}")
print("slices", told["places"][0], "to", told["places"][-1], "|", told["plane"], "|", told["view"])
print("strongest:", told["strongest"])

import matplotlib.pyplot as plt

_, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
ax.plot(told["places"], np.array(told["probabilities"])[:, explanation.target])
ax.axhline(explanation.probabilities[explanation.target], color="0.5", linestyle="--", label="the subject")
ax.set(xlabel="slice, from below", ylabel=f'probability of "{explanation.target_class}"', ylim=(0, 1))
ax.legend(frameon=False)

# %%
# Back onto the scan
# ------------------
#
# The map has the scan's own shape, orientation and affine, whatever the network was given: any viewer lays
# it exactly on the scan.
explanation.to_nifti(folder / "map.nii.gz")
scan, written = (nibabel.load(folder / name) for name in ("head.nii.gz", "map.nii.gz"))
print(written.shape == scan.shape, np.array_equal(written.affine, scan.affine))


# %%
# It is what one gets by hand: a slice laid as above, explained alone, and laid back.
def lay(plane):
    """Turn (right, front) into rows from the front and columns from the patient's right, and back."""
    return plane.T[::-1, ::-1]


place = told["strongest"][0]
alone = xaimri.explain(network, lay(explanation.image[:, :, place, 0]), "hirescam", target=1)
print(f"largest difference: {np.abs(lay(alone.values) - explanation.values[..., place]).max():.1e}")

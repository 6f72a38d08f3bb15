"""
A scan as a volume
==================

A NIfTI scan, a network with three spatial axes, and why it decides as it does: the same calls as for a slice,
and a map that lies on the scan in any viewer.
"""

# %%
# Scans with a known answer
# -------------------------
#
# :doc:`Phantoms </guide/phantom>`, brains made from a seed, without atrophy and with much of it. Only the
# ventricles change, so that it is known what a network must look at. The axes of the volumes are turned
# to what scans have: to the right, to the front, upwards.
from dataclasses import replace

import numpy as np

from xaimri.data import phantom

# sphinx_gallery_thumbnail_number = 1
SIZE = (36, 50, 42)
made = phantom.make(110, 1, SIZE, stages=(0, 3), change="ventricles", seed=0)


def turned(volume):
    """Turn (up, back, right) to (right, front, up)."""
    return np.ascontiguousarray(volume.transpose(2, 1, 0)[:, ::-1])


cases = [replace(case, source=turned(case.source), mask=turned(case.mask)) for case in made]
scans = replace(made, cases=cases)
learned, validation, new = scans[:70], scans[70:90], scans[90:]
print(scans[0].source.shape, f"voxels of {phantom.voxel_edge(SIZE):.1f} mm")

# %%
# A small network, trained
# ------------------------
#
# It takes voxels of 0 to 255 as they are; what prepares them is inside. A minute on two cores is enough.
from xaimri import training

network = training.build_cnn3d(scans.classes, size=scans[0].source.shape, seed=0)
settings = {"batch": 8, "learning_rate": 3e-3, "schedule": "cosine", "patience": 20, "progress": False}
result = training.train(network, (learned, validation), epochs=20, **settings)
print(f"epoch {result.best_epoch} was the best of {len(result.history['epoch'])}")

# %%
# Kept with its classes, read back, and tried on people whom it has not seen.
import tempfile
from pathlib import Path

import xaimri

folder = Path(tempfile.mkdtemp())
training.save(folder / "network", network, scans.classes, history=result.history)
model = xaimri.open_model(folder / "network")
right = model.predict(new).argmax(axis=1) == new.labels
print(f"{right.sum()} of {len(new)} new subjects are told right")

# %%
# A scan in a file
# ----------------
#
# One of the new subjects as a scanner may give it: stored from right to left, and the head a little
# turned. The affine says where each voxel lies in millimetres.
import nibabel

patient = next(case for case in new if case.label == 1)
edge, angle = phantom.voxel_edge(SIZE), np.deg2rad(5)
turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
affine = np.eye(4)
affine[:3, :3] = turn @ np.diag([-edge, edge, edge])
affine[:3, 3] = -affine[:3, :3] @ (np.array(patient.source.shape) - 1) / 2
path = folder / "patient_T1w.nii.gz"
nibabel.save(nibabel.Nifti1Image(patient.source[::-1], affine), path)

# %%
# Why this class?
# ---------------
#
# The path is the image. LIME hides supervoxels, all of them within the brain. A volume is shown in the
# three planes that hold most of the map, as radiologists look at them: the patient's right is on the
# left.
lime = xaimri.LIME(samples=400)
explanation = model.explain(path, lime, target="severe atrophy", of="logit")
explanation.figure(style="overlay")

# %%
# Other methods, asked the same, in the plane through the ventricles. A cell of the class activation map
# is 17 mm wide, and gradients are those of every voxel by itself.
compared = model.compare(
    path, [lime, "hirescam", "integrated_gradients"], target="severe atrophy", of="logit"
)
compared.figure(plane=(2, 19))

# %%
# Does it find the ventricles?
# ----------------------------
#
# The share of the positive relevance that lies in the changed tissue, over the share of the brain that
# this tissue takes, in the ten new subjects with atrophy. A map that knows nothing has 1.
ill = [case for case in new if case.label == 1]
methods = {
    "HiResCAM": "hirescam",
    "Grad-CAM": "gradcam",
    "integrated gradients": "integrated_gradients",
    "LIME": xaimri.LIME(samples=200),
}
for name, method in methods.items():
    gains = []
    for case in ill:
        found = model.explain(case.source, method, target="severe atrophy", of="logit")
        brain = case.source > 0
        mass = xaimri.metrics.relevance_mass(found, case.mask, within=brain)
        gains.append(np.nan_to_num(mass) / (case.mask & brain).sum() * brain.sum())
    print(f"{name:<22} {np.mean(gains):.2f} (from {min(gains):.2f} to {max(gains):.2f})")

# %%
# LIME finds them in every one. The class activation maps do better than chance on the whole, and miss them in
# some people: their cells are wider than a ventricle. Do not read anatomy off a single one.

# %%
# Back onto the scan
# ------------------
#
# The map is written on the grid of the scan's own file, which runs from right to left: any viewer lays it
# exactly on the scan. What was asked and found stands in a file beside it.
written = explanation.to_nifti(folder / "map.nii.gz")
scan, map_ = nibabel.load(path), nibabel.load(written)
print("same shape:", map_.shape == scan.shape, " same affine:", np.allclose(map_.affine, scan.affine))
print(sorted(file.name for file in folder.glob("map*")))

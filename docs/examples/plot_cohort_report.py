"""
From a folder to a report
=========================

A folder of images and a trained network: explain every image, and write the whole down as one page that a
radiologist can read. It opens in any browser, without a network.
"""

# %%
# A folder of images
# ------------------
#
# Slices of :doc:`phantoms </guide/phantom>`, brains made from a seed, whose ventricles are as they should be
# or much too wide. They lie in a folder for each class, and their names say whose they are. One file is
# broken, as some always are.
import tempfile
from pathlib import Path

from PIL import Image

from xaimri.data import phantom, read_folder, split

folder = Path(tempfile.mkdtemp())
for case in phantom.make(60, 2, (64, 52), stages=(0, 3), change="ventricles", seed=0):
    place = folder / "scans" / phantom.STAGES[case.label * 3] / f"{case.subject}_{case.slice}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(case.source).save(place)
scans = read_folder(folder / "scans", subject=r"(?P<subject>S\d+)_")
parts = split(scans, validation=0.2, test=0.5, seed=0)
print(parts.describe())

# %%
# A network, kept and tested
# --------------------------
#
# It is kept with its split, so that later nobody needs to remember who was trained on.
import keras

from xaimri import audit_split, experiment, training

keras.utils.set_random_seed(0)
layers = keras.layers
network = keras.Sequential([keras.Input((64, 52, 1)), layers.Rescaling(1 / 255)])
for features in (8, 16, 32):
    network.add(layers.Conv2D(features, 3, strides=2, padding="same", activation="relu"))
network.add(layers.Flatten())
network.add(layers.Dense(2, activation="softmax"))
settings = {"batch": 8, "learning_rate": 2e-3, "patience": 12, "progress": False}
result = training.train(network, (parts.train, parts.validation), epochs=12, **settings)

bundle = training.save(
    folder / "network", network, scans.classes, history=result.history, split=parts.record()
)
tested = experiment.evaluate(bundle, parts.test, bundle)
audit_split(parts.train, parts.test).save(bundle / "split_audit.json")
print(f"balanced accuracy by subject: {tested.subject.balanced_accuracy}")

# %%
# Explain all of the test
# -----------------------
#
# The rows go into Parquet files. Should this stop, the same call goes on. The broken file is a row with its
# sentence.
from dataclasses import replace

import xaimri
from xaimri.data import Case

(folder / "scans" / "broken.png").write_bytes(b"no image")
broken = Case("broken.png", 0, "S999", folder / "scans" / "broken.png")
cases = replace(parts.test, cases=(*parts.test, broken))
methods = ["gradcam", xaimri.LIME(samples=200, regions=40)]
cohort = xaimri.explain_cohort(bundle, cases, methods, out=folder / "cohort")
print(cohort)
print(cohort.filter(failed=True).table(["case", "failure"]).slice(0, 1).to_pylist()[0]["failure"])

# %%
# Write the report
# ----------------
#
# With the network it brings the model card; the evaluation and the audit lie beside the network, and are
# found there. With the training data each case has the training cases that are like it.
page = xaimri.report(cohort, folder / "report.html", model=bundle, training=parts.train)
print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")

# %%
# The page has a table of all cases, failures and doubts first, and for each case its maps side by side, its
# strongest regions in words, and similar training cases:
#
# .. image:: /figures/report_case.png
#    :alt: A case of a report: its prediction, four pictures side by side, and similar training cases.
#
# (This one is of a real slice, and of three methods.)
#
# From a shell it is ``xaimri report cohort/ -o report.html --model network/ --training scans/``.
#
# Mean maps
# ---------
#
# The report has the mean map of each class, with its error over subjects. As numbers they are:
for mean in cohort.class_means("gradcam"):
    row, column = divmod(int(mean.mean.argmax()), mean.mean.shape[1])
    value, error = mean.mean[row, column], mean.error[row, column]
    print(
        f"{mean.name}: strongest at row {row}, column {column}: {value:.3g} ± {error:.1g} "
        f"({mean.subjects} subjects)"
    )

# %%
# Which training cases are like this one
# --------------------------------------
#
# The same as numbers. Cases of the image's own subject are never among them.
first = parts.test[0]
near = xaimri.nearest_cases(bundle, {first.id: first.source}, parts.train, subjects={first.id: first.subject})
for name, listed in near[first.id].items():
    print(name, [f"{one.case.id} ({one.distance:.2f})" for one in listed])

"""How often the caveat `on_background` appears on networks that have no reason to look there.

    python benchmarks/background_evidence.py [--shared FOLDER] [--images 24]

Networks: those of the tests' zoo (random weights) on slices of the phantom; a small network that is
trained on the phantom here, on other subjects; and, where the folder is there, the two trained
networks on real slices of subjects that they have not seen. One line per network and method: maps
with the caveat, all maps, and the median share.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

import xaimri
from xaimri.data import alzheimer, phantom
from xaimri.doubts.background import background_share

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

METHODS = {
    "gradcam": xaimri.GradCAM(),
    "hirescam": xaimri.HiResCAM(),
    "saliency": "saliency",
    "input_x_gradient": "input_x_gradient",
    "smoothgrad": "smoothgrad",
    "occlusion": "occlusion",
    "lime": xaimri.LIME(samples=200),
}
SIZE = (96, 80)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    options.add_argument("--images", type=int, default=24)
    given = options.parse_args()
    print(f"{'network':24} {'method':18} told  maps  median share")
    slices = [case.source for case in phantom.make(subjects=given.images, slices=1, size=SIZE, seed=1)]
    zoo(slices[:2])
    count("trained on the phantom", xaimri.open_model(trained()), slices)
    if given.shared.is_dir():
        real(given.shared, given.images)


def zoo(slices: list) -> None:
    """Count over all networks of the zoo that take a picture."""
    from zoo import ZOO, make

    found: dict[str, list] = {}
    for name in ZOO:
        specimen = make(name)
        if len(specimen.shape) != 3 or not specimen.images(1).max() <= 1:
            continue
        model = xaimri.open_model(specimen.model, **specimen.options)
        scaled = [np.asarray(image, np.float32) / 255 for image in slices]
        for method, explainer in METHODS.items():
            if method != "lime":
                found.setdefault(method, []).extend(shares(model, scaled, explainer))
    for method, values in found.items():
        line("zoo, random weights", method, values)


def trained() -> keras.Model:
    """Train a small network on the phantom, to tell its stages apart."""
    keras.utils.set_random_seed(0)
    cases = phantom.make(subjects=160, slices=2, size=SIZE, seed=2)
    images = np.stack([case.source for case in cases]).astype(np.float32)[..., None]
    labels = np.array([case.label for case in cases])
    given = keras.Input((*SIZE, 1))
    maps = layers.Rescaling(1 / 255)(given)
    for features in (16, 32, 48):
        maps = layers.BatchNormalization()(
            layers.Conv2D(features, 3, padding="same", activation="relu")(maps)
        )
        maps = layers.MaxPooling2D()(maps)
    pooled = layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(given, layers.Dense(len(cases.classes), "softmax")(pooled))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(images, labels, batch_size=32, epochs=8, verbose=0)
    print(f"(accuracy on its own training subjects: {history.history['accuracy'][-1]:.2f})")
    return model


def real(shared: Path, images: int) -> None:
    """Count over real slices that the two trained networks have not seen."""
    cases = alzheimer.load(shared / "data" / "alzheimer")
    named = set(json.loads((shared / "models" / "test_subjects.json").read_text())["test_subjects"])
    unseen = [i for i, case in enumerate(cases) if case.subject in named]
    picked = np.random.default_rng(0).choice(unseen, images, replace=False)
    slices = [cases[int(i)].source for i in picked]
    for name, fit in (("resnet50_stages", "pad"), ("xception_dementia", "stretch")):
        network = keras.models.load_model(shared / "models" / f"{name}.keras")
        count(name, xaimri.open_model(network, fit=fit), slices)


def count(name: str, model: xaimri.Model, slices: list) -> None:
    """Print a line per method."""
    for method, explainer in METHODS.items():
        line(name, method, shares(model, slices, explainer))


def shares(model: xaimri.Model, slices: list, method: object) -> list[tuple[bool, float]]:
    """Return, for every map that can be had, whether it bears the caveat, and the share (0 below a half)."""
    found = []
    for image in slices:
        try:
            made = model.explain(image, method)
        except xaimri.XaimriError:
            continue
        step = made.diagnostics.get("grid", {}).get("step")
        told = any(caveat.name == "on_background" for caveat in made.caveats)
        found.append((told, background_share(np.asarray(made.image), np.asarray(made.values), step)))
    return found


def line(name: str, method: str, found: list[tuple[bool, float]]) -> None:
    """Print how often it appears."""
    if found:
        told, values = zip(*found, strict=True)
        print(f"{name:24} {method:18} {sum(told):4}  {len(told):4}  {np.median(values):.2f}", flush=True)


if __name__ == "__main__":
    main()

"""Are planted shortcuts found, and is nothing found where none is? Power of `xaimri.audit_model`.

``python benchmarks/shortcut_power.py --data FOLDER`` plants a mark in a corner, a bright rim around the
brain, or a shift of intensity into slices of the phantom and, with ``--data``, of the Alzheimer set, of
growing strength. A logistic regression of pixels is trained on some people, and audited on others whose
slices were planted in the same way. "told" is how often the intervention that takes the planted thing away
finds it, which for a rim is the filled outline, too; "falsely" how often any intervention finds anything
where the same thing is planted by chance, whatever the class.

Beside it stands the probe of ``shortkit-ml`` on the same features (``--shortkit FOLDER`` of its packages; it
needs no torch), which is told who has the planted thing: how often it puts the risk above low, where the
thing goes with the class and where it does not.
"""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation
from sklearn.linear_model import LogisticRegression

import xaimri
from xaimri.data import Case, Dataset, alzheimer, load_images, phantom
from xaimri.images.foreground import foreground

SIZE = (48, 44)
STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""In parts of the brightest pixel."""

TELLS = {"mark": ("erased", "background"), "rim": ("outline", "rim"), "intensity": ("intensity",)}
"""The interventions that take each planted thing away."""

CLASSES = ("a", "b")


def phantom_slices(count, seed):
    """Return slices of so many people of two stages, whose ventricles alone differ, with labels."""
    data = phantom.make(subjects=count, slices=1, size=SIZE, seed=seed, stages=(0, 2), change="ventricles")
    return load_images(data, SIZE)[..., 0], data.labels, np.array(data.subjects)


def real_slices(folder, count, seed):
    """Return the slices 14 to 20 of people with and without any dementia, as many of each."""
    data = alzheimer.load(folder)
    healthy = data.classes.index("NonDemented")
    generator, chosen = np.random.default_rng(seed), []
    for ill in (False, True):
        people = sorted({c.subject for c in data if (c.label != healthy) == ill})
        chosen += generator.permutation(people)[: count // 2].tolist()
    kept = data.take(i for i, c in enumerate(data) if c.subject in set(chosen) and c.slice == 17)
    return (
        load_images(kept, SIZE, fit="pad")[..., 0],
        (kept.labels != healthy).astype(int),
        np.array(kept.subjects),
    )


def planted(images, groups, kind, strength):
    """Plant something into the images of the second group."""
    found = images.copy()
    high = float(images.max())
    for image, group in zip(found, groups, strict=True):
        if not group:
            continue
        inside = foreground(image[..., None])
        if kind == "mark":
            image[1:5, 1:5] += strength * high
        elif kind == "rim":
            image[binary_dilation(inside) & ~inside] += strength * high
        else:
            image[inside] *= 1 + strength
    return found


def network_of(images, labels):
    """Train a logistic regression of pixels, as a network of one layer."""
    flat = images.reshape(len(images), -1)
    middle, spread = flat.mean(axis=0), flat.std() + 1e-6
    fitted = LogisticRegression(C=0.003, max_iter=500).fit((flat - middle) / spread, labels)
    weights = (fitted.coef_[0] / spread).reshape(SIZE)
    bias = float(fitted.intercept_[0] - (fitted.coef_[0] * middle / spread).sum())
    both = np.stack([np.zeros(SIZE), weights])[..., None]
    return xaimri.LinearClassifier(both, bias=[0.0, bias], classes=CLASSES)


def trial(source, kind, strength, by_class, seed, shortkit):
    """Tell whether the planted thing is told, and at which risk the other package puts it."""
    images, labels, subjects = source
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    groups = labels if by_class else generator.permutation(labels)
    made = planted(images, groups, kind, strength)
    network = network_of(made[train], labels[train])
    cases = tuple(Case(str(i), int(labels[i]), str(subjects[i]), made[i]) for i in test)
    audit = xaimri.audit_model(
        network, Dataset(CLASSES, cases), interventions=sorted({n for t in TELLS.values() for n in t}),
        maps=0, probes=False, resamples=100, seed=seed,
    )  # fmt: skip
    found = {effect.name for effect in audit.effects if effect.found}
    risk = shortkit(network.features(made[test][..., None]), labels[test], groups[test]) if shortkit else None
    told = found & set(TELLS[kind]) if by_class else found
    return bool(told), audit.plain.value, risk


def shortkit_of(folder):
    """Return what asks ``shortkit-ml`` whether groups are a shortcut in features; None where it is not."""
    if folder is None:
        return None
    sys.path.append(str(folder))
    from shortcut_detect import ShortcutDetector

    def ask(features, labels, groups):
        detector = ShortcutDetector(methods=["probe"])
        with redirect_stdout(io.StringIO()):
            detector.fit(features.astype(np.float32), labels, group_labels=groups)
        return detector.results_["probe"]["risk_value"] != "low"

    return ask


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the Alzheimer slices")
    parser.add_argument("--people", type=int, default=120, help="half of them to train on")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--shortkit", type=Path, help="folder of the packages of shortkit-ml")
    options = parser.parse_args()
    shortkit = shortkit_of(options.shortkit)
    sources = {"phantom": phantom_slices(options.people, 0)}
    if options.data:
        sources["real"] = real_slices(options.data, options.people, 0)
    print(f"{options.people} people, half of them audited; {options.trials} trials a row")
    print(f"{'slices':9}{'planted':11}strength   told  falsely  accuracy   shortkit  its false ones")
    for name, source in sources.items():
        for kind in TELLS:
            for strength in STRENGTHS:
                rows = [
                    [trial(source, kind, strength, by, seed, shortkit) for seed in range(options.trials)]
                    for by in (True, False)
                ]
                told, falsely = (np.mean([one for one, *_ in row]) for row in rows)
                accuracy = np.mean([one for _, one, _ in rows[0]])
                other = [f"{np.mean([one for *_, one in row]):.2f}" if shortkit else "-" for row in rows]
                print(
                    f"{name:9}{kind:11}{strength:8.2f}{told:7.2f}{falsely:9.2f}{accuracy:10.2f}"
                    f"{other[0]:>11}{other[1]:>11}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

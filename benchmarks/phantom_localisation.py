"""See whether the maps of a network trained on the phantom lie on what the disease changed.

    python benchmarks/phantom_localisation.py --out runs/phantom

Trains a ResNet50 on the phantom (or goes on where it stopped), evaluates it on held-out subjects, and takes
for their cases of stages 1 to 3 the share of positive relevance inside the changed region, over that region's
share of the brain. Beside Grad-CAM and LIME stand maps that know nothing of the network (a centred Gaussian,
the image's own intensity) and the same methods on the network before training. A subject none of whose maps
holds positive relevance counts as 0. Intervals are 95 % by bootstrap over subjects. ``--figure FILE`` draws
the table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import xaimri
from xaimri import GradCAM, experiment, training
from xaimri.data import phantom, split
from xaimri.render import save

SIZE = (96, 96)
LAYER = "conv4_block6_out"


def main() -> None:
    """Train, explain, print the table, draw it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=Path("runs/phantom"))
    options.add_argument("--figure", type=Path)
    options.add_argument("--subjects", type=int, default=140)
    options.add_argument("--epochs", type=int, default=20)
    options.add_argument("--samples", type=int, default=100, help="of LIME")
    given = options.parse_args()
    dataset = phantom.make(subjects=given.subjects, slices=4, size=SIZE, seed=1)
    parts = split(dataset, validation=0.1, test=0.3, seed=1)
    settings = {
        "epochs": (0, given.epochs),
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "patience": given.epochs,
    }
    bundle = experiment.train(dataset, parts, given.out, size=SIZE, seed=1, **settings)
    print(experiment.evaluate(bundle, parts.test, given.out))
    untrained = training.build_resnet50(dataset.classes, SIZE, None, seed=1)
    gains = _gains(bundle.model, untrained, parts.test, given.samples)
    table = {name: _interval(values) for name, values in gains.items()}
    table |= {
        f"{m} less {o}": _interval(gains[m] - gains[o]) for m in ("Grad-CAM", "LIME") for o in gains if o != m
    }
    for name, (mean, low, high) in table.items():
        print(f"{name:<44} {mean:6.2f} [{low:.2f}, {high:.2f}]")
    (given.out / "localisation.json").write_text(json.dumps(table, indent=1))
    if given.figure:
        save(_figure({name: table[name] for name in gains}), given.figure)


def _gain(values, answer, within) -> float:
    """Share of positive relevance inside the answer, over the answer's share of the brain; 1 by chance."""
    positive = np.where(within, np.clip(values, 0, None), 0).astype(np.float64)
    total, inside = float(positive.sum()), answer & within
    return float(positive[inside].sum() / total / (inside.sum() / within.sum())) if total else float("nan")


def _gains(model, untrained, test, samples: int) -> dict[str, np.ndarray]:
    """Mean gain per subject, in the same order for every kind of map."""
    methods = {"Grad-CAM": GradCAM(layer=LAYER), "LIME": xaimri.LIME(samples=samples, absent="mean")}
    rows: dict[str, dict[str, list[float]]] = {}
    for case in test:
        if case.label == 0:
            continue
        image, mask = np.asarray(case.source), case.mask
        maps = {"centred Gaussian": _gaussian(image.shape), "intensity": image.astype(float)}
        for name, method in methods.items():
            maps[name] = xaimri.explain(model, image, method, target=case.label).values
            maps[f"{name}, untrained network"] = xaimri.explain(
                untrained, image, method, target=case.label
            ).values
        for name, values in maps.items():
            gain = _gain(np.asarray(values), mask, image > 0)
            rows.setdefault(name, {}).setdefault(case.subject, []).append(gain)
    return {
        name: np.array([np.nan_to_num(np.nanmean(g), nan=0.0) for g in by.values()])
        for name, by in rows.items()
    }


def _gaussian(shape: tuple[int, ...]) -> np.ndarray:
    """Bell in the middle of the image, a quarter of its side wide."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return np.exp(-sum(a**2 for a in axes) / (2 * 0.5**2))


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    drawn = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def _figure(table: dict[str, tuple[float, float, float]]) -> Figure:
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    ax = figure.subplots()
    for i, (mean, low, high) in enumerate(table.values()):
        ax.plot([low, high], [i, i], color="0.4", linewidth=2)
        ax.plot(mean, i, "o", color="#d1603d")
    ax.axvline(1, color="0.7", linewidth=1)
    ax.set_yticks(range(len(table)), list(table))
    ax.invert_yaxis()
    ax.set_xlabel("relevance in the changed region / its share of the brain (1 = chance)")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main()

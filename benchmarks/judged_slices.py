"""A real judgement: methods and two controls on real slices of people that the network has not seen.

    python benchmarks/judged_slices.py [--shared FOLDER] [--cases 30] [--out FOLDER]

The trained ResNet50 at 96 pixels, a slice per subject, the predicted class. Beside the methods stand two
maps that know nothing of the network: noise, and the image's own brightness. Written are the table, the heat
table, the deletion curves, and a cascade of destroyed layers for one slice.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from controls import Brightness, Noise
from real_slices import SHARED, held_out, network

import xaimri
from xaimri import metrics
from xaimri.charts import cascade, heat_table, metric_curves
from xaimri.data import Dataset
from xaimri.images.intake import Intake
from xaimri.render import save

ASKED = (
    "deletion", "insertion", "road", "infidelity", "randomisation", "sparseness",
    partial(metrics.max_sensitivity, samples=5),
)  # fmt: skip


def main() -> None:
    """Judge, print, draw."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, default=SHARED)
    options.add_argument("--cases", type=int, default=30)
    options.add_argument("--out", type=Path, default=Path("runs/judged"))
    given = options.parse_args()
    classifier, _ = network(given.shared)
    cases = one_each(given.shared, given.cases)
    explainers = {
        "gradcam": xaimri.GradCAM(relu=False),
        "integrated_gradients": xaimri.IntegratedGradients(most=60),
        "lime": xaimri.LIME(samples=200, regions=30, absent="mean"),
        "noise": Noise(),
        "brightness": Brightness(),
    }
    found = xaimri.evaluate_explanations(explainers, classifier, cases, ASKED, fit="pad")
    print(found)
    given.out.mkdir(parents=True, exist_ok=True)
    found.save(given.out / "rows.csv")
    save(heat_table(found), given.out / "heat.png")
    save(metric_curves(found, "deletion"), given.out / "deletion.png")
    image = Intake((96, 96, 1), "pad").take(cases[0].source).fitted
    down = {
        name: metrics.randomisation(explainers[name], classifier, image, steps=12)
        for name in ("gradcam", "integrated_gradients")
    }
    save(cascade(down), given.out / "cascade.png")


def one_each(shared: Path, count: int) -> Dataset:
    """Return one slice of each of so many subjects that the network has not seen."""
    data, unseen = held_out(shared)
    order = np.random.default_rng(0).permutation(len(data)).tolist()
    first: dict[str, int] = {}
    for place in order:
        subject = data[place].subject
        if subject in unseen:
            first.setdefault(subject, place)
    return data.take(sorted(list(first.values())[:count]))


if __name__ == "__main__":
    main()

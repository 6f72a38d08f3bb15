"""The people that the trained ResNet50 has not seen, each as one volume of 32 slices.

``python benchmarks/real_subjects.py [--all] [--method gradcam] [--subjects N] [--figure FILE]`` prints how
often the combined probabilities name the true class, by each way of combining them, what share of slices
agrees with its subject, and which caveats the maps have.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from real_slices import held_out, network

from xaimri import Slices, open_model
from xaimri.data import join_slices

RULES = ("mean", "median", "product")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--method", default="gradcam")
    arguments.add_argument("--subjects", type=int)
    arguments.add_argument("--all", action="store_true", help="Also those that the network was trained on.")
    arguments.add_argument("--figure", help="Draw the first subject whose slices agree least into this file.")
    given = arguments.parse_args()
    dataset, unseen = held_out()
    joined = join_slices(dataset)
    chosen = [n for n, case in enumerate(joined) if given.all or case.subject in unseen]
    subjects = joined.take(chosen[: given.subjects])
    _, net = network()
    opened = open_model(net, classes=dataset.classes, fit="pad", slices="all")
    found = opened.explain_all(subjects, given.method)
    truth = np.array([case.label for case in subjects])
    rows = [np.array(one.diagnostics["slices"]["probabilities"]) for one in found]
    print(f"{len(found)} subjects explained, {len(found.failures)} failures; {found[0]}")
    for rule in RULES:
        named = np.array([Slices(combine=rule).combined(each).argmax() for each in rows])
        print(f"{rule:8} {int((named == truth).sum())} of {len(truth)} subjects right")
    agree = [
        float((each.argmax(axis=1) == one.predicted).mean()) for each, one in zip(rows, found, strict=True)
    ]
    print(f"slices that agree with their subject: mean {np.mean(agree):.2f}, least {np.min(agree):.2f}")
    needed = [one.diagnostics["slices"]["needed"] for one in found]
    counted = [each for each in needed if each is not None]
    print(
        f"slices to take away until another class wins: median {np.median(counted):.0f} of 32, "
        f"never in {needed.count(None)}"
    )
    print("caveats:", dict(Counter(caveat.name for one in found for caveat in one.caveats).most_common()))
    if given.figure:
        least = int(np.argmin(agree))
        print(f"figure of {subjects[least].id}, class {dataset.classes[truth[least]]}")
        found[least].save(given.figure, style="mosaic")


if __name__ == "__main__":
    main()

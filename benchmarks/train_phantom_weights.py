"""Train the weights that the package ships: a ResNet50 of a quarter of the width, on phantoms.

    python benchmarks/train_phantom_weights.py --out src/xaimri/training/phantom_resnet50.npz

Its classes are no atrophy, and three stages each of atrophy in the ventricles, the hippocampi, the sulci and
all of them, so that it must look at each. A slice that doesn't cut what changes is left out. The subjects are
those of the seeds in `xaimri.data.phantom.TRAINED_SEEDS`, which nothing else uses. The log of the run that
made the file lies beside this script.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from xaimri.data import Dataset, phantom
from xaimri.training import build_resnet50, train
from xaimri.training.backbone import PHANTOM_WIDTH, pack
from xaimri.training.resnet import backbone_of

CHANGES = get_args(phantom.Change)
SIZE = (128, 128)


def main() -> None:
    """Make the phantoms, train, write the file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--subjects", type=int, default=160, help="for each of the four changes")
    options.add_argument("--epochs", type=int, default=14)
    given = options.parse_args()
    learned, held = (
        mixed(n, first) for n, first in ((given.subjects, 0), (given.subjects // 8, len(CHANGES)))
    )
    print(
        f"{len(learned)} slices to learn from, {len(held)} held out, {len(learned.classes)} classes",
        flush=True,
    )
    model = build_resnet50(learned.classes, SIZE, None, dense=0, dropout=0.2, seed=1, width=PHANTOM_WIDTH)
    recipe = {"learning_rate": 1e-3, "schedule": "cosine", "patience": given.epochs, "batch": 32}
    result = train(model, (learned, held), epochs=(0, given.epochs), **recipe)
    print(f"kept epoch {result.best_epoch}, {sum(result.history['seconds']):.0f} s in all")
    np.savez_compressed(given.out, **pack(backbone_of(model)))
    print(f"{given.out.name}: {given.out.stat().st_size / 1e6:.2f} MB")


def mixed(subjects: int, first: int) -> Dataset:
    """Make so many subjects of every change, each with a seed of its own, and name what was changed."""
    classes = ["no atrophy"] + [f"{stage}, {change}" for change in CHANGES for stage in phantom.STAGES[1:]]
    cases = []
    for number, change in enumerate(CHANGES):
        seed = phantom.TRAINED_SEEDS[first + number]
        for case in phantom.make(subjects, 4, SIZE, seed, change=change):
            if case.mask.any():
                label = 3 * number + case.label if case.label else 0
                names = {"id": f"{change}/{case.id}", "subject": f"{change}/{case.subject}"}
                cases.append(replace(case, label=label, **names))
    return Dataset(tuple(classes), tuple(cases))


if __name__ == "__main__":
    main()

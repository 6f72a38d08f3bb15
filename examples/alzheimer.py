"""The Alzheimer experiment, done right on real slices.

Splits by subject, trains a ResNet50, evaluates it on people it has never seen, and explains one case of
each class with Grad-CAM and LIME. Run it again to go on where it stopped.

    python examples/alzheimer.py --data FOLDER --out runs/alzheimer

FOLDER is the data set as Kaggle ships it (``xaimri data alzheimer`` downloads it).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from xaimri import LIME, GradCAM, experiment
from xaimri.data import Dataset, alzheimer, split


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder of the data set")
    options.add_argument("--out", type=Path, default=Path("runs/alzheimer"), help="where everything is kept")
    options.add_argument("--size", type=int, default=96, help="side of the network's input in pixels")
    options.add_argument("--epochs", type=int, default=6, help="most epochs")
    options.add_argument("--weights", help='"imagenet" or a weight file; random by default')
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()

    dataset = alzheimer.load(given.data)
    parts = split(dataset, validation=0.15, test=0.25, seed=given.seed)
    print(parts.describe())

    bundle = experiment.train(
        dataset,
        parts,
        given.out,
        size=(given.size, given.size),
        weights=given.weights,
        fit="pad",
        seed=given.seed,
        epochs=(0, given.epochs) if given.weights is None else (3, given.epochs),
        learning_rate=(1e-3, 3e-4 if given.weights is None else 1e-4),
        schedule="cosine",
        batch=16,
        class_weights=mild_weights(parts.train),
        patience=given.epochs,
    )
    print(experiment.evaluate(bundle, parts.test, given.out))
    methods = (GradCAM(layer="conv4_block6_out"), LIME())
    experiment.explain_classes(bundle, parts, given.out, methods)


def mild_weights(training: Dataset) -> dict[str, float]:
    """Weigh classes by the root of their rarity: the only subject of a class would else count thirty-fold."""
    counts = np.bincount(training.labels, minlength=len(training.classes))
    return dict(zip(training.classes, np.sqrt(counts.max() / counts).tolist(), strict=True))


if __name__ == "__main__":
    main()

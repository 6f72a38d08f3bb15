"""What the 95 % of a well-known notebook are worth: its protocol, and the same network split by people.

Two networks learn by one recipe, from as many images, for as many steps. The leaky one takes the notebook's
way: altered copies of every slice, a random split of the images, and the test images to choose the epoch by.
The honest one is split by subject first, copied after, and chosen on people apart. Both are then asked about
people whom neither has seen.

    python examples/what_95_means.py --data FOLDER --out runs/what_95_means

FOLDER is the data set as Kaggle ships it (``xaimri data alzheimer`` downloads it). Run it again to go on
where it stopped; ``--only leaky`` and ``--only honest`` train one of them, so that two processes can share
the work. ``--audit`` also asks what both go by, on six slices of each of the people, and draws maps of both
side by side: ``audit_leaky.html``, ``audit_honest.html``, ``maps.png``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from xaimri import Model, audit_model, open_model
from xaimri.data import Dataset, Split, alzheimer, load_images, split
from xaimri.evaluation import evaluate
from xaimri.explainers import HiResCAM
from xaimri.training import Augmentation, build_resnet50, load, save, train

COPIES = {"NonDemented": 2, "VeryMildDemented": 3, "MildDemented": 9, "ModerateDemented": 100}
"""How many altered copies of each slice the published augmented copy holds, by class."""

SLICES = (4, 9, 14, 19, 24, 29)
"""Which of the 32 of each person the audits take."""

LAYER = "conv3_block4_out"
"""Of 8 x 8 cells at 64 pixels, whose maps are drawn."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder of the data set")
    options.add_argument("--out", type=Path, default=Path("runs/what_95_means"), help="where all is kept")
    options.add_argument("--size", type=int, default=64, help="side of the networks' input in pixels")
    options.add_argument("--epochs", type=int, default=14)
    options.add_argument("--only", choices=("leaky", "honest"), help="train this one, and stop")
    options.add_argument("--audit", action="store_true", help="ask what both go by, and draw their maps")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()

    people = split(alzheimer.load(given.data), validation=0.15, test=0.25, seed=given.seed)
    leaky, honest = leaky_parts(people, given.size, given.seed), honest_parts(people, given.size, given.seed)
    honest = (honest[0][: len(leaky[0])], honest[1])
    for name, parts in (("leaky", leaky), ("honest", honest)):
        if given.only in (None, name):
            print(f"{name}: {len(parts[0])} images to learn from, {len(parts[1])} to choose the epoch by")
            learn(parts, people if name == "honest" else None, given.out / name, given)
    if given.only is None:
        tell(given.out, leaky[1], people.test)
    if given.only is None and given.audit:
        ask(given.out, people.test)


def leaky_parts(people: Split, size: int, seed: int) -> tuple[Dataset, Dataset]:
    """Copy every slice of the people who may be learned from, then split the images at random, 80 to 20."""
    both = replace(people.train, cases=(*people.train, *people.validation))
    images = with_copies(both, size, seed)
    order = np.random.default_rng(seed).permutation(len(images))
    cut = round(0.8 * len(images))
    return images.take(order[:cut]), images.take(order[cut:])


def honest_parts(people: Split, size: int, seed: int) -> tuple[Dataset, Dataset]:
    """Copy the slices of the training people alone; whom the epoch is chosen on stay as they are."""
    images = with_copies(people.train, size, seed)
    return images.take(np.random.default_rng(seed).permutation(len(images))), people.validation


def with_copies(dataset: Dataset, size: int, seed: int) -> Dataset:
    """Return every slice at the network's size, and its altered copies."""
    images = load_images(dataset, (size, size), fit="pad")
    counts = np.array([COPIES[dataset.classes[case.label]] for case in dataset])
    alter, cases = Augmentation(), []
    for number in range(1 + counts.max()):
        chosen = np.flatnonzero(counts >= number)
        shown = images[chosen] if number == 0 else alter(images[chosen], tf.constant([seed, number])).numpy()
        pixels = np.clip(np.rint(shown[..., 0]), 0, 255).astype(np.uint8)
        for place, picture in zip(chosen, pixels, strict=True):
            case = dataset[int(place)]
            cases.append(replace(case, id=f"{case.id} copy {number}" if number else case.id, source=picture))
    return replace(dataset, cases=tuple(cases), origin=None)


def learn(
    parts: tuple[Dataset, Dataset], people: Split | None, folder: Path, given: argparse.Namespace
) -> None:
    """Train one network from the weights in the package, and keep it."""
    model = build_resnet50(
        parts[0].classes, (given.size, given.size), "phantom", width=0.25, trainable="all", seed=given.seed
    )
    recipe = {"learning_rate": 1e-3, "schedule": "cosine", "batch": 32, "class_weights": None, "fit": "pad"}
    result = train(
        model, parts, folder=folder / "checkpoint", epochs=(0, given.epochs), augment=False,
        patience=given.epochs, seed=given.seed, copies="tell", **recipe,
    )  # fmt: skip
    record = None if people is None else people.record()
    save(folder, model, parts[0].classes, fit="pad", split=record, history=result.history)


def tell(folder: Path, leaked: Dataset, unseen: Dataset) -> None:
    """Print how often each is right: as the notebook counts (intervals over images), and on unseen people."""
    leaky, honest = opened(folder)
    own = evaluate(leaky.predict(leaked), leaked.labels, range(len(leaked)), leaky.classes)
    rows = [("leaky, its test images", own)]
    for name, model in (("leaky", leaky), ("honest", honest)):
        rows.append((f"{name}, unseen people", evaluate(model.predict(unseen), unseen)))
    for words, report in rows:
        print(f"{words:24s} accuracy {report.slice.accuracy}, balanced {report.slice.balanced_accuracy}")


def ask(folder: Path, unseen: Dataset) -> None:
    """Print what both networks go by, on some slices of unseen people, and lay maps of both side by side."""
    some = replace(unseen, cases=tuple(case for case in unseen if case.slice in SLICES))
    middle = [case for case in some if case.slice == SLICES[3]]
    method, maps = HiResCAM(layer=LAYER), []
    for name, model in zip(("leaky", "honest"), opened(folder), strict=True):
        found = audit_model(model, some, method=method)
        print(f"\n{name} network, {len(some)} slices of unseen people\n{found}")
        found.save(folder / f"audit_{name}.html")
        maps.append([model.explain(case.source, method, target=case.label, of="logit") for case in middle])
    alike = [np.corrcoef(a.values.ravel(), b.values.ravel())[0, 1] for a, b in zip(*maps, strict=True)]
    print(f"\nMaps of both for the same {len(middle)} slices: correlation {np.nanmean(alike):.2f} on average")
    shown = [next(n for n, case in enumerate(middle) if case.label == label) for label in range(4)]
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    for row, name, own in zip(figure.subplots(2, 4), ("leaky", "honest"), maps, strict=True):
        for axes, place in zip(row, shown, strict=True):
            own[place].plot(axes, title=f"{name}: {some.classes[middle[place].label]}")
    figure.savefig(folder / "maps.png")


def opened(folder: Path) -> tuple[Model, Model]:
    """Open both networks."""
    leaky, honest = (open_model(load(folder / name)) for name in ("leaky", "honest"))
    return leaky, honest


if __name__ == "__main__":
    main()

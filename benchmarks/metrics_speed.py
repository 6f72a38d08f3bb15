"""What metrics cost beyond the predictions that they need: seconds, in units of those, and memory.

    python benchmarks/metrics_speed.py [--shared FOLDER] [--images 20] [--rounds 3] [--engine tensorflow]

The trained ResNet50 at 96 pixels and held-out real slices. The bare side predicts as many images as the
metric did, on the same engine, in the best batch size. Deletion and insertion judge one map per image, and
five; ROAD, which solves a linear system for each prediction, is listed last. Memory is the peak of what
Python and NumPy hold, in units of the largest batch, for few maps and for many.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from ratio import medians
from real_slices import SHARED, network, slices

from xaimri import Saliency, metrics
from xaimri.judging import METRICS
from xaimri.perturb.progress import watched
from xaimri.perturb.responses import MOST, even_batch, fastest

HIDING = ("infidelity", "sensitivity_n", "faithfulness_correlation", "completeness_gap", "average_drop")


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, default=SHARED)
    options.add_argument("--images", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--engine", default="tensorflow", help="of both sides")
    given = options.parse_args()
    classifier, _ = network(given.shared, engine=given.engine)
    images = np.stack(slices(given.images, given.shared))
    print("| metric | maps | predictions | metric / bare predictions |\n|---|---|---|---|")
    for explainers in (1, 5):
        maps = drawn(classifier, images, explainers)
        both = partial(deleted_and_inserted, maps, classifier)
        row(f"deletion and insertion, {explainers} per image", both, maps, classifier, given.rounds)
    maps = drawn(classifier, images[:5], 2)
    for name in HIDING:
        measure = partial(METRICS[name].function, maps, classifier)
        row(name, measure, maps, classifier, given.rounds)
    row("road", partial(metrics.road, maps, classifier), maps, classifier, given.rounds)
    print("\n| deletion and insertion of | peak, in batches |\n|---|---|")
    for count in (2, given.images):
        maps = drawn(classifier, images[:count], 5)
        print(f"| {len(maps)} maps | {held(partial(deleted_and_inserted, maps, classifier), images):.1f} |")


def drawn(classifier, images: np.ndarray, count: int) -> list:
    """Return so many random maps of every image: what a metric costs does not depend on the map."""
    own = Saliency().explain(classifier, images)
    noise = np.random.default_rng(0).normal(size=(count, len(own), *own[0].values.shape))
    return [replace(each, values=noise[k, n]) for n, each in enumerate(own) for k in range(count)]


def deleted_and_inserted(maps: list, classifier) -> None:
    metrics.deletion(maps, classifier)
    metrics.insertion(maps, classifier)


def row(name: str, measure: Callable[[], object], maps: list, classifier, rounds: int) -> None:
    """Print how long a metric takes, in units of as many bare predictions."""
    counts = [0]

    def count(done: int, _: int) -> None:
        counts[0] = done

    with watched(count):
        measure()
    (predictions,), shape = counts, maps[0].image.shape
    model, size = fastest(classifier, predictions, shape), even_batch(predictions)
    batch = np.repeat(maps[0].image[None], size, axis=0)

    def bare() -> None:
        for _ in range(-(-predictions // size)):
            model.logits(batch)

    found = medians({"metric": measure, "bare": bare}, rounds)
    ratio = found["metric"] / found["bare"]
    print(f"| {name} | {len(maps)} | {predictions:,} | {ratio:.2f} |", flush=True)


def held(measure: Callable[[], object], images: np.ndarray) -> float:
    """Return the peak of what is held while it runs, in batches of images."""
    measure()
    tracemalloc.start()
    measure()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (MOST * images[0].astype(np.float32).nbytes)


if __name__ == "__main__":
    main()

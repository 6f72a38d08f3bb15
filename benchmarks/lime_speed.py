"""LIME on a ResNet50 at 224 pixels against the bare prediction of as many images: time and peak memory.

    python benchmarks/lime_speed.py [--samples 1000] [--rounds 2]

Run it with nothing else running. Peak memory is measured in processes of their own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf
from ratio import medians

import xaimri

SIZE = 224


def main() -> None:
    """Print the ratio of times and the difference of peaks."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--samples", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--peak", choices=["bare", "lime"], help="print one way's peak memory in MB")
    given = options.parse_args()
    if given.peak:
        way = Bare(given.samples, 28) if given.peak == "bare" else Lime(given.samples)
        way()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    ways = {"LIME": Lime(given.samples), **{f"bare, batch {b}": Bare(given.samples, b) for b in (25, 40)}}
    seconds = medians(ways, given.rounds, warm=False)
    for name, value in seconds.items():
        print(f"{name}: {value:.1f} s for {given.samples} images")
    lime = seconds.pop("LIME")
    print(f"LIME takes {lime / min(seconds.values()):.3f} times the best bare prediction")
    peaks = {way: _peak(way, given.samples) for way in ("bare", "lime")}
    print(f"peak memory: bare {peaks['bare']:.0f} MB, LIME {peaks['lime'] - peaks['bare']:+.0f} MB")


def network() -> tuple[keras.Model, np.ndarray]:
    """Make the network, and an image for it."""
    image = np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    return keras.applications.ResNet50(weights=None, classes=4), image


class Bare:
    """Predict as many images as fit, in batches of one size; compiled and warm."""

    def __init__(self, samples: int, batch: int) -> None:
        model, image = network()
        self.rounds, self.images = samples // batch, np.repeat(image[None], batch, axis=0)
        self.forward = tf.function(lambda x: model(x, training=False), autograph=False)
        self.forward(tf.constant(self.images))

    def __call__(self) -> None:
        for _ in range(self.rounds):
            self.forward(tf.constant(self.images)).numpy()


class Lime:
    """Explain one image; compiled and warm."""

    def __init__(self, samples: int) -> None:
        model, image = network()
        self.classifier, self.images = xaimri.KerasClassifier(model), image[None]
        self.explainer = xaimri.LIME(samples=samples)
        xaimri.LIME(samples=56).explain(
            self.classifier, self.images
        )  # traces the batch of 28 that 1,000 take

    def __call__(self) -> None:
        self.explainer.explain(self.classifier, self.images)


def _peak(way: str, samples: int) -> float:
    command = [sys.executable, __file__, "--peak", way, "--samples", str(samples)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


if __name__ == "__main__":
    main()

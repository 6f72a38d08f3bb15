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
        _ways(given.samples, (28,))["lime" if given.peak == "lime" else "bare, batch 28"]()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    seconds = medians(_ways(given.samples, (28, 32)), given.rounds, warm=False)
    lime = seconds.pop("lime")
    for name, value in seconds.items():
        print(f"{name}: {value:.1f} s for {given.samples} images")
    print(f"LIME: {lime:.1f} s, {lime / min(seconds.values()):.3f} times the best bare prediction")
    peaks = {way: _peak(way, given.samples) for way in ("bare", "lime")}
    print(f"peak memory: bare {peaks['bare']:.0f} MB, LIME {peaks['lime'] - peaks['bare']:+.0f} MB")


def _ways(samples: int, batches: tuple[int, ...]) -> dict:
    model = keras.applications.ResNet50(weights=None, classes=4)
    image = np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    classifier, explainer = xaimri.KerasClassifier(model), xaimri.LIME(samples=samples)
    forward = tf.function(lambda x: model(x, training=False), autograph=False)

    def bare(batch: int, count: int = samples) -> None:
        images = np.repeat(image[None], batch, axis=0)
        for _ in range(0, count, batch):
            forward(tf.constant(images)).numpy()

    for batch in batches:
        bare(batch, 2 * batch)
    xaimri.LIME(samples=56).explain(classifier, image[None])  # traces the batch of 28 that 1,000 samples take
    ways = {f"bare, batch {batch}": (lambda batch=batch: bare(batch)) for batch in batches}
    return {**ways, "lime": lambda: explainer.explain(classifier, image[None])}


def _peak(way: str, samples: int) -> float:
    command = [sys.executable, __file__, "--peak", way, "--samples", str(samples)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


if __name__ == "__main__":
    main()

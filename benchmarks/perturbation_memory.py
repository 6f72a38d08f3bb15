"""Peak memory of 10,000 perturbed images at 224 pixels, above that of bare predictions of as many.

    python benchmarks/perturbation_memory.py [--samples 10000]

Each way runs in a process of its own. The network is small, so that the run is short: measured is what the
explainers hold, and that does not depend on the network.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

import xaimri

SIZE, BATCH = 224, 32


def main() -> None:
    """Print a line per way."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--samples", type=int, default=10_000)
    options.add_argument("--way", choices=["bare", *WAYS])
    given = options.parse_args()
    if given.way:
        run(given.way, given.samples)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    base = peak("bare", given.samples)
    print(f"bare predictions: {base:.0f} MB")
    for way in WAYS:
        print(f"{way}: {peak(way, given.samples) - base:+.0f} MB", flush=True)


def peak(way: str, samples: int) -> float:
    command = [sys.executable, __file__, "--way", way, "--samples", str(samples)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def run(way: str, samples: int) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Conv2D(8, 7, 4, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    image = np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    if way == "bare":
        forward = tf.function(lambda x: model(x, training=False), autograph=False)
        batch = np.repeat(image[None], BATCH, axis=0)
        for _ in range(samples // BATCH):
            forward(tf.constant(batch)).numpy()
        return
    classifier = xaimri.KerasClassifier(model)
    WAYS[way](samples).explain(classifier, image[None])


WAYS = {
    "LIME": lambda n: xaimri.LIME(samples=n),
    "LIME, adjusted": lambda n: xaimri.LIME(samples=n, adjust=True),
    "SHAP": lambda n: xaimri.SHAP(samples=n),
    "RISE": lambda n: xaimri.RISE(samples=n),
}

if __name__ == "__main__":
    main()

"""A ResNet50 of 224 pixels over 160 slices: Grad-CAM against bare forward passes, and the memory it takes.

``python benchmarks/slices_speed.py [--rounds 3] [--slices 160]`` alternates the two in one run, so that only
the ratio counts; on a busy machine that of processor time is the steadier one. The bare passes are a compiled
function over the same slices, which were brought to the network's grid before, in batches of 32.
"""

from __future__ import annotations

import argparse
import resource
import time
from statistics import median

import keras
import numpy as np
import tensorflow as tf

from xaimri import open_model
from xaimri.images import Picture

SPACE = (160, 192, 160)
BATCH = 32


def network() -> keras.Model:
    """Return a ResNet50 with random weights."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((224, 224, 3)),
            layers.Rescaling(1 / 255),
            keras.applications.ResNet50(weights=None, include_top=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def head() -> np.ndarray:
    """Return a ball of noise on black."""
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SPACE), indexing="ij"))
    inside = (place**2).sum(axis=0) < 0.9
    return (np.random.default_rng(0).uniform(60, 200, SPACE) * inside).astype(np.float32)


def peak() -> float:
    """Return the most memory that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--slices", type=int, default=160)
    given = arguments.parse_args()
    net, picture = network(), Picture(head(), affine=np.eye(4))
    first = (SPACE[2] - given.slices) // 2
    model = open_model(net, slices=f"{first}:{first + given.slices}", fit="pad")
    plain = open_model(net, fit="pad")
    turned = [picture.pixels[:, :, place].T[::-1, ::-1] for place in range(first, first + given.slices)]
    slices = np.stack([plain.intake.take(each).fitted for each in turned])
    forward = tf.function(lambda batch: net(batch, training=False))

    def bare() -> None:
        for start in range(0, len(slices), BATCH):
            forward(tf.constant(slices[start : start + BATCH])).numpy()

    runs = {
        "bare": bare,
        "named": lambda: model.explain(picture, "gradcam", target=1),
        "predicted": lambda: model.explain(picture, "gradcam"),
    }
    spent: dict[str, list[float]] = {name: [] for name in runs}
    worked: dict[str, list[float]] = {name: [] for name in runs}
    held: dict[str, float] = {}
    for number in range(given.rounds + 1):
        for name, run in runs.items():
            started, before = time.perf_counter(), time.process_time()
            run()
            if number:  # the first round traces
                spent[name].append(time.perf_counter() - started)
                worked[name].append(time.process_time() - before)
            held.setdefault(name, peak())
    for name in ("named", "predicted"):
        by_clock, by_processor = (
            median(one / other for one, other in zip(each[name], each["bare"], strict=True))
            for each in (spent, worked)
        )
        print(
            f"Grad-CAM, target {name}: {by_clock:.2f} times the bare passes over {given.slices} slices by "
            f"the clock, {by_processor:.2f} by processor time"
        )
    print("peak memory, MB:", {name: round(value) for name, value in held.items()})


if __name__ == "__main__":
    main()

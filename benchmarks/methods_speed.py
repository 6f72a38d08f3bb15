"""Every method on a ResNet50 at 224 pixels, in units of what it can't do without.

    python benchmarks/methods_speed.py [--rounds 9] [--side 224] [--only cams|scorecam|gradients|first]

Class activation maps in units of one compiled forward pass of the same batch of 8; Score-CAM of 64 features
in units of its 65 forward passes; gradient methods in units of bare compiled gradient passes, as many as
they took; the first call on a new network in units of the framework's own first compiled call. Run it with
nothing else running; the two sides take turns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from ratio import medians

import xaimri

BATCH = 8


def main() -> None:
    """Print one line per method."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--side", type=int, default=224)
    options.add_argument("--only", choices=["cams", "scorecam", "gradients", "first"])
    given = options.parse_args()
    parts = {"cams": _cams, "scorecam": _scorecam, "gradients": _gradients}
    model = keras.applications.ResNet50(weights=None, classes=4, input_shape=(given.side, given.side, 3))
    classifier = xaimri.KerasClassifier(model)
    images = np.random.default_rng(0).uniform(0, 255, (BATCH, given.side, given.side, 3)).astype(np.float32)
    print(f"{'method':<24} ratio  against")
    for name, part in parts.items():
        if given.only in (None, name):
            part(model, classifier, images, given.rounds)
    if given.only in (None, "first"):
        _first_calls(given.side)


def _forward(model: keras.Model):
    return tf.function(lambda x: model(x, training=False), autograph=False)


def _cams(model, classifier, images, rounds) -> None:
    forward = _forward(model)
    ways = {"forward": lambda: forward(tf.constant(images)).numpy()}
    for name in ("gradcam", "gradcam++", "hirescam", "layercam", "eigencam"):
        explainer = xaimri.EXPLAINERS[name]()
        ways[name] = lambda explainer=explainer: explainer.explain(classifier, images)
    seconds = medians(ways, rounds)
    for name, taken in seconds.items():
        if name != "forward":
            _line(name, taken / seconds["forward"], f"one forward pass, batch {BATCH}")


def _scorecam(model, classifier, images, rounds) -> None:
    forward, explainer = _forward(model), xaimri.ScoreCAM(features=64)

    def bare() -> None:
        forward(tf.constant(images[:1])).numpy()
        for _ in range(2):
            forward(tf.constant(np.concatenate([images] * 4))).numpy()

    seconds = medians(
        {"bare": bare, "scorecam": lambda: explainer.explain(classifier, images[:1])}, max(3, rounds // 2)
    )
    _line("scorecam", seconds["scorecam"] / seconds["bare"], "1 + 64 forward passes, batches of 32")


def _gradients(model, classifier, images, rounds) -> None:
    @tf.function(autograph=False)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(model(x, training=False)[:, 0])
        return tape.gradient(score, x)

    def bare(count: int):
        return lambda: [gradient(tf.constant(images)).numpy() for _ in range(count)]

    cases = {
        "saliency": (xaimri.Saliency(), images, 1),
        "input_x_gradient": (xaimri.InputXGradient(), images, 1),
        "integrated_gradients": (xaimri.IntegratedGradients(tolerance=1e9), images[:1], 2),
        "smoothgrad": (xaimri.SmoothGrad(copies=24), images[:1], 3),
    }
    for name, (explainer, some, count) in cases.items():
        ways = {"bare": bare(count), name: lambda e=explainer, x=some: e.explain(classifier, x, 0)}
        seconds = medians(ways, rounds)
        _line(name, seconds[name] / seconds["bare"], f"{8 * count} bare gradient passes, batches of 8")


FIRST = """
import sys, time, numpy as np, keras, tensorflow as tf, xaimri
model = keras.applications.ResNet50(weights=None, classes=4, input_shape=({side}, {side}, 3))
tf.constant(0.0) + 1
image = np.zeros((1, {side}, {side}, 3), np.float32)
run = {{
    "framework": lambda: tf.function(lambda x: model(x, training=False))(tf.constant(image)).numpy(),
    "gradcam": lambda: xaimri.explain(model, image[0]),
    "saliency": lambda: xaimri.explain(model, image[0], "saliency"),
}}
if sys.argv[1] != "framework":
    xaimri.explain(xaimri.LinearClassifier.random((8, 8, 1)), np.eye(8))
    import xaimri.adapters.keras
start = time.perf_counter()
run[sys.argv[1]]()
print(time.perf_counter() - start)
"""


def _first_calls(side: int, runs: int = 3) -> None:
    """Time the first call of a fresh process, the network built and everything imported."""
    seconds: dict[str, list[float]] = {"framework": [], "gradcam": [], "saliency": []}
    for _ in range(runs):
        for name, taken in seconds.items():
            command = [sys.executable, "-c", FIRST.format(side=side), name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            taken.append(float(done.stdout.split()[-1]))
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name in ("gradcam", "saliency"):
        _line(
            f"first {name}",
            middle[name] / middle["framework"],
            f"first compiled call, {middle['framework']:.1f} s",
        )


def _line(name: str, ratio: float, against: str) -> None:
    print(f"{name:<24} {ratio:>5.2f}  {against}", flush=True)


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s")

"""Grad-CAM on a ResNet50 at 224 pixels, in units of one compiled forward pass of the same batch.

    python benchmarks/gradcam_speed.py [--rounds 15] [--batches 1 8 32]

Run it with nothing else running: the ratios are of medians of runs in turn. First calls, in which functions
are traced, stand apart, in units of TensorFlow's own first compiled call. Processor time, of all threads,
stands beside wall time: it tells what the machine did, whoever else was at work. ``tf-keras-vis`` joins in
where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import time

import keras
import numpy as np
import tensorflow as tf
from ratio import medians

import xaimri


def main() -> None:
    """Print three lines per batch size: first calls, wall time and processor time."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    given = options.parse_args()
    model = keras.applications.ResNet50(weights=None, classes=4)
    opened = xaimri.open_model(model)
    for batch in given.batches:
        images = np.random.default_rng(0).uniform(0, 255, (batch, 224, 224, 3)).astype(np.float32)
        ways = _ways(model, opened, images)
        _print(batch, "first call", {name: _seconds(way) for name, way in ways.items()})
        _print(batch, "wall", medians(ways, given.rounds))
        _print(batch, "processor", medians(ways, given.rounds, clock=time.process_time))


def _print(batch: int, what: str, seconds: dict[str, float]) -> None:
    forward = seconds["forward"]
    ratios = "  ".join(f"{name} {s / forward:.3f}" for name, s in seconds.items() if name != "forward")
    print(f"batch {batch:>2}, {what:<10}  forward {forward:.3f} s;  {ratios}", flush=True)


def _seconds(way) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _ways(model: keras.Model, opened: xaimri.Model, images: np.ndarray) -> dict:
    forward = tf.function(lambda x: model(x, training=False), autograph=False)
    explainer, listed, one = xaimri.GradCAM(), list(images), len(images) == 1
    ways = {
        "forward": lambda: forward(tf.constant(images)).numpy(),
        "explainer": lambda: explainer.explain(opened.classifier, images),
        "open model": lambda: opened.explain(images[0]) if one else opened.explain_all(listed),
        "explain": lambda: xaimri.explain(model, images[0]) if one else xaimri.explain_all(model, listed),
    }
    if importlib.util.find_spec("tf_keras_vis"):
        ways["tf-keras-vis"] = _tf_keras_vis(model, images)
    return ways


def _tf_keras_vis(model: keras.Model, images: np.ndarray):
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    cam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    targets = CategoricalScore(model(images, training=False).numpy().argmax(axis=1).tolist())
    return lambda: cam(
        targets, images, penultimate_layer="conv5_block3_out", seek_penultimate_conv_layer=False
    )


if __name__ == "__main__":
    main()

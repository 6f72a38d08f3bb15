"""Grad-CAM on a ResNet50 at 224 pixels, in units of one compiled forward pass of the same batch.

    python benchmarks/gradcam_speed.py [--rounds 15]

Run it with nothing else running. ``tf-keras-vis`` stands beside it where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util

import keras
import numpy as np
import tensorflow as tf
from ratio import medians

import xaimri


def main() -> None:
    """Print one line per batch size."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=15)
    rounds = options.parse_args().rounds
    model = keras.applications.ResNet50(weights=None, classes=4)
    classifier = xaimri.KerasClassifier(model)
    print("batch  forward s  explainer  explain()  tf-keras-vis   (ratios to the forward pass)")
    for batch in (1, 8, 32):
        images = np.random.default_rng(0).uniform(0, 255, (batch, 224, 224, 3)).astype(np.float32)
        seconds = medians(_ways(model, classifier, images), rounds)
        forward = seconds.pop("forward")
        print(
            f"{batch:>5}  {forward:>9.3f}  " + "  ".join(f"{s / forward:>9.2f}" for s in seconds.values()),
            flush=True,
        )


def _ways(model: keras.Model, classifier: xaimri.KerasClassifier, images: np.ndarray) -> dict:
    forward = tf.function(lambda x: model(x, training=False), autograph=False)
    explainer, listed = xaimri.GradCAM(), list(images)
    ways = {
        "forward": lambda: forward(tf.constant(images)).numpy(),
        "explainer": lambda: explainer.explain(classifier, images),
        "explain()": lambda: xaimri.explain_all(model, listed),
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

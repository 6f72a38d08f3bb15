"""Xplique's attributions of the network: ``attribute.py IN.npz OUT.npz``.

Its class activation maps are read before they are resized.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from unittest.mock import patch

import numpy as np
import tensorflow as tf
from network import CLASSES, HEADS, LAST, Arrays, build
from xplique.attributions import (
    GradCAM,
    GradCAMPP,
    GradientInput,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    VarGrad,
)


def main(source: str, out: str) -> None:
    """Write every attribution."""
    arrays = dict(np.load(source))
    versions = ", ".join(f"{name} {version(name)}" for name in ("xplique", "tensorflow", "keras"))
    found = {"version": np.array(versions)}
    for head in HEADS:
        model = build(head, arrays, softmax=False)
        found |= {f"{head}/{name}": values for name, values in _attributed(model, arrays).items()}
    np.savez(out, **found)


def _attributed(model: tf.keras.Model, arrays: Arrays) -> dict[str, np.ndarray]:
    batch = tf.constant(arrays["images"])
    asked = tf.one_hot(arrays["targets"], CLASSES)
    steps = int(arrays["steps"])
    pixels = {
        "saliency": Saliency(model),
        "input_x_gradient": GradientInput(model, reducer="sum"),
        "integrated": IntegratedGradients(model, reducer="sum", steps=steps + 1),
        "integrated/mean": IntegratedGradients(model, steps=steps),
    }
    return {
        "logits": model(batch).numpy(),
        "gradcam/relu": _cells(GradCAM(model, conv_layer=LAST), batch, asked),
        "gradcam++/relu": _cells(GradCAMPP(model, conv_layer=LAST), batch, asked),
        **{name: method.explain(batch, asked).numpy() for name, method in pixels.items()},
        **_noisy(model, batch, asked, arrays["noise"]),
    }


def _cells(method: GradCAM, batch: tf.Tensor, asked: tf.Tensor) -> np.ndarray:
    maps, gradients = method._gradient(batch, asked)
    return method._apply_weights(method._compute_weights(gradients, maps), maps).numpy()


def _noisy(
    model: tf.keras.Model, batch: tf.Tensor, asked: tf.Tensor, noise: np.ndarray
) -> dict[str, np.ndarray]:
    """Smooth the gradient with the very noise that was handed over; all copies in one batch."""
    every = tf.constant(noise.reshape(-1, *noise.shape[2:]))
    shared = {"batch_size": None, "reducer": None, "nb_samples": noise.shape[1]}
    with patch.object(tf.random, "normal", lambda *_, **__: every):
        return {
            "smoothgrad": SmoothGrad(model, **shared).explain(batch, asked).numpy(),
            "vargrad": VarGrad(model, **shared).explain(batch, asked).numpy(),
        }


if __name__ == "__main__":
    main(*sys.argv[1:])

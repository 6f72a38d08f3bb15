"""Xplique's metrics of the maps: ``measure.py IN.npz OUT.npz``."""

from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np
import tensorflow as tf
from network import CLASSES, HEADS, Arrays, build
from xplique.metrics import (
    AverageDropMetric,
    AverageIncreaseMetric,
    Complexity,
    Deletion,
    Insertion,
    Sparseness,
)


def main(source: str, out: str) -> None:
    """Write every metric: ``model/metric/kind``, one entry per image."""
    arrays = dict(np.load(source))
    versions = ", ".join(f"{name} {version(name)}" for name in ("xplique", "tensorflow", "keras"))
    found = {"version": np.array(versions)}
    for name in HEADS:
        model = build(name, arrays, softmax=False)
        for key in (key for key in arrays if key.startswith(f"{name}/maps/")):
            kind = key.split("/")[-1]
            measured = _measured(model, arrays[key], arrays)
            found |= {f"{name}/{metric}/{kind}": value for metric, value in measured.items()}
    np.savez(out, **found)


def _measured(model: tf.keras.Model, maps: np.ndarray, arrays: Arrays) -> dict[str, np.ndarray]:
    batch, asked = arrays["images"], tf.one_hot(arrays["targets"], CLASSES).numpy()
    seen = {"activation": "softmax"}
    found = {
        "sparseness": Sparseness().detailed_evaluate(maps),
        "entropy": Complexity().detailed_evaluate(maps),
        "average_drop": AverageDropMetric(model, batch, asked, **seen).detailed_evaluate(batch, asked, maps),
        "average_increase": AverageIncreaseMetric(model, batch, asked, **seen).detailed_evaluate(
            batch, asked, maps
        ),
    }
    return found | _curves(model, maps, arrays, asked)


def _curves(
    model: tf.keras.Model, maps: np.ndarray, arrays: Arrays, asked: np.ndarray
) -> dict[str, np.ndarray]:
    """Delete by black, and insert into the blurred image; image by image, since it gives means of a batch."""
    found: dict[str, list] = {}
    for image, own, target, blurred in zip(arrays["images"], maps, asked, arrays["blurred"], strict=True):
        given = {"steps": int(arrays["steps"]), "activation": "softmax"}

        def start(_: np.ndarray, blurred: np.ndarray = blurred) -> np.ndarray:
            return blurred[None]

        deletion = Deletion(model, image[None], target[None], baseline_mode=0.0, **given)
        insertion = Insertion(model, image[None], target[None], baseline_mode=start, **given)
        for name, curve in (("deletion", deletion), ("insertion", insertion)):
            scores = list(curve.detailed_evaluate(own[None]).values())
            found.setdefault(f"{name}/scores", []).append(scores)
            found.setdefault(name, []).append(curve.evaluate(own[None]))
    return {name: np.array(values) for name, values in found.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])

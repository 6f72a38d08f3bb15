"""The metrics of the package grad-cam of the maps: ``measure.py IN.npz OUT.npz``."""

from __future__ import annotations

import sys
from importlib.metadata import version
from unittest.mock import patch

import numpy as np
import torch
from network import HEADS, Arrays
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence, IncreaseInConfidence
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from torch_port import Network, array, tensor


def main(source: str, out: str) -> None:
    """Write every metric: ``model/metric/kind``, one entry per image."""
    arrays = dict(np.load(source))
    versions = ", ".join(f"{name} {version(name).split('+')[0]}" for name in ("grad-cam", "torch"))
    found = {"version": np.array(versions), "imputed": _imputed(arrays)}
    for name in HEADS:
        model = Network(name, arrays).eval()
        for key in (key for key in arrays if key.startswith(f"{name}/maps/")):
            kind = key.split("/")[-1]
            measured = _measured(model, arrays[key], arrays)
            found |= {f"{name}/{metric}/{kind}": value for metric, value in measured.items()}
    np.savez(out, **found)


def _measured(model: Network, maps: np.ndarray, arrays: Arrays) -> dict[str, np.ndarray]:
    """Measure probabilities; the maps that images are multiplied by run from 0 to 1, as its own do."""
    targets = [ClassifierOutputSoftmaxTarget(int(target)) for target in arrays["targets"]]
    batch, positive = tensor(arrays["images"]), np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    scaled = positive / np.where(largest > 0, largest, 1)
    with patch.object(torch, "randn_like", torch.zeros_like):
        combined = road.ROADCombined()(batch, maps.astype(np.float64), targets, model)
    return {
        "road": combined,
        "average_drop": DropInConfidence()(batch, scaled, targets, model),
        "average_increase": IncreaseInConfidence()(batch, scaled, targets, model),
    }


def _imputed(arrays: Arrays) -> np.ndarray:
    """Fill in what was removed, without noise; its mask is 1 where a pixel stays."""
    fill = road.NoisyLinearImputer(noise=0.0)
    pairs = zip(tensor(arrays["images"]), arrays["removed"], strict=True)
    filled = [fill(image, torch.from_numpy(1.0 - gone)) for image, gone in pairs]
    return array(torch.stack(filled))


if __name__ == "__main__":
    main(*sys.argv[1:])

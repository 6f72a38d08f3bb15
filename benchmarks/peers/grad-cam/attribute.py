"""The class activation maps of the package grad-cam, on the cells: ``attribute.py IN.npz OUT.npz``.

The public call rectifies, resizes and scales to 0..1. What is written here is what it starts from.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version
from unittest.mock import patch

import numpy as np
import torch
from network import HEADS, Arrays
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch_port import Network, tensor

METHODS = {
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "hirescam": HiResCAM,
    "layercam": LayerCAM,
    "eigencam": EigenCAM,
    "scorecam": ScoreCAM,
}


def main(source: str, out: str) -> None:
    """Write the cells of every method."""
    arrays = dict(np.load(source))
    versions = ", ".join(f"{name} {version(name).split('+')[0]}" for name in ("grad-cam", "torch"))
    found = {"version": np.array(versions)}
    for head in HEADS:
        model = Network(head, arrays).eval()
        found |= {f"{head}/{name}": values for name, values in _attributed(model, head, arrays).items()}
    np.savez(out, **found)


def _attributed(model: Network, head: str, arrays: Arrays) -> dict[str, np.ndarray]:
    batch = tensor(arrays["images"])
    targets = [ClassifierOutputTarget(int(target)) for target in arrays["targets"]]
    with torch.no_grad():
        found = {"logits": model(batch).numpy()}
    for name, method in METHODS.items():
        found[name] = _cells(method(model, [model.last]), batch, targets)
    placed = partial(_Placed, arrays[f"{head}/upsample0"], arrays[f"{head}/upsample1"])
    with patch.object(torch.nn, "UpsamplingBilinear2d", placed):
        found["scorecam/placed"] = _cells(ScoreCAM(model, [model.last]), batch, targets)
    return found


def _cells(method: BaseCAM, batch: torch.Tensor, targets: list[ClassifierOutputTarget]) -> np.ndarray:
    """Return the signed cells that a method computes on the way to its map."""
    seen = {}
    inner = method.get_cam_image

    def kept(*args: object, **named: object) -> np.ndarray:
        seen["cells"] = inner(*args, **named)
        return seen["cells"]

    with patch.object(method, "get_cam_image", kept):
        method(batch, targets)
    return seen["cells"]


class _Placed(torch.nn.Module):
    """Upsampling by the matrices that were handed over: each cell where the strides put it."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray, size: object) -> None:
        super().__init__()
        self.rows, self.columns = torch.from_numpy(rows), torch.from_numpy(columns)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the maps on the pixels."""
        return self.rows @ maps @ self.columns.T


if __name__ == "__main__":
    main(*sys.argv[1:])

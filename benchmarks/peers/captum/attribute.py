"""Captum's attributions of the network: ``attribute.py IN.npz OUT.npz``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from unittest.mock import patch

import numpy as np
import torch
from captum.attr import (
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    LayerGradientXActivation,
    NoiseTunnel,
    Saliency,
)
from network import HEADS, Arrays
from torch_port import Network, array, tensor

FINE = 2048
"""Points of the Gauss-Legendre rule that stands for the integral itself."""


def main(source: str, out: str) -> None:
    """Write every attribution, channels last."""
    arrays = dict(np.load(source))
    found = {"version": np.array(f"captum {version('captum')}, torch {version('torch').split('+')[0]}")}
    for head in HEADS:
        model = Network(head, arrays).eval()
        found |= {f"{head}/{name}": values for name, values in _attributed(model, arrays).items()}
    np.savez(out, **found)


def _attributed(model: Network, arrays: Arrays) -> dict[str, np.ndarray]:
    batch, asked = tensor(arrays["images"]), torch.from_numpy(arrays["targets"])
    path, steps = IntegratedGradients(model), int(arrays["steps"])
    cells = {
        "gradcam": LayerGradCam(model, model.last).attribute(batch, asked),
        "gradcam/relu": LayerGradCam(model, model.last).attribute(batch, asked, relu_attributions=True),
        "hirescam": LayerGradientXActivation(model, model.last).attribute(batch, asked).sum(1, keepdim=True),
    }
    pixels = {
        "saliency": Saliency(model).attribute(batch, asked),
        "input_x_gradient": InputXGradient(model).attribute(batch, asked),
        "integrated": path.attribute(
            batch, target=asked, n_steps=steps + 1, method="riemann_trapezoid", internal_batch_size=256
        ),
        "integrated/fine": path.attribute(batch, target=asked, n_steps=FINE, internal_batch_size=256),
        **_noisy(model, batch, asked, arrays),
        **_expected(model, batch, asked, arrays),
    }
    logits = {"logits": model(batch).detach().numpy()}
    return logits | {name: array(values) for name, values in (cells | pixels).items()}


def _noisy(
    model: Network, batch: torch.Tensor, asked: torch.Tensor, arrays: Arrays
) -> dict[str, torch.Tensor]:
    """Smooth the gradient with the very noise that was handed over."""
    noise = tensor(arrays["noise"].reshape(-1, *arrays["noise"].shape[2:]))
    tunnel, copies = NoiseTunnel(Saliency(model)), arrays["noise"].shape[1]
    with patch.object(torch, "normal", lambda *_: noise):
        return {
            kind: tunnel.attribute(batch, nt_type=kind, nt_samples=copies, target=asked, abs=False)
            for kind in ("smoothgrad", "vargrad")
        }


def _expected(
    model: Network, batch: torch.Tensor, asked: torch.Tensor, arrays: Arrays
) -> dict[str, torch.Tensor]:
    """Take expected gradients with the draws that were handed over, and with captum's own."""
    shap, samples = GradientShap(model), len(arrays["places"])
    with _drawn(arrays["places"], len(batch)):
        same = shap.attribute(batch, tensor(arrays["starts"]), n_samples=samples, target=asked)
    np.random.seed(1)  # noqa: NPY002  captum draws from NumPy's old generator
    many = int(arrays["many"])
    own = shap.attribute(batch, tensor(arrays["references"]), n_samples=many, target=asked)
    return {"expected": same, "expected/many": own}


@contextmanager
def _drawn(places: np.ndarray, count: int) -> Iterator[None]:
    """Let captum take every start once, in order, for each of the images, and these places on the way."""
    starts = np.tile(np.arange(len(places)), count)
    with (
        patch.object(np.random, "choice", lambda *_: starts),
        patch.object(np.random, "uniform", lambda *_: np.tile(places, count)),
    ):
        yield


if __name__ == "__main__":
    main(*sys.argv[1:])

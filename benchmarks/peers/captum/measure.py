"""Captum's metrics of the maps, with the perturbations handed over: ``measure.py IN.npz OUT.npz``."""

from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np
import torch
from captum.attr import InputXGradient, Saliency
from captum.metrics import infidelity, sensitivity_max
from network import HEADS, Arrays
from torch_port import Linear, Network, tensor

Inputs = torch.Tensor | tuple[torch.Tensor]


def main(source: str, out: str) -> None:
    """Write every metric: ``model/metric/kind``, one entry per image."""
    arrays = dict(np.load(source))
    found = {"version": np.array(f"captum {version('captum')}, torch {version('torch').split('+')[0]}")}
    for name in (*HEADS, "linear"):
        model = (Linear(arrays) if name == "linear" else Network(name, arrays)).eval()
        for key in (key for key in arrays if key.startswith(f"{name}/maps/")):
            kind = key.split("/")[-1]
            found[f"{name}/infidelity/raw/{kind}"] = _infidelity(model, arrays, arrays[key], False)
            found[f"{name}/infidelity/{kind}"] = _infidelity(model, arrays, arrays[key], True)
        found |= {f"{name}/max_sensitivity/{k}/": v for k, v in _sensitivity(model, arrays).items()}
    np.savez(out, **found)


def _infidelity(model: torch.nn.Module, arrays: Arrays, maps: np.ndarray, normalize: bool) -> np.ndarray:
    """Hide the very boxes; a pixel's value is shared by its channels, and the perturbation is 1 in a box."""
    boxes = torch.from_numpy(arrays["boxes"])[:, None]

    def perturbed(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gone = boxes.repeat(len(inputs) // len(boxes), inputs.shape[1], 1, 1)
        return gone.float(), torch.where(gone, torch.zeros(()), inputs)

    channels = arrays["images"].shape[-1]
    values = tensor(np.repeat(maps[..., None] / channels, channels, axis=-1))
    asked = {"target": torch.from_numpy(arrays["targets"]), "n_perturb_samples": len(boxes)}
    with torch.no_grad():
        batch = tensor(arrays["images"])
        return infidelity(model, perturbed, batch, values, normalize=normalize, **asked).numpy()


def _sensitivity(model: torch.nn.Module, arrays: Arrays) -> dict[str, np.ndarray]:
    """Explain the very noisy images; captum gives the clean ones as a tuple, and wants one back."""
    noisy = tensor(arrays["noisy"].reshape(-1, *arrays["noisy"].shape[2:]))
    strongest, product = Saliency(model), InputXGradient(model)

    def saliency(inputs: Inputs, target: torch.Tensor) -> tuple[torch.Tensor]:
        return (strongest.attribute(inputs[0] if isinstance(inputs, tuple) else inputs, target).amax(1),)

    def input_x_gradient(inputs: Inputs, target: torch.Tensor) -> tuple[torch.Tensor]:
        return (product.attribute(inputs[0] if isinstance(inputs, tuple) else inputs, target).sum(1),)

    given = {"n_perturb_samples": arrays["noisy"].shape[1], "target": torch.from_numpy(arrays["targets"])}
    found = {}
    for function in (saliency, input_x_gradient):
        largest = sensitivity_max(function, tensor(arrays["images"]), lambda inputs: noisy, **given)
        found[function.__name__] = largest.detach().numpy()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])

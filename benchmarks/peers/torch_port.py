"""The same network in PyTorch, channels first."""

from __future__ import annotations

import numpy as np
import torch
from network import CLASSES, CONVOLUTIONS, SHAPE, Arrays
from torch import nn


class Network(nn.Module):
    """Convolutions with ReLUs, and one of the two heads; it gives logits."""

    def __init__(self, head: str, arrays: Arrays) -> None:
        super().__init__()
        parts, channels = [], SHAPE[-1]
        for name, features, stride in CONVOLUTIONS:
            parts += [_filled(nn.Conv2d(channels, features, 3, stride, padding=1), name, arrays), nn.ReLU()]
            channels = features
        self.features = nn.Sequential(*parts)
        self.pooled = head == "pooled"
        self.head = _filled(nn.Linear(len(arrays[f"{head}/kernel"]), CLASSES), head, arrays)

    @property
    def last(self) -> nn.Module:
        """The layer that class activation maps look at."""
        return self.features[-1]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        maps = self.features(images)
        if self.pooled:
            return self.head(maps.mean(dim=(2, 3)))
        return self.head(maps.permute(0, 2, 3, 1).flatten(1))


class Linear(nn.Module):
    """The linear model."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.from_numpy(arrays["linear/kernel"]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return images.permute(0, 2, 3, 1).flatten(1) @ self.kernel


def tensor(images: np.ndarray) -> torch.Tensor:
    """Bring channels to the front."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))


def array(maps: torch.Tensor | np.ndarray) -> np.ndarray:
    """Bring channels to the back."""
    found = maps.detach().numpy() if isinstance(maps, torch.Tensor) else maps
    return np.moveaxis(found, 1, -1)


def _filled(layer: nn.Module, name: str, arrays: Arrays) -> nn.Module:
    """Put in weights that Keras holds with the outputs last."""
    kernel = arrays[f"{name}/kernel"]
    turned = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(turned.copy()))
        layer.bias.copy_(torch.from_numpy(arrays[f"{name}/bias"]))
    return layer

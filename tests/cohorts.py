"""A model whose work can be held at a gate, so that a test knows what is not done yet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import xaimri


def gated_model(gate: Path | None = None) -> Any:
    """Return a model of two classes that waits, where an image has values above 1, until the file is there.

    Without a gate it does not wait. It is the same model either way.
    """

    def scores(images: np.ndarray) -> np.ndarray:
        until = time.monotonic() + 300
        while gate is not None and images.max() > 1 and not gate.exists() and time.monotonic() < until:
            time.sleep(0.05)
        one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
        return np.stack([one, 1 - one], axis=1)

    return xaimri.open_model(scores, classes=["a", "b"])

"""Whether the logits that were found in the graph are what the network says."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Scores
from xaimri.classifier import Outputs, softmax
from xaimri.errors import InvalidInput


def verify(
    logits: Scores, stated: Float[Array, "batch units"], outputs: Outputs, unit: int | None = None
) -> None:
    """See that softmax(logits) is what the network states, or say what is wrong with that."""
    if not np.isfinite(stated).all():
        raise InvalidInput(
            "the network's outputs are NaN or infinite: check its weights, and the range of the images."
        )
    if outputs != "probabilities":
        return
    own, total = softmax(logits), float(stated[0].sum())
    if stated.shape[1] != own.shape[1] or unit is not None:
        stated = stated[:, [unit or 0]]
    if stated.shape[1] == 1:
        stated = np.concatenate([1 - stated, stated], axis=1)
    gap = float(np.abs(own - stated).max())
    if not gap < 1e-2:
        raise InvalidInput(
            f"the network's outputs are not probabilities (off by {gap:.2g}; the first row adds up to "
            f'{total:.3g}): if they are logits, pass outputs="logits".'
        )

"""One value per cell of a feature map: carried to the image, and what is odd about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Cells
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import FeatureMaps
from xaimri.doubts.constancy import SUSPECT
from xaimri.explainer import Attribution

UNEVEN = 0.1
"""Of the two maps' absolute sums: where Grad-CAM and HiResCAM differ by more, their answers do."""


def cell_axes(cells: Cells) -> tuple[int, ...]:
    """Return the axes of the cells in ``(batch, *cells, features)``."""
    return tuple(range(1, cells.ndim - 1))


def on_image(
    cells: Float[Array, batch * cells],
    maps: FeatureMaps,
    *,
    relu: bool,
    unit: str | None = None,
    model_calls: int = 1,
    by_gradient: bool = True,
    diagnostics: Sequence[Mapping[str, Any]] | None = None,
    caveats: Sequence[Sequence[Caveat]] | None = None,
) -> Attribution:
    """Carry one value per cell to the image, and say what is odd about it.

    Parameters
    ----------
    cells
        One signed value per cell.
    maps
        The layer that they are of.
    relu
        Set negative cells to 0, before resampling.
    unit, diagnostics, caveats
        What the method has to add; ``model_calls`` is its cost per image.
    by_gradient
        Whether the method reads the maps' gradient, so that none leaves the map empty; a method that
        doesn't names the reason itself where all its cells are 0.
    """
    more, doubts = diagnostics or [{}] * len(cells), caveats or [()] * len(cells)
    found = [
        {
            "layer": maps.layer,
            "why": maps.why,
            "cells": list(values.shape),
            "positive": float(np.clip(values, 0, None).sum()),
            "negative": float(np.clip(values, None, 0).sum()),
            "grid": maps.grid.record(),
            "model_calls": model_calls,
            **extra,
        }
        for values, extra in zip(cells, more, strict=True)
    ]
    named = [
        [*own, *_caveats(values, gradient if by_gradient else None, maps, relu)]
        for own, values, gradient in zip(doubts, cells, maps.gradients, strict=True)
    ]
    kept = np.maximum(cells, 0) if relu else cells
    return Attribution(
        maps.grid.resample(kept.astype(np.float32)),
        maps.logits,
        unit,
        diagnostics=found,
        caveats=named,
        still=_still(maps),
    )


def _still(maps: FeatureMaps) -> list[bool]:
    """Tell of which images all that the layer says adds up to no more than rounding."""
    evidence = np.einsum("bi,bi->b", *(each.reshape(len(each), -1) for each in (maps.values, maps.gradients)))
    size = np.maximum(np.abs(maps.logits).max(axis=1), 1.0)
    return [bool(still) for still in np.abs(evidence) <= SUSPECT * size]


def _caveats(values: Array, gradient: Array | None, maps: FeatureMaps, relu: bool) -> list[Caveat]:
    found = [*maps.caveats]
    if gradient is not None and not gradient.any():
        found.append(Reason.DEGENERATE_GRADIENT.caveat(layer=maps.layer))
    elif relu and not (values > 0).any() and (gradient is not None or values.any()):
        found.append(Reason.NO_POSITIVE_EVIDENCE.caveat(layer=maps.layer))
    if maps.grid.assumed:
        found.append(Reason.ASSUMED_GEOMETRY.caveat(layer=maps.layer))
    if maps.grid.ambiguous:
        pixels = max(maps.grid.doubt)
        found.append(Reason.AMBIGUOUS_GEOMETRY.caveat(layer=maps.layer, pixels=pixels))
    if maps.grid.coarse:
        cells = " x ".join(map(str, maps.grid.cells))
        found.append(
            Reason.COARSE_CELLS.caveat(layer=maps.layer, cells=cells, finer=maps.finer)
            if maps.finer
            else Reason.COARSE_CELLS.caveat(layer=maps.layer, cells=cells)
        )
    return found


def unevenness(maps: FeatureMaps) -> list[float]:
    """Return how far Grad-CAM's map of every image lies from HiResCAM's, neither of them rectified.

    The sum over the cells of their absolute difference, as a share of the sum of both absolute maps: 0 where
    the gradient is the same in every cell, as before global average pooling, and 1 where they share nothing.
    """
    axes = cell_axes(maps.values)
    even = (maps.values * maps.gradients.mean(axis=axes, keepdims=True)).sum(axis=-1, dtype=np.float64)
    own = (maps.values * maps.gradients).sum(axis=-1, dtype=np.float64)
    sums = (np.abs(part).reshape(len(even), -1).sum(axis=1) for part in (even - own, even, own))
    apart, *both = sums
    total = both[0] + both[1]
    shares: Array = np.divide(apart, total, out=np.zeros_like(apart), where=total > 0)
    return [float(share) for share in shares]


def one_weight(shares: Sequence[float], layer: str) -> list[list[Caveat]]:
    """Say of which images one weight per feature, the mean of its gradient over the cells, is no answer."""
    return [
        [Reason.UNEVEN_GRADIENT.caveat(layer=layer, percent=100 * share)] if share > UNEVEN else []
        for share in shares
    ]

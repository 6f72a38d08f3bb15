"""Class activation maps: what an inner layer's maps say for the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaimri.arrays import Array, Images
from xaimri.classifier import Convolutional, FeatureMaps, Objective
from xaimri.explainer import Attribution, Explainer
from xaimri.explanation import Caveat


@dataclass(frozen=True)
class GradCAM(Explainer[Convolutional]):
    """Feature maps weighted by their mean gradient, summed over the features, rectified.

    Values are at least 0 (signed with ``relu=False``), in units of the explained score per cell: the
    mean gradient times the activation. Costs about one forward pass per image.

    Parameters
    ----------
    layer
        Path or name of the layer, such as ``"resnet50/conv4_block6_out"``; None takes the last map
        through which everything flows to the output.
    relu
        Keep positive evidence only, as published. It is applied on the cells, before resampling.

    Notes
    -----
    The published method resizes the cells to the image; here each cell lies where the network's
    padding and strides put it, and values are interpolated linearly between the cells' centres.

    References
    ----------
    Selvaraju et al. (2017), doi:10.1109/ICCV.2017.74.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> explanation, = GradCAM().explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> explanation.values.shape, explanation.diagnostics["layer"]
    ((6, 8), 'patches')
    """

    layer: str | None = None
    relu: bool = True
    name: ClassVar[str] = "gradcam"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Weight the maps by their mean gradient over the cells."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        space = tuple(range(1, maps.values.ndim - 1))
        weights = maps.gradients.mean(axis=space, keepdims=True)
        return on_image((maps.values * weights).sum(axis=-1), maps, relu=self.relu)


def on_image(cells: Array, maps: FeatureMaps, *, relu: bool) -> Attribution:
    """Carry one value per cell to the image, and say what is odd about it."""
    diagnostics, caveats = [], []
    for values, gradient in zip(cells, maps.gradients, strict=True):
        diagnostics.append(
            {
                "layer": maps.layer,
                "why": maps.why,
                "cells": list(values.shape),
                "positive": float(np.clip(values, 0, None).sum()),
                "negative": float(np.clip(values, None, 0).sum()),
                "grid": maps.grid.record(),
                "model_calls": 1,
            }
        )
        caveats.append(_caveats(values, gradient, maps, relu))
    kept = np.maximum(cells, 0) if relu else cells
    return Attribution(maps.grid.resample(kept), maps.logits, diagnostics=diagnostics, caveats=caveats)


def _caveats(values: Array, gradient: Array, maps: FeatureMaps, relu: bool) -> list[Caveat]:
    found = []
    if not gradient.any():
        found.append(
            Caveat(
                "degenerate_gradient",
                f"The explained score does not change with `{maps.layer}` at all, so the map is empty: "
                'explain of="logit" or "log_odds", or look at another layer.',
            )
        )
    elif relu and not (values > 0).any():
        found.append(
            Caveat(
                "no_positive_evidence",
                f"No cell of `{maps.layer}` speaks for this class, so the rectified map is empty: use "
                "relu=False to "
                "see what speaks against it.",
            )
        )
    if maps.grid.assumed:
        found.append(
            Caveat(
                "assumed_geometry",
                f"Where the cells of `{maps.layer}` lie could not be read from the network; "
                "half-pixel resizing was assumed, so the map may be shifted, or even mirrored: compare it "
                "with a perturbation method.",
            )
        )
    return found

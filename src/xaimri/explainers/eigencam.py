"""Eigen-CAM: what an inner layer's maps have most in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.caveats import Reason
from xaimri.classifier import Convolutional
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.cam import layer_setting
from xaimri.explainers.cells import on_image
from xaimri.objective import Objective
from xaimri.rules import Flag
from xaimri.settings import setting


@dataclass(frozen=True)
class EigenCAM(Explainer[Convolutional]):
    """Feature maps projected on their first principal direction.

    The map is the same for every class. Values are in units of the layer's activation; the direction
    is turned so that they add up to at least 0. Costs about one forward pass per image.

    Notes
    -----
    As in the paper, the maps are not centred first; some packages centre them, and differ.
    ``diagnostics["explained"]`` is the share of the maps' sum of squares along that direction.

    References
    ----------
    Muhammad & Yeasin (2020), doi:10.1109/IJCNN48605.2020.9206626.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> explanation, = EigenCAM().explain(model, np.ones((1, 6, 8, 1), "float32"))
    >>> round(explanation.diagnostics["explained"], 6)  # maps that are all alike have one direction
    1.0
    """

    layer: str | None = layer_setting(None)
    relu: bool = setting(
        False,
        Flag(),
        doc="Set negative cells to 0, before resampling; where all activations are positive, none is.",
    )
    name: ClassVar[str] = "eigencam"
    title: ClassVar[str] = "Eigen-CAM"
    cost: ClassVar[str] = "1 forward pass"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Project every cell's features on their first principal direction."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        shape = maps.values.shape[1:-1]
        constant = Reason.CONSTANT_MAPS.caveat(layer=maps.layer)
        found = [principal(image.reshape(-1, image.shape[-1])) for image in maps.values]
        return on_image(
            np.stack([projection.reshape(shape) for projection, _ in found]),
            maps,
            relu=self.relu,
            unit="activation",
            by_gradient=False,
            diagnostics=[{"explained": share} for _, share in found],
            caveats=[
                (Reason.CLASS_INDEPENDENT.caveat(), *([] if projection.any() else [constant]))
                for projection, _ in found
            ],
        )


def principal(rows: Float[Array, "cells features"]) -> tuple[Float[Array, " cells"], float]:
    """Project rows on their first right singular vector; return that and its share of the squares.

    The sign is the one for which the projections add up to at least 0.
    """
    left, singular, _ = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    projection = left[:, 0] * singular[0]
    total = float((singular**2).sum())
    sign = -1.0 if projection.sum() < 0 else 1.0
    return sign * projection, float(singular[0] ** 2) / total if total > 0 else 0.0

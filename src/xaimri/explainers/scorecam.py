"""Score-CAM: feature maps weighted by what the classifier says of the image seen through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images
from xaimri.caveats import Reason
from xaimri.classifier import Convolutional
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.cam import layer_setting, relu_setting
from xaimri.explainers.cells import on_image
from xaimri.grid import Grid
from xaimri.objective import Objective, softmax
from xaimri.perturb.responses import is_flat, scored, streamed
from xaimri.rules import OrNone, WholeNumber
from xaimri.settings import setting


@dataclass(frozen=True)
class ScoreCAM(Explainer[Convolutional]):
    """Feature maps weighted by the score of the image masked by each, summed, rectified.

    Each map is laid on the image, scaled to 0..1 and multiplied with it; the softmax of the scores of
    these masked images over the features gives the weights. No gradient is used for them. Values are at
    least 0 (signed with ``relu=False``), in units of the layer's activation. Costs one forward pass per
    feature that is not constant, and one more: 2,049 for the last layer of a ResNet50.

    Notes
    -----
    The masked image is what the model takes, 0 where the mask is 0: black, for raw images. The paper
    subtracts the score of a black image; the softmax does not see it, so it is left out.
    ``diagnostics["effective_features"]`` is the exponential of the weights' entropy: near 1, a single
    feature makes the whole map, which is common where the explained score is a logit.

    References
    ----------
    Wang et al. (2020), doi:10.1109/CVPRW50498.2020.00020.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((6, 8, 1), classes=3, seed=0, patch=2)
    >>> images = np.random.default_rng(0).random((1, 6, 8, 1), dtype="float32")
    >>> explanation, = ScoreCAM().explain(model, images)
    >>> explanation.diagnostics["model_calls"]  # four features: the pixels of a patch
    5
    """

    layer: str | None = layer_setting(None)
    relu: bool = relu_setting(True)
    features: int | None = setting(
        None,
        OrNone(WholeNumber(1, "or None for all")),
        doc="Use only so many features, those whose maps vary most; None uses all, as published.",
        unit="features",
    )
    name: ClassVar[str] = "scorecam"
    title: ClassVar[str] = "Score-CAM"
    cost: ClassVar[str] = "1 + features forward passes"

    def attribute(self, model: Convolutional, images: Images, objective: Objective, /) -> Attribution:
        """Score every image through each of its maps."""
        maps = model.feature_maps(images, objective, layer=self.layer)
        each = objective.settle(maps.logits).each(len(images))
        cells, diagnostics, caveats = list[Array](), [], []
        for image, values, one in zip(images, maps.values, each, strict=True):
            features = np.moveaxis(values, -1, 0)
            kept = self._varying(features)
            scores = _through(model, image, features[kept], maps.grid, one)
            weights = softmax(scores[None])[0] if len(kept) else scores
            own = scored(maps.logits[len(cells)][None], one)
            still = len(kept) > 0 and is_flat(np.append(own, scores))
            weights *= not still  # equal weights would draw the mean of the maps
            cells.append(np.tensordot(weights, features[kept], axes=1))
            diagnostics.append(
                {
                    "features": len(kept),
                    "effective_features": _effective(weights),
                    "model_calls": 1 + len(kept),
                }
            )
            caveats.append([] if len(kept) else [Reason.CONSTANT_MAPS.caveat(layer=maps.layer)])
            if still:
                caveats[-1].append(Reason.UNMOVED_SCORE.caveat(score=float(scores[0])))
        return on_image(
            np.stack(cells),
            maps,
            relu=self.relu,
            unit="activation",
            by_gradient=False,
            diagnostics=diagnostics,
            caveats=caveats,
        )

    def _varying(self, features: Float[Array, features * cells]) -> Array:
        """Return the features whose maps are not constant, the most varying if only some are asked for."""
        spread = features.reshape(len(features), -1).std(axis=1, dtype=np.float64)
        varying = np.flatnonzero(np.ptp(features.reshape(len(features), -1), axis=1) > 0)
        if self.features is None or len(varying) <= self.features:
            return varying
        return np.sort(varying[np.argsort(-spread[varying], kind="stable")[: self.features]])


def _through(
    model: Convolutional,
    image: Image,
    features: Float[Array, features * cells],
    grid: Grid,
    objective: Objective,
) -> Float[Array, " features"]:
    """Return the score of the image seen through every map."""
    if not len(features):
        return np.zeros(0)

    def write(buffer: Images, first: int) -> None:
        masks = grid.resample(features[first : first + len(buffer)])
        axes = tuple(range(1, masks.ndim))
        low, high = masks.min(axis=axes, keepdims=True), masks.max(axis=axes, keepdims=True)
        masks = (masks - low) / np.where(high > low, high - low, 1)
        np.multiply(masks[..., None], image, out=buffer)

    logits = streamed(model, image.shape, len(features), write)
    return scored(logits, objective)


def _effective(weights: Float[Array, " features"]) -> float:
    """Return the exponential of the weights' entropy: how many features carry the map."""
    positive = weights[weights > 0]
    return float(np.exp(-(positive * np.log(positive)).sum())) if len(positive) else 0.0

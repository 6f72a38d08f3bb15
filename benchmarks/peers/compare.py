"""What is compared with each peer, and how a different definition is bridged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from network import HEADS, Arrays

AGREED = 1e-5
"""Largest difference, as a share of the map's peak, of two implementations of one definition."""
STEPS = 64
"""Steps of integrated gradients."""
COPIES = 10
"""Noisy copies of the smoothed gradients."""


@dataclass(frozen=True)
class Comparison:
    """One quantity on both sides.

    Attributes
    ----------
    method, what
        xaimri's method, and the quantity, with what was done to one side to bridge definitions.
    ours, theirs
        Names of the results; the peer's is the same unless it is told.
    factor
        The peer's values are multiplied by it.
    free
        What is fitted to ours, image by image, before the peer's values are compared.
    limit
        What the difference must not exceed; None where definitions differ, and are meant to.
    """

    method: str
    what: str
    ours: str
    theirs: str = ""
    factor: float = 1.0
    free: Literal["nothing", "sign", "factor"] = "nothing"
    limit: float | None = AGREED

    def difference(self, ours: Arrays, theirs: Arrays) -> float:
        """Return the largest difference over heads and images, in units of the largest value of ours."""
        return max(self._of(head, ours, theirs) for head in HEADS)

    def _of(self, head: str, ours: Arrays, theirs: Arrays) -> float:
        own = ours[f"{head}/{self.ours}"].astype(np.float64)
        peer = self.factor * theirs[f"{head}/{self.theirs or self.ours}"].astype(np.float64)
        if peer.ndim > own.ndim:
            peer = np.abs(peer).max(axis=-1) if self.ours == "saliency" else peer.sum(axis=-1)
        if peer.shape != own.shape:
            peer = ours[f"{head}/upsample0"] @ peer @ ours[f"{head}/upsample1"].T
        own, peer = own.reshape(len(own), -1), peer.reshape(len(own), -1)
        peer = peer * _fitted(own, peer, self.free)
        return float((np.abs(own - peer).max(axis=1) / np.abs(own).max(axis=1)).max())

    def row(self, ours: Arrays, theirs: Arrays) -> tuple[str, bool]:
        """Return a line of a Markdown table, and whether what is claimed holds."""
        found = self.difference(ours, theirs)
        holds = self.limit is None or found <= self.limit
        claim = "defined otherwise" if self.limit is None else f"{'within' if holds else 'NOT within'} "
        claim += "" if self.limit is None else f"{self.limit:g}"
        return f"| {self.method} | {self.what} | {found:.1e} | {claim} |", holds


@dataclass(frozen=True)
class Statistical(Comparison):
    """Two means over as many random draws: their root mean square difference, in standard errors of it."""

    def _of(self, head: str, ours: Arrays, theirs: Arrays) -> float:
        error = np.sqrt(2) * ours[f"{head}/{self.ours}/errors"]
        z = (ours[f"{head}/{self.ours}"] - theirs[f"{head}/{self.ours}"].sum(axis=-1)) / error
        return float(np.sqrt((z**2).mean()))


def _fitted(own: np.ndarray, peer: np.ndarray, free: str) -> np.ndarray:
    """Return the factor per image that brings the peer's values nearest to ours."""
    if free == "nothing":
        return np.ones((len(own), 1))
    along = (own * peer).sum(axis=1, keepdims=True)
    return np.sign(along) if free == "sign" else along / (peer**2).sum(axis=1, keepdims=True)


def bridged(ours: Arrays) -> dict[str, np.ndarray]:
    """Return what the peers' definitions give on xaimri's feature maps and gradients."""
    found = {}
    for head in HEADS:
        maps, gradients = (ours[f"{head}/{name}"].astype(np.float64) for name in ("maps", "gradients"))
        found[f"{head}/gradcam++/padded"] = _plus_plus(maps, gradients, padding=1e-6)
        means = _plus_plus(maps, gradients, means=True)
        found[f"{head}/gradcam++/means"] = np.maximum(means, 0)
        rows = maps.reshape(len(maps), -1, maps.shape[-1])
        left, singular, _ = np.linalg.svd(rows - rows.mean(axis=1, keepdims=True), full_matrices=False)
        found[f"{head}/eigencam/centred"] = (left[..., 0] * singular[:, :1]).reshape(maps.shape[:-1])
    return found


def _plus_plus(
    maps: np.ndarray, gradients: np.ndarray, *, padding: float = 0, means: bool = False
) -> np.ndarray:
    """Grad-CAM++ with a constant in the denominator, or with means in the place of its two sums."""
    gathered = np.mean if means else np.sum
    total = gathered(maps, axis=(1, 2), keepdims=True)
    denominator = 2 * gradients**2 + total * gradients**3 + padding
    share = np.where(gradients != 0, gradients**2 / np.where(denominator == 0, 1, denominator), 0)
    weights = gathered(share * np.maximum(gradients, 0), axis=(1, 2), keepdims=True)
    return (weights * maps).sum(axis=-1)


NETWORK = Comparison("the network itself", "logits", "logits")
SMOOTH = Comparison("SmoothGrad", "same noise, summed over the channels", "smoothgrad")
VARIANCE = Comparison("VarGrad", "same noise, summed over the channels", "vargrad", limit=None)

PEERS: Mapping[str, tuple[Comparison, ...]] = {
    "captum": (
        NETWORK,
        Comparison("GradCAM", "cells, signed: `LayerGradCam`", "gradcam"),
        Comparison("GradCAM", "cells, rectified: `relu_attributions=True`", "gradcam/relu"),
        Comparison("HiResCAM", "cells: `LayerGradientXActivation`, summed over features", "hirescam"),
        Comparison("Saliency", "largest over the channels", "saliency"),
        Comparison("InputXGradient", "summed over the channels", "input_x_gradient"),
        Comparison(
            "IntegratedGradients",
            f'`"riemann_trapezoid"`, {STEPS + 1} points',
            "integrated",
            limit=None,
        ),
        Comparison(
            "IntegratedGradients",
            f"the same, times {STEPS + 1}/{STEPS}",
            "integrated",
            factor=(STEPS + 1) / STEPS,
        ),
        Comparison(
            "IntegratedGradients",
            '4,096 steps, and 2,048 points of `"gausslegendre"`',
            "integrated/fine",
            limit=2e-3,
        ),
        SMOOTH,
        VARIANCE,
        Comparison(
            "VarGrad",
            f"each channel by itself, times {COPIES}/{COPIES - 1}",
            "vargrad/channels",
            "vargrad",
            factor=COPIES / (COPIES - 1),
        ),
        Comparison("ExpectedGradients", "`GradientShap`, same draws", "expected"),
        Statistical(
            "ExpectedGradients",
            "`GradientShap`, its own 400 draws: difference in standard errors",
            "expected/many",
            limit=1.2,
        ),
    ),
    "grad-cam": (
        NETWORK,
        Comparison("GradCAM", "cells, signed", "gradcam"),
        Comparison("GradCAMPlusPlus", "cells, signed", "gradcam++", limit=None),
        Comparison(
            "GradCAMPlusPlus", "the same, 1e-6 added to our denominator", "gradcam++/padded", "gradcam++"
        ),
        Comparison("HiResCAM", "cells", "hirescam"),
        Comparison("LayerCAM", "cells, signed", "layercam"),
        Comparison("EigenCAM", "cells, up to the sign", "eigencam", free="sign", limit=None),
        Comparison("EigenCAM", "the same, our maps centred", "eigencam/centred", "eigencam", free="sign"),
        Comparison("ScoreCAM", "its cells where ours lie", "scorecam", limit=None),
        Comparison("ScoreCAM", "the same, up to a factor", "scorecam", free="factor", limit=None),
        Comparison(
            "ScoreCAM",
            "the same, its masks where ours lie too",
            "scorecam",
            "scorecam/placed",
            free="factor",
        ),
    ),
    "xplique": (
        NETWORK,
        Comparison("GradCAM", "cells, rectified", "gradcam/relu"),
        Comparison("GradCAMPlusPlus", "cells, rectified", "gradcam++/relu", limit=None),
        Comparison(
            "GradCAMPlusPlus", "the same, up to a factor", "gradcam++/relu", free="factor", limit=None
        ),
        Comparison(
            "GradCAMPlusPlus",
            "the same, our two sums over cells made means",
            "gradcam++/means",
            "gradcam++/relu",
        ),
        Comparison("Saliency", "largest over the channels, its default", "saliency"),
        Comparison("InputXGradient", '`reducer="sum"`', "input_x_gradient"),
        Comparison(
            "IntegratedGradients", f"`steps={STEPS}`, as ours", "integrated", "integrated/mean", limit=None
        ),
        Comparison("IntegratedGradients", f'`steps={STEPS + 1}`, `reducer="sum"`', "integrated"),
        SMOOTH,
        VARIANCE,
        Comparison("VarGrad", "each channel by itself", "vargrad/channels", "vargrad"),
    ),
}

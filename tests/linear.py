"""A linear model and images for it, in a plane or in a volume; no two axes of the images have one length."""

import numpy as np

from xaimri import LinearClassifier
from xaimri.arrays import Images, Scores
from xaimri.classifier import Gradient
from xaimri.objective import Objective

SHAPES = {"2d": (6, 8, 2), "3d": (4, 6, 8, 3)}


def model_and_images(rank: str = "2d", patch: int = 2) -> tuple[LinearClassifier, Images]:
    model = LinearClassifier.random(SHAPES[rank], classes=4, seed=3, patch=patch)
    images = np.random.default_rng(0).normal(1, 1, (3 if rank == "2d" else 5, *SHAPES[rank]))
    return model, images.astype(np.float32)


class Resting(LinearClassifier):
    """Its second class gains by what exceeds 10: of any darker image the gradient is zero everywhere."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(np.ones(shape), bias=[0.0, 1.0], patch=1)

    def logits(self, images: Images, /) -> Scores:
        """Return 0 and 1, and more for what exceeds 10."""
        bright = np.maximum(images - 10, 0).reshape(len(images), -1).sum(axis=1)
        return np.stack([0 * bright, 1 + bright], axis=1).astype(np.float32)

    def gradient(self, images: Images, objective: Objective, /) -> Gradient:
        """Return the slope of what exceeds 10."""
        logits = self.logits(images)
        slopes = objective.cotangents(logits)[:, 1].reshape(-1, *[1] * (images.ndim - 1))
        return Gradient((slopes * (images > 10)).astype(np.float32), logits)

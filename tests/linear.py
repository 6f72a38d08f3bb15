"""A linear model and images for it, in a plane or in a volume; no two axes of the images have one length."""

import numpy as np

from xaimri import LinearClassifier
from xaimri.arrays import Images

SHAPES = {"2d": (6, 8, 2), "3d": (4, 6, 8, 3)}


def model_and_images(rank: str = "2d", patch: int = 2) -> tuple[LinearClassifier, Images]:
    model = LinearClassifier.random(SHAPES[rank], classes=4, seed=3, patch=patch)
    images = np.random.default_rng(0).normal(1, 1, (3 if rank == "2d" else 5, *SHAPES[rank]))
    return model, images.astype(np.float32)

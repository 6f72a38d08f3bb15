"""Images with a lesion of one colour, and functions that count its kind of pixel and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Image, Images, Mask


@dataclass(frozen=True, eq=False)
class Lesion:
    """An image, its object, the lesion in it, and a function that counts its pixels there."""

    image: Image
    brain: Mask
    lesion: Mask
    model: Callable[[Images], np.ndarray]


def lesion(
    shape: tuple[int, ...] = (64, 64),
    *,
    centre: tuple[float, ...] = (0.4, 0.6),
    radius: float = 0.11,
    colour: tuple[float, ...] = (130.0,),
    tissue: tuple[float, ...] = (60.0,),
    noise: float = 4.0,
) -> Lesion:
    """Make a brain of one tissue on black, and in it a lesion of another colour."""
    generator = np.random.default_rng(0)
    place = np.stack(np.meshgrid(*((np.arange(n) + 0.5) / n for n in shape), indexing="ij"), axis=-1)
    brain = (((place - 0.5) / 0.4) ** 2).sum(axis=-1) < 1
    spot = brain & (((place - np.array(centre)) ** 2).sum(axis=-1) < radius**2)
    levels = np.where(spot[..., None], np.array(colour), np.array(tissue))
    image = levels + noise * generator.standard_normal((*shape, len(colour)))
    image = np.where(brain[..., None], image.clip(1, 255), 0).astype(np.float32)
    apart = np.sqrt(np.mean((np.array(colour) - np.array(tissue)) ** 2))

    def model(images: Images) -> np.ndarray:
        far = np.sqrt(((images - np.array(colour)) ** 2).mean(axis=-1)) / apart
        like = brain / (1 + np.exp(np.clip(30 * (far - 0.5), -50, 50)))
        z = 4 * (like.reshape(len(images), -1).sum(axis=1) / spot.sum() - 0.5)
        p = 1 / (1 + np.exp(-z))
        return np.stack([1 - p, p], axis=1)

    return Lesion(image, brain, spot, model)

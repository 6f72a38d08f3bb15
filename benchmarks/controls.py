"""Maps that know nothing of the network: what a method has to be better than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaimri.classifier import Classifier
from xaimri.explainer import Attribution, Explainer


@dataclass(frozen=True)
class Noise(Explainer[Classifier]):
    """A number by chance for every pixel, the same whatever the image."""

    name: ClassVar[str] = "noise"

    def attribute(self, model, images, objective, /):
        drawn = np.random.default_rng(0).normal(size=images.shape[1:-1]).astype(np.float32)
        return Attribution(np.repeat(drawn[None], len(images), axis=0), model.logits(images))


@dataclass(frozen=True)
class Brightness(Explainer[Classifier]):
    """The image itself."""

    name: ClassVar[str] = "brightness"

    def attribute(self, model, images, objective, /):
        return Attribution(images.mean(axis=-1), model.logits(images))

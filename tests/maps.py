"""Explanations with values of one's choice, and the model that they are of."""

from dataclasses import replace

import numpy as np

from xaimri import LinearClassifier, Saliency

SHAPE = (5, 6, 8, 2)  # no two axes of one length


def mapped(shape=SHAPE, values=None, seed=0, **more):
    """An explanation of a random image that has these values, and its model."""
    model = LinearClassifier.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1)
    return replace(own, **({} if values is None else {"values": np.asarray(values, float)}), **more), model

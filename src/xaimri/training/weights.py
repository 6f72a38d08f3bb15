"""Random weights of a network, all drawn again from one seed; no global generator is used or changed."""

from __future__ import annotations

from collections.abc import Collection

import keras
import numpy as np


def draw_weights(model: keras.Model, seed: int, but: Collection[keras.layers.Layer] = ()) -> None:
    """Draw every kernel again, by its layer's own kind of initialiser.

    Parameters
    ----------
    model
        Its layers are numbered in order, those of a nested model in its place: what a layer gets does not
        depend on names.
    seed
        The same seed gives the same weights.
    but
        Layers that keep theirs, such as those of a pretrained backbone.
    """
    kept = {id(layer) for layer in but}
    having = [layer for layer in parts_of(model) if hasattr(layer, "kernel_initializer")]
    for index, layer in enumerate(having):
        if id(layer) in kept:
            continue
        old = layer.kernel_initializer
        drawn = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
        new = type(old).from_config({**old.get_config(), "seed": drawn & 0x7FFFFFFF})
        layer.kernel_initializer = new
        layer.kernel.assign(new(layer.kernel.shape, dtype=layer.kernel.dtype))


def parts_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a model, those of a nested one in its place."""
    return [
        layer for part in model.layers for layer in (part.layers if isinstance(part, keras.Model) else [part])
    ]

"""How much work a network is, and whether another engine saves more of it than it costs to get there."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.trace import layers_by_path

SAVED = 2.5e-12
"""Seconds saved per multiplication or addition on two cores, less than was measured."""

START, PER_OPERATION, PER_WEIGHT = 1.5, 0.003, 2e-8
"""Seconds that a conversion takes: at least, more for each operation of the traced graph, and each weight.

Three times what was measured of a ResNet50, as others may want the processor too.
"""

CHECK = 3
"""Batches that must be saved from to make up for the one that the original runs as well, as a check."""


def may_pay_off(model: keras.Model, images: int, shape: tuple[int, ...]) -> bool:
    """Tell whether OpenVINO could pay off if every weight met every pixel; nothing is traced for that.

    It does not where TensorFlow runs on a graphics card, and not in half precision, in which the two round
    differently.
    """
    layers = (model, *layers_by_path(model).values())
    halves = any(getattr(layer, "compute_dtype", None) in ("float16", "bfloat16") for layer in layers)
    if halves or tf.config.list_physical_devices("GPU"):
        return False
    most = 2.0 * sum(float(np.prod(w.shape)) for w in model.weights) * float(np.prod(shape[:-1])) * images
    return not model.weights or saved(most) > START


def pays_off(graph: Any, images: int, size: int) -> bool:
    """Tell whether what so many images save is more than the conversion costs.

    Parameters
    ----------
    graph
        Traced for batches of ``size``.
    """
    weights = sum(float(np.prod(w.shape)) for w in graph.variables)
    cost = START + PER_OPERATION * len(graph.get_operations()) + PER_WEIGHT * weights
    return saved(operations(graph) / size * (images - CHECK * size)) > cost


def saved(count: float) -> float:
    """Return how many seconds OpenVINO saves of so many operations: fewer, the more cores share them."""
    return SAVED * count * 2 / max(os.cpu_count() or 2, 2)


def operations(graph: Any) -> float:
    """Return the multiplications and additions of convolutions and matrix products in a traced graph."""
    total = 0.0
    for op in graph.get_operations():
        if op.type in ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul"):
            kernel = op.inputs[1].shape.as_list()
            made = op.outputs[0].shape.as_list()
            if None in kernel or None in made:
                continue
            own = np.prod(kernel[:2]) if op.type.startswith("Depthwise") else np.prod(kernel) / made[-1]
            total += 2.0 * float(np.prod(made)) * float(own)
    return total

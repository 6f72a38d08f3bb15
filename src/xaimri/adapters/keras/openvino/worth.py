"""Whether OpenVINO saves more time than it takes to get there, estimated from the traced network.

TensorFlow itself joins a convolution with its bias and activation. What OpenVINO joins beside that is batch
normalisation, which TensorFlow runs as a pass over the maps of its own: a network without it gains next to
nothing (VGG16 1.05, plain convolutions 0.95 to 1.05 times as fast), one with it 1.4 to 1.8 times.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.network import computes_in
from xaimri.adapters.keras.tensors import Graph, Network

SAVED = 0.8e-9
"""Seconds saved per normalised value on two cores: measured 0.6e-9 (MobileNetV2) to 1.7e-9 (ResNet50)."""

START, PER_OPERATION, PER_WEIGHT = 1.0, 0.0015, 1e-8
"""Seconds that a conversion takes: at least, more for each operation of the traced graph, and each weight.

About twice what was measured of a ResNet50 and a MobileNetV2.
"""

CHECK = 3
"""Batches that must be saved from to make up for the one that the original runs as well, as a check."""


def is_suited(model: Network) -> bool:
    """Tell whether OpenVINO is ever taken by itself.

    It is not where TensorFlow runs on a graphics card, and not in half precision, in which the two round
    differently.
    """
    return not computes_in(model, "float16", "bfloat16") and not tf.config.list_physical_devices("GPU")


def may_pay_off(model: Network, images: int, shape: tuple[int, ...]) -> bool:
    """Tell whether OpenVINO could pay off if every map were as large as the image; nothing is traced."""
    channels = sum(w.shape[0] for w in model.weights if len(w.shape) == 1)
    return not model.weights or saved(channels * float(np.prod(shape[:-1])) * images) > START


def pays_off(graph: Graph, images: int, size: int) -> bool:
    """Tell whether what so many images save is more than the conversion costs.

    Parameters
    ----------
    graph
        Traced for batches of ``size``.
    """
    weights = sum(float(np.prod(w.shape)) for w in graph.variables)
    cost = START + PER_OPERATION * len(graph.get_operations()) + PER_WEIGHT * weights
    return saved(normalised(graph, size) * (images - CHECK * size)) > cost


def saved(values: float) -> float:
    """Return how many seconds OpenVINO saves of so many normalised values: fewer, the more cores."""
    return SAVED * values * 2 / max(os.cpu_count() or 2, 2)


def normalised(graph: Graph, size: int) -> float:
    """Return how many values of maps a traced graph scales per image, as batch normalisation does."""
    made = [op.outputs[0].shape for op in graph.get_operations() if op.type == "Mul"]
    maps = [shape.as_list() for shape in made if shape.rank]
    return sum(float(np.prod(shape[1:])) for shape in maps if shape[0] == size and None not in shape)

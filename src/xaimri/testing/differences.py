"""Finite differences of a classifier's scores, in single precision: what gradients are held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.classifier import Classifier
from xaimri.objective import Objective

STEPS = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Steps of the finite differences, in units of the images' standard deviation; the best one counts."""

DIRECTIONS = 4


def smallest_disagreement(
    model: Classifier,
    images: Images,
    objective: Objective,
    expected: Callable[[Images, float], Float[Array, " batch"]],
) -> float:
    """Return how far expected slopes are from finite differences, in units of the slopes.

    ``expected`` gives the slope of every image's score along a direction, for a step of this size.
    """
    found = []
    for step in images.std() * np.array(STEPS):
        slopes = np.array([expected(d, float(step)) for d in _directions(images)])
        measured = np.array(
            [_rise(model, images, objective, d, float(step)) / (2 * step) for d in _directions(images)]
        )
        found.append(_disagreement(slopes, measured, _rounding(model, images) / float(step)))
    return min(found)


def _directions(images: Images) -> list[Images]:
    generator = np.random.default_rng(0)
    return [generator.standard_normal(images.shape).astype(np.float32) for _ in range(DIRECTIONS)]


def _rise(
    model: Classifier, images: Images, objective: Objective, direction: Images, step: float
) -> Float[Array, " batch"]:
    """Return how much every score rises over two steps in a direction."""
    ends = [model.logits(images + np.float32(s) * direction) for s in (-step, step)]
    low, high = (objective.scores(logits.astype(np.float64)) for logits in ends)
    return high - low


def _rounding(model: Classifier, images: Images) -> float:
    """Return what single precision may change in a score."""
    return 4 * float(np.finfo(np.float32).eps) * float(np.abs(model.logits(images.copy())).max())


def _disagreement(expected: Array, measured: Array, rounding: float) -> float:
    """Return the part of the difference that rounding can't explain, in units of the slopes."""
    scale = max(np.linalg.norm(expected), np.linalg.norm(measured))
    excess = np.linalg.norm(expected - measured) - rounding * np.sqrt(expected.size)
    return float(max(excess, 0.0) / scale) if scale > 0 else 0.0

"""A decision with something held fixed: its part of the features off, the last layer again."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Scores
from xaimri.audit.covariates import Target
from xaimri.audit.probes import FOLDS, folds_of
from xaimri.classifier import Readout
from xaimri.objective import softmax

AGREES = 1e-3
"""By how much probabilities may differ that the last layer makes of the features."""


def held_fixed(
    features: Float[Array, "cases features"],
    readout: Readout,
    labels: Int[Array, " cases"],
    owner: Int[Array, " cases"],
    target: Target,
    seed: int,
) -> Scores:
    """Return logits of the known cases with a target held at its mean, ``(known, classes)``.

    Of each feature the part is taken off that is linear in the target beside the class, as fitted on other
    people: what the target and the class have in common stays with the class. Of the tested person only the
    target is used, not the class.

    Examples
    --------
    The second feature is the target, and the layer reads both:

    >>> generator = np.random.default_rng(0)
    >>> labels, noise = np.arange(40) % 2, generator.normal(size=40)
    >>> features = np.stack([labels + 0.0, noise], axis=1)
    >>> readout = Readout(np.array([[0.0, 4.0], [0.0, 1.0]]), np.array([0.0, -2.0]))
    >>> target = Target("noise", noise, np.ones(40, bool))
    >>> logits = held_fixed(features, readout, labels, np.arange(40), target, 0)
    >>> bool((np.ptp(logits[labels == 1], axis=0) < 0.5).all())
    True
    """
    known = target.known
    rows, own, wanted = features[known].astype(np.float64), owner[known], target.design
    classes = (labels[known][:, None] == np.unique(labels[known])).astype(np.float64)
    folds, fixed = folds_of(own, seed), rows.copy()
    middle = wanted.mean(axis=0)  # one for all: a middle for each fold would tell who is in it
    for fold in range(FOLDS):
        tested = folds == fold
        beside = np.concatenate([wanted[~tested] - middle, classes[~tested]], axis=1)
        slopes = np.linalg.lstsq(beside, rows[~tested], rcond=None)[0][: wanted.shape[1]]
        fixed[tested] -= (wanted[tested] - middle) @ slopes
    return readout.logits(fixed)


def agrees(features: Float[Array, "cases features"], readout: Readout, plain: Scores) -> bool:
    """Tell whether the last layer makes the network's own probabilities of the features."""
    made = softmax(readout.logits(features))
    return bool(np.abs(made - softmax(plain.astype(np.float64))).max() < AGREES)

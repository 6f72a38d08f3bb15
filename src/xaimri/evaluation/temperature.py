"""Temperature scaling: one number that makes a classifier as sure as it is right, with its error."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.errors import InvalidInput
from xaimri.evaluation.student import quantile
from xaimri.evaluation.truth import truth_of
from xaimri.names import first_names
from xaimri.objective import softmax
from xaimri.temperature import TemperatureScaling

FEW = 20
"""Fewer subjects are said to be few: of 10, the 95 % interval holds the truth in nine cases of ten."""

FARTHEST = 9.0
"""Largest logarithm of a temperature; scikit-learn looks no farther than 10."""

CONFIDENCE = 0.95


@check_arguments()
def temperature_scaling(
    logits: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    independent: bool = False,
) -> TemperatureScaling:
    """Find the temperature by which logits say how often they come true.

    The temperature with the greatest likelihood, by scikit-learn's `CalibratedClassifierCV` with
    ``method="temperature"``. Dividing all logits by one number changes no prediction. Its error takes the
    cases of a subject as one: the sandwich estimate over subjects, and Student's t for the interval, on the
    scale of the logarithm.

    Parameters
    ----------
    logits
        ``(cases, classes)``, of cases that the classifier was not trained on.
    truth, subjects, classes, independent
        As of `evaluate`.

    Raises
    ------
    InvalidInput
        If there are fewer than two subjects or classes, or no temperature is the best: where every case is
        predicted right, ever lower ones are better; where the logits are no better than chance, ever higher
        ones.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, arXiv:1706.04599.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> logits = draw.normal(0, 2, (2000, 2))
    >>> second = draw.random(2000) < softmax(logits)[:, 1]
    >>> found = temperature_scaling(3 * logits, second.astype(int), independent=True)
    >>> bool(abs(found.temperature - 3) < 2 * found.error)
    True
    """
    labels, who, names = truth_of(truth, subjects, classes, np.shape(logits), independent)
    z = _checked(logits, labels, names)
    people, person = np.unique(np.array([str(one) for one in who]), return_inverse=True)
    if len(people) < 2:
        raise InvalidInput("a temperature needs at least two subjects: its error is over subjects.")
    temperature = _fitted(z, labels)
    error = _error(z, labels, person, temperature)
    reach = quantile((1 + CONFIDENCE) / 2, len(people) - 1) * error
    return TemperatureScaling(
        temperature=temperature,
        error=temperature * error,
        low=temperature * math.exp(-reach),
        high=temperature * math.exp(reach),
        loss_before=_loss(z, labels),
        loss_after=_loss(z / temperature, labels),
        cases=len(labels),
        subjects=len(people),
        remarks=tuple(_remarks(labels, names, len(people), reach, temperature)),
    )


def _checked(logits: Scores, labels: Array, names: tuple[str, ...]) -> Float[Array, "cases classes"]:
    """Return logits about their mean, which alone counts, or say what is wrong with them."""
    z: Array = np.asarray(logits, np.float64)
    if z.shape != (len(labels), len(names)) or len(names) < 2 or not np.isfinite(z).all():
        raise InvalidInput(
            f"`logits` must be finite numbers (cases, classes) = {(len(labels), len(names))}, got "
            f"{z.shape}: pass one row per case and one column per class."
        )
    if labels.min() < 0 or labels.max() >= len(names):
        raise InvalidInput(f"labels must be class indices from 0 to {len(names) - 1}.")
    if len(np.unique(labels)) < 2:
        raise InvalidInput(
            f"all {len(labels)} cases are of one class, {names[int(labels[0])]!r}: give cases of others, too."
        )
    centred: Array = z - z.mean(axis=1, keepdims=True)
    return centred


def _fitted(z: Float[Array, "cases classes"], labels: Int[Array, " cases"]) -> float:
    """Return the best temperature, or say why none is: the likelihood is concave in its inverse."""
    own = z[np.arange(len(z)), labels]
    count = f"{len(z)} cases"
    if own.sum() <= 0:
        raise InvalidInput(
            f"the logits of these {count} tell no more of their classes than chance, so no temperature makes "
            "them right: see that labels and classes belong together."
        )
    if (own >= z.max(axis=1)).all():
        raise InvalidInput(
            f"all of these {count} are predicted right, so the surer the better, and no temperature is the "
            "best: give more cases, of more subjects."
        )
    temperature = _by_scikit_learn(z, labels)
    if abs(math.log(temperature)) > FARTHEST:
        raise InvalidInput(
            f"the temperature runs to its bound ({temperature:.2g}): see that labels and classes belong "
            "together, or give more cases, of more subjects."
        )
    return temperature


def _by_scikit_learn(z: Float[Array, "cases classes"], labels: Int[Array, " cases"]) -> float:
    """Fit a calibrator on logits alone, and read the temperature off two logits that differ by 1."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    classes = z.shape[1]
    # scikit-learn counts the classes that it meets; equal logits are met at no temperature's favour
    given = np.concatenate([z, np.zeros((classes, classes))])
    truth = np.concatenate([labels, np.arange(classes)])
    everything = np.arange(len(truth))
    fitted = CalibratedClassifierCV(
        FrozenEstimator(_as_they_are(classes)), method="temperature", cv=[(everything, everything)]
    ).fit(given, truth)
    p = fitted.predict_proba(np.arange(classes)[None] - (classes - 1) / 2)[0]
    return 1 / math.log(p[1] / p[0]) if 0 < p[0] < p[1] else math.exp(-10)


def _as_they_are(classes: int) -> Any:
    """Return a linear classifier of scikit-learn whose scores are its input, for two classes half the gap."""
    from sklearn.linear_model import LogisticRegression

    scores = LogisticRegression()
    scores.classes_ = np.arange(classes)
    scores.coef_ = np.eye(classes) if classes > 2 else np.array([[-0.5, 0.5]])
    scores.intercept_ = np.zeros(len(scores.coef_))
    return scores


def _error(
    z: Float[Array, "cases classes"],
    labels: Int[Array, " cases"],
    person: Int[Array, " cases"],
    temperature: float,
) -> float:
    """Return the standard error of the temperature's logarithm: a sandwich whose filling is the subjects."""
    p = softmax(z / temperature)
    mean = (p * z).sum(axis=1)
    scores = np.bincount(person, z[np.arange(len(z)), labels] - mean)
    curvature = float((p * (z - mean[:, None]) ** 2).sum())
    people = len(scores)
    return math.sqrt(people / (people - 1) * float(scores @ scores)) / curvature * temperature


def _loss(z: Float[Array, "cases classes"], labels: Int[Array, " cases"]) -> float:
    """Return the mean of minus the logarithm of the true class's probability."""
    most = z.max(axis=1)
    logs = most + np.log(np.exp(z - most[:, None]).sum(axis=1))
    return float((logs - z[np.arange(len(z)), labels]).mean())


def _remarks(
    labels: Int[Array, " cases"], names: tuple[str, ...], people: int, reach: float, temperature: float
) -> Iterator[str]:
    """Say what the temperature can't tell."""
    absent = [names[label] for label in range(len(names)) if label not in labels]
    if absent:
        yield (
            f"No case is of {first_names(absent)}: the temperature is that of the other classes, and whether "
            "it holds there can't be told."
        )
    if people < FEW:
        yield f"It is learned from {people} subjects, which are few: its interval may be too narrow."
    if abs(math.log(temperature)) < reach:
        yield "Its interval holds 1: the classifier may be as sure as it is right without it."

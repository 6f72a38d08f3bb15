"""Check that a classifier keeps what :mod:`xaimri.classifier` promises, capability by capability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.classifier import Classifier, Convolutional, Differentiable
from xaimri.errors import InvalidInput
from xaimri.objective import Objective, Of, softmax
from xaimri.testing.claims import claim, gap, identical

STEPS = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Steps of the finite differences, in units of the images' standard deviation; the best one counts."""

DIRECTIONS = 4


@dataclass(frozen=True, eq=False)
class Trial:
    """What the checks share."""

    model: Any
    images: Images
    tolerance: float
    slope_tolerance: float


def check_classifier(
    model: Classifier,
    images: Images,
    outputs: Array | None = None,
    *,
    tolerance: float = 1e-5,
    slope_tolerance: float = 0.02,
) -> None:
    """Check every promise of a classifier, as far as its capabilities go.

    A classifier names its classes, scores image by image whatever else is in the batch, says the same
    twice and leaves the images alone. A :class:`~xaimri.classifier.Differentiable` one gives the
    gradient that finite differences of logit, log-odds and probability give. A
    :class:`~xaimri.classifier.Convolutional` one opens a layer whose gradient carries the maps'
    changes to the score's change, which holds where everything flows through that layer.

    Parameters
    ----------
    model
        The classifier to check.
    images
        ``(batch, *space, channels)``: at least two different images that the model takes.
    outputs
        The network's own probabilities of these images, ``(batch, classes)``, or ``(batch,)`` or
        ``(batch, 1)`` for the second of two classes; None leaves that comparison out.
    tolerance
        For values that should agree, in units of the largest.
    slope_tolerance
        For finite differences, in units of the slope; single precision seldom allows less.

    Raises
    ------
    AssertionError
        If a promise is broken; the sentence says which.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> model = LinearClassifier.random((4, 5, 3, 1), classes=3, seed=0)
    >>> check_classifier(model, np.random.default_rng(0).random((2, 4, 5, 3, 1), dtype=np.float32))
    """
    batch = np.array(images, dtype=np.float32)
    claim(len(batch) > 1 and batch[:1].std() > 0, "give at least two images that are not constant.")
    trial = Trial(model, batch, tolerance, slope_tolerance)
    claim(isinstance(model, Classifier), f"a {type(model).__name__} lacks `classes` or `logits(images)`.")
    _scores(trial)
    _alone(trial, "logits", lambda x: (model.logits(x),))
    if outputs is not None:
        _own_outputs(trial, np.asarray(outputs, dtype=np.float64))
    if isinstance(model, Differentiable):
        _gradients(trial)
    if isinstance(model, Convolutional):
        _feature_maps(trial)


def _scores(trial: Trial) -> None:
    """Classes, shape, repeatability and untouched images."""
    given = trial.images.copy()
    logits = trial.model.logits(given)
    names = trial.model.classes
    claim(
        isinstance(names, tuple)
        and len(set(names)) == len(names) > 1
        and all(isinstance(n, str) for n in names),
        f"`classes` must be a tuple of two or more different names, got {names!r}.",
    )
    claim(
        logits.shape == (len(given), len(names)),
        f"`logits` must have the shape (batch, classes) = {(len(given), len(names))}, got {logits.shape}.",
    )
    claim(np.isfinite(logits).all(), "`logits` must be finite; clip probabilities before their logarithm.")
    claim(identical(given, trial.images), "`logits` changed the images that it was given.")
    claim(
        identical(logits, trial.model.logits(given)), "`logits` of the same images differ from call to call."
    )


def _alone(trial: Trial, what: str, answers: Any) -> None:
    """Every image's answer is the same alone, in a batch and in another order."""
    together = answers(trial.images)
    backwards = answers(trial.images[::-1].copy())
    for i in range(len(trial.images)):
        alone = answers(trial.images[i : i + 1])
        for whole, turned, single in zip(together, backwards, alone, strict=True):
            apart = max(gap(whole[i], single[0]), gap(whole[i], turned[len(trial.images) - 1 - i]))
            claim(
                apart <= trial.tolerance,
                f"{what} of image {i} depend on the other images of the batch ({apart:.1e} of the peak).",
            )


def _own_outputs(trial: Trial, outputs: Float[Array, ...]) -> None:
    if outputs.ndim == 1 or outputs.shape[-1] == 1:
        second = outputs.reshape(len(outputs), 1)
        outputs = np.concatenate([1 - second, second], axis=1)
    own = softmax(trial.model.logits(trial.images).astype(np.float64))
    claim(own.shape == outputs.shape, f"`outputs` must have the shape {own.shape}, got {outputs.shape}.")
    worst = float(np.abs(own - outputs).max())
    claim(
        worst <= trial.tolerance,
        f"softmax(logits) is not the network's own output (largest difference {worst:.1e}).",
    )


def _gradients(trial: Trial) -> None:
    model = cast(Differentiable, trial.model)
    logits = model.logits(trial.images)
    predicted = tuple(int(i) for i in logits.argmax(axis=1))
    for of in cast(tuple[Of, ...], get_args(Of)):
        given = trial.images.copy()
        for targets in (predicted, (len(model.classes) - 1,) * len(given)):
            objective = Objective(targets, of)
            found = model.gradient(given, objective)
            claim(
                found.values.shape == given.shape,
                f"`gradient` must have the images' shape {given.shape}, got {found.values.shape}.",
            )
            claim(np.isfinite(found.values).all(), f"the gradient of the {of} is not finite.")
            claim(
                gap(found.logits, logits) <= trial.tolerance,
                "`gradient` hands out other logits than `logits`.",
            )
            _slopes(trial, found.values, objective)
        default = model.gradient(given, Objective(None, of)).values
        named = model.gradient(given, Objective(predicted, of)).values
        claim(
            gap(default, named) <= trial.tolerance,
            "without a target, `gradient` is not that of the predicted class.",
        )
        claim(identical(given, trial.images), "`gradient` changed the images that it was given.")
    _alone(trial, "gradients", lambda x: (model.gradient(x, Objective()).values,))


def _slopes(trial: Trial, gradient: Images, objective: Objective) -> None:
    """Compare the gradient with finite differences along random directions."""
    expected = [(gradient * d).sum(axis=tuple(range(1, d.ndim))) for d in _directions(trial)]
    tried = []
    for step in trial.images.std() * np.array(STEPS):
        measured = [_rise(trial, d, step, objective) / (2 * step) for d in _directions(trial)]
        tried.append(
            _disagreement(np.array(expected), np.array(measured), _rounding(trial, objective) / step)
        )
    claim(
        min(tried) <= trial.slope_tolerance,
        f"the gradient of the {objective.of} is not its slope: {min(tried):.1e} off finite differences.",
    )


def _directions(trial: Trial) -> list[Images]:
    generator = np.random.default_rng(0)
    return [generator.standard_normal(trial.images.shape).astype(np.float32) for _ in range(DIRECTIONS)]


def _rise(trial: Trial, direction: Images, step: float, objective: Objective) -> Float[Array, " batch"]:
    """Return how much every score rises over two steps in a direction."""
    ends = [trial.model.logits(trial.images + np.float32(s) * direction) for s in (-step, step)]
    low, high = (objective.scores(logits.astype(np.float64)) for logits in ends)
    return high - low


def _rounding(trial: Trial, objective: Objective) -> float:
    """Return what single precision may change in a score."""
    return 4 * float(np.finfo(np.float32).eps) * float(np.abs(trial.model.logits(trial.images)).max())


def _disagreement(expected: Array, measured: Array, rounding: float) -> float:
    """Return the part of the difference that rounding can't explain, in units of the slopes."""
    scale = max(np.linalg.norm(expected), np.linalg.norm(measured))
    excess = np.linalg.norm(expected - measured) - rounding * np.sqrt(expected.size)
    return float(max(excess, 0.0) / scale) if scale > 0 else 0.0


def _feature_maps(trial: Trial) -> None:
    model = cast(Convolutional, trial.model)
    given, objective = trial.images.copy(), Objective()
    maps = model.feature_maps(given, objective)
    claim(identical(given, trial.images), "`feature_maps` changed the images that it was given.")
    claim(
        maps.values.shape == maps.gradients.shape
        and maps.values.shape[:-1] == (len(given), *maps.grid.cells),
        f"maps {maps.values.shape} and gradients {maps.gradients.shape} must have the shape (batch, *cells, "
        f"features) with the grid's cells {maps.grid.cells}.",
    )
    claim(
        maps.grid.space == given.shape[1:-1],
        f"the grid must lie on the images {given.shape[1:-1]}, got {maps.grid.space}.",
    )
    claim(maps.layer and maps.why, "the maps must say which layer they are of, and why that one.")
    claim(
        gap(maps.logits, model.logits(given)) <= trial.tolerance,
        "`feature_maps` hands out other logits than `logits`.",
    )
    again = model.feature_maps(given, objective, layer=maps.layer)
    claim(
        gap(maps.values, again.values) <= trial.tolerance
        and gap(maps.gradients, again.gradients) <= trial.tolerance,
        f"naming the default layer {maps.layer!r} gives other maps.",
    )
    _alone(trial, "feature maps", lambda x: (model.feature_maps(x, objective).values,))
    _alone(trial, "gradients of the maps", lambda x: (model.feature_maps(x, objective).gradients,))
    for of in cast(tuple[Of, ...], get_args(Of)):
        _carried(trial, of)
    _refuses_unknown_layer(trial)


def _carried(trial: Trial, of: Of) -> None:
    """Check that gradient times change of the maps is the change of the score."""
    predicted = tuple(int(i) for i in trial.model.logits(trial.images).argmax(axis=1))
    objective = Objective(predicted, of)
    gradients = trial.model.feature_maps(trial.images, objective).gradients.astype(np.float64)
    axes = tuple(range(1, gradients.ndim))
    tried = []
    for step in trial.images.std() * np.array(STEPS):
        expected, measured = [], []
        for direction in _directions(trial):
            shift = np.float32(step) * direction
            ends = [trial.model.feature_maps(trial.images + s * shift, objective).values for s in (-1, 1)]
            expected.append((gradients * (ends[1].astype(np.float64) - ends[0])).sum(axis=axes) / (2 * step))
            measured.append(_rise(trial, direction, step, objective) / (2 * step))
        tried.append(
            _disagreement(np.array(expected), np.array(measured), _rounding(trial, objective) / step)
        )
    claim(
        min(tried) <= trial.slope_tolerance,
        f"the maps' gradient does not carry their changes to the {of}'s: off by {min(tried):.1e} of it.",
    )


def _refuses_unknown_layer(trial: Trial) -> None:
    try:
        trial.model.feature_maps(trial.images[:1], Objective(), layer="no such layer")
    except InvalidInput as refusal:
        claim("no such layer" in str(refusal), "an unknown layer is refused without being named.")
        return
    raise AssertionError("an unknown layer must be refused with InvalidInput.")

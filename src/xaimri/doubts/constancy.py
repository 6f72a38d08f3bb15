"""A score that nothing changes: suspected of a map that is empty, and settled by other images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images, Map, Scores
from xaimri.capacity import capacity
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier
from xaimri.errors import Cancelled
from xaimri.explanation import Explanation, Regions
from xaimri.objective import Objective

ROUNDING = 1e-5
"""Of single precision, between batches and engines: a share of a score's size, or of 1 if that is more."""

SUSPECT = 1e-4
"""Below this share of a score's size, all that a gradient's map gives together may be rounding."""

FEWEST = 3
"""Other images that a model must answer before its score is called constant."""

OF_THE_MAP = {
    Reason.ALL_UNCERTAIN,
    Reason.COARSE_CELLS,
    Reason.CONSTANT_MAPS,
    Reason.DEGENERATE_GRADIENT,
    Reason.NO_POSITIVE_EVIDENCE,
    Reason.NOT_CONVERGED,
    Reason.ON_BACKGROUND,
    Reason.POOR_FIT,
    Reason.UNEVEN_GRADIENT,
    Reason.UNMOVED_SCORE,
}
"""What says how to get a better map: there is none of a score that nothing changes."""


def is_constant(scores: Float[Array, " scores"]) -> bool:
    """Tell whether scores are one number, up to the rounding of single precision.

    Examples
    --------
    >>> is_constant(np.array([2.0, 2.0000001])), is_constant(np.array([2.0, 2.001]))
    (True, False)
    """
    return bool(np.ptp(scores) <= ROUNDING * max(1.0, float(np.abs(scores).max())))


def settle(
    model: Classifier, explanations: Sequence[Explanation], still: Sequence[bool] = ()
) -> tuple[Explanation, ...]:
    """Say of which explanations the score is one that nothing changes, and leave their maps empty.

    Parameters
    ----------
    model
        Asked about other images, in one batch, only where the method saw no change of the score, and the
        explained images all have the same.
    explanations
        Of images of one shape, on the model's grid.
    still
        For each of them, whether the method saw no change; where it is left out the maps alone tell.

    Returns
    -------
    tuple of Explanation
        The same, but for those of a constant score.
    """
    if not explanations:
        return ()
    told = still or [False] * len(explanations)
    own = np.stack([each.logits for each in explanations])
    flags = [
        (flag or _moves_nothing(each)) and is_constant(_asked(each.objective, own))
        for each, flag in zip(explanations, told, strict=True)
    ]
    if not any(flags):  # so it is, too, where the images of the batch have several scores
        return tuple(explanations)
    answers = _answers(model, explanations[flags.index(True)].image)
    if len(answers) < FEWEST:
        return tuple(explanations)
    return tuple(
        _settled(each, np.concatenate([own[n : n + 1], own, answers]), len(answers)) if flag else each
        for n, (each, flag) in enumerate(zip(explanations, flags, strict=True))
    )


def constant_score(model: Classifier, explanation: Explanation, objective: Objective) -> Caveat | None:
    """Return the caveat of a score that nothing changes; None where other images have another.

    ``objective`` is a score of the explained image, its own or another. Costs a batch of other images.
    """
    answers = _answers(model, explanation.image)
    logits = np.concatenate([explanation.logits[None], answers]) if len(answers) else answers
    return _constant(explanation, objective, logits, len(answers))


def _moves_nothing(explanation: Explanation) -> bool:
    """Tell whether a map may hold nothing but rounding: if not, an ordinary score is asked for in vain."""
    strength = np.abs(explanation.values[np.isfinite(explanation.values)].astype(np.float64))
    total, unit = float(strength.sum()), explanation.objective.unit
    size = max(1.0, float(np.abs(explanation.logits).max()))
    if explanation.unit == f"{unit} per unit of intensity":
        total *= float(np.ptp(explanation.image)) or 1.0
    elif explanation.unit != unit:
        return total == 0
    elif explanation.regions is not None or explanation.errors is not None:  # differences of scores, each
        return bool(strength.max(initial=0) <= ROUNDING * size)
    return total <= SUSPECT * size


def _answers(model: Classifier, image: Image) -> Scores:
    """Return the logits of other images, ``(images, classes)``; those that it refuses are left out."""
    others = other_images(image)
    try:
        group = capacity(image.shape)
        parts = [others[first : first + group] for first in range(0, len(others), group)]
        found = np.concatenate([np.array(model.logits(part.copy()), dtype=np.float64) for part in parts])
    except Cancelled:
        raise
    except Exception:  # it takes no such range, or no such batch: one by one, whatever it takes
        rows = [row for each in others if (row := _answer(model, each)) is not None]
        found = np.array(rows, dtype=np.float64) if rows else np.zeros((0, 1))
    finite: Scores = found[np.isfinite(found).all(axis=1)]
    return finite


def _answer(model: Classifier, image: Image) -> Array | None:
    try:
        return np.array(model.logits(image[None].copy())[0])
    except Cancelled:
        raise
    except Exception:
        return None


def other_images(image: Image) -> Images:
    """Return images of the same shape that look different in every way that a model may look at.

    Black, half white, inverted, noise in the image's own range, in 0..255 and in -1..1, far brighter, and
    negated. None but the black one is even: of an even one, networks that divide by the spread see rounding.

    Examples
    --------
    >>> other_images(np.ones((4, 5, 1), np.float32)).shape
    (8, 4, 5, 1)
    """
    generator = np.random.default_rng(0)
    low, high = float(image.min()), float(image.max())
    half = np.zeros_like(image)
    half[: len(image) // 2] = high or 1
    found = [
        np.zeros_like(image),
        half,
        low + high - image,
        *(generator.uniform(*ends, image.shape) for ends in ((low, high), (0.0, 255.0), (-1.0, 1.0))),
        16 * image,
        -image,
    ]
    return np.stack(found).astype(np.float32)


def _settled(explanation: Explanation, logits: Scores, others: int) -> Explanation:
    """Return an explanation whose score was not seen to change: without a map, if no image changes it."""
    caveat = _constant(explanation, explanation.objective, logits, others)
    if caveat is None:
        return explanation
    if any(each.reason is Reason.CLASS_INDEPENDENT for each in explanation.caveats):  # no map of the score
        return replace(explanation, caveats=(*explanation.caveats, caveat))
    regions = explanation.regions
    return replace(
        explanation,
        values=_emptied(explanation.values),
        errors=None if explanation.errors is None else _emptied(explanation.errors),
        regions=None if regions is None else _without_values(regions),
        caveats=(caveat, *(each for each in explanation.caveats if each.reason not in OF_THE_MAP)),
    )


def _constant(explanation: Explanation, objective: Objective, logits: Scores, others: int) -> Caveat | None:
    """Say what a score is that is the same in all logits; None of one that is not."""
    if others < FEWEST:
        return None
    if not is_constant(_asked(objective, logits)):
        return None
    score = float(objective.scores(logits[:1].astype(np.float64))[0])
    odds = _asked(_of_odds(objective), logits)
    if objective.of == "logit" and objective.against is None and not is_constant(odds):
        return Reason.CONSTANT_SCORE.caveat(target=explanation.target_class, logit=score)
    what = f"{objective.unit} of {explanation.question}"
    return Reason.CONSTANT_SCORE.caveat(what=what, score=score, others=others)


def _asked(objective: Objective, logits: Scores) -> Float[Array, " images"]:
    """Return the score of every row; of a probability its log-odds, which move where it is saturated."""
    asked = objective if objective.of == "logit" else _of_odds(objective)
    return np.asarray(asked.times(len(logits)).scores(logits.astype(np.float64)))


def _of_odds(objective: Objective) -> Objective:
    return Objective(objective.targets, "log_odds")


def _emptied(values: Map) -> Map:
    """Return zeros; what was not tested stays NaN."""
    return np.where(np.isnan(values), values, np.zeros_like(values))


def _without_values(regions: Regions) -> Regions:
    errors = None if regions.errors is None else _emptied(regions.errors)
    return replace(regions, values=_emptied(regions.values), errors=errors)

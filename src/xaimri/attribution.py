"""What a method hands back for a batch, and how that becomes one explanation for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xaimri.arrays import Array, Images, Maps, Scores
from xaimri.caveats import Caveat
from xaimri.classifier import CLIP, Classifier, Describing, Doubting
from xaimri.doubts.background import on_background, step_of
from xaimri.doubts.common import common_caveats, cut_off, further
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.explanation import Explanation, Regions
from xaimri.objective import Objective, softmax


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method hands back for a batch.

    Attributes
    ----------
    values
        ``(batch, *space)`` on the model's own grid.
    logits
        ``(batch, classes)`` of the images themselves.
    unit
        What one unit of ``values`` is; None stands for the explained score.
    errors
        ``(batch, *space)``: standard errors, where the method can tell them.
    regions, diagnostics, caveats
        One entry per image, where there are any.
    still
        Per image, whether nothing that was tried changes the score; told by the values where left out.
    """

    values: Maps
    logits: Scores
    unit: str | None = None
    errors: Maps | None = None
    regions: Sequence[Regions] = ()
    diagnostics: Sequence[Mapping[str, Any]] = ()
    caveats: Sequence[Sequence[Caveat]] = field(default=())
    still: Sequence[bool] = ()


def explanations_of(
    found: Attribution,
    model: Classifier,
    images: Images,
    objective: Objective,
    record: Mapping[str, Any],
    arrays: Mapping[str, Array],
) -> tuple[Explanation, ...]:
    """Return one explanation for each image of a batch.

    Parameters
    ----------
    found
        What the method handed back.
    model, images, objective
        What it was asked.
    record, arrays
        Of the method, and the arrays that its record names.

    Raises
    ------
    InvalidInput
        If the scores are not one for each image and class, or the maps not of the images' shape.
    UnusableImage
        If a score is not finite.
    """
    classes = model.classes
    _check_scores(found.logits, (len(images), len(classes)))
    _check_maps(found, images.shape[:-1], record)
    probabilities = softmax(found.logits)
    targets = objective.resolve(found.logits)
    others: Sequence[int | None] = objective.against or (None,) * len(images)
    doubts: Sequence[Sequence[Caveat]] = ((),) * len(images)
    if isinstance(model, Doubting):
        doubts = model.doubts(images.copy(), probabilities)
    findings = model.findings if isinstance(model, Describing) else {}

    def caveats(i: int, target: int) -> tuple[Caveat, ...]:
        image, values = images[i], found.values[i]
        return (
            *(found.caveats[i] if found.caveats else ()),
            *common_caveats(image, values, probabilities[i], target, objective.of, others[i]),
            *cut_off(found.logits[i], target, others[i], classes, CLIP),
            *further(doubts[i], objective.of),
            *on_background(image, values, step_of(found.diagnostics, i)),
        )

    return tuple(
        Explanation(
            values=found.values[i],
            image=images[i],
            target=int(targets[i]),
            of=objective.of,
            against=others[i],
            unit=found.unit or objective.unit,
            logits=found.logits[i],
            probabilities=probabilities[i],
            classes=classes,
            method=record,
            method_arrays=arrays,
            errors=None if found.errors is None else found.errors[i],
            regions=found.regions[i] if found.regions else None,
            diagnostics={**findings, **(found.diagnostics[i] if found.diagnostics else {})},
            caveats=caveats(i, int(targets[i])),
        )
        for i in range(len(images))
    )


def _check_maps(found: Attribution, shape: tuple[int, ...], record: Mapping[str, Any]) -> None:
    """See that there is one value, and one error where there are any, for each pixel of each image."""
    for name, each in (("values", found.values), ("errors", found.errors)):
        if each is not None and np.shape(each) != shape:
            raise InvalidInput(
                f"the method {shown(record.get('name'))} must give `{name}` of the images' shape {shape}, "
                f"without channels, got {np.shape(each)}: carry them to the images' pixels."
            )


def _check_scores(logits: Scores, shape: tuple[int, int]) -> None:
    """See that there is one finite score for each image and class."""
    if logits.shape != shape:
        raise InvalidInput(
            f"the model must give one score for each of its {shape[1]} classes, got an array of shape "
            f"{logits.shape} for {shape[0]} images: check its outputs."
        )
    if not np.isfinite(logits).all():
        raise UnusableImage(
            "the model gives a score that is NaN or infinite: check its weights, and the range of the image."
        )

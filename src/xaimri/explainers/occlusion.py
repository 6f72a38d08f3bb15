"""Occlusion: hide one window or region at a time and see how far the score falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xaimri.arrays import Array, Image, Images, Map, Scores, Stored
from xaimri.caveats import Caveat
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.regional import RegionAttribution, engine_of, gather, region_predictions, unmoved
from xaimri.objective import Objective
from xaimri.perturb.absent import Absent, absent_setting
from xaimri.perturb.contrast import Window
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.predictions import Predictions, predict_each
from xaimri.perturb.responses import fastest, scored, streamed
from xaimri.perturb.segments import Segmentation, SegmentationRule, Shape, without_gaps
from xaimri.perturb.windows import HiddenWindows, windows_over
from xaimri.rules import OrNone, Rule, Seed
from xaimri.settings import setting


@dataclass(frozen=True)
class SideRule(Rule):
    """One number of pixels for all axes, or one for each, kept as plain ints."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "whole numbers of at least 1"

    def convert(self, value: object, name: str, /) -> int | tuple[int, ...]:
        """Return the number, or one per axis."""
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            return tuple(self._side(one, name) for one in value)
        return self._side(value, name)

    def _side(self, value: object, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise self.refusal(value, name)
        return int(value)


@dataclass(frozen=True)
class Occlusion(Explainer[Classifier]):
    """How far the score falls when a window, or a region, is hidden.

    A pixel's value is the mean over the windows that cover it: positive where hiding makes the class less
    likely. Costs one model call per window or region, and one more. Every window is hidden, none is drawn, so
    the standard errors are 0: given what stands in for it. ``absent="noise"`` is drawn once, and other seeds
    give other maps.

    References
    ----------
    Zeiler & Fergus (2014), doi:10.1007/978-3-319-10590-1_53.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier.random((5, 6, 1), classes=2, seed=0)
    >>> image = np.random.default_rng(0).random((1, 5, 6, 1), dtype="float32")
    >>> explanation, = Occlusion(window=1, absent=0.0).explain(model, image, targets=1)
    >>> np.allclose(explanation.values, (model.weights[1] * image[0]).sum(axis=-1), atol=1e-5)
    True
    """

    window: int | tuple[int, ...] | None = setting(
        None,
        OrNone(SideRule()),
        doc="Side of the window, for all axes or one per axis; None takes an eighth of the shorter.",
        unit="pixels",
    )
    stride: int | tuple[int, ...] | None = setting(
        None,
        OrNone(SideRule()),
        doc="Steps between windows, at most the window; None takes half the window.",
        unit="pixels",
    )
    regions: Segmentation | None = setting(
        None,
        OrNone(SegmentationRule()),
        doc="Hide these instead of windows: about how many superpixels, a label image on the model's grid, "
        "or an atlas, as of LIME.",
    )
    absent: Absent = absent_setting(
        "auto",
        of="hidden window",
        mean="each window's own",
        auto="the blur, or the level around it where that changes too little; of regions as in LIME",
    )
    seed: int = setting(0, Seed(), doc='Of ``absent="noise"``.')
    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"
    cost: ClassVar[str] = "windows + 1 forward passes"
    shape: ClassVar[Shape] = "superpixels"
    compactness: ClassVar[float] = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.regions is not None and (self.window is not None or self.stride is not None):
            raise InvalidInput("`window` and `stride` can't stand beside `regions`: leave one out.")

    @property
    def samples(self) -> int:
        """About how many model calls the regions of one image take."""
        if isinstance(self.regions, Stored):
            return len(without_gaps(self.regions.array)[1]) + 1
        return (self.regions if isinstance(self.regions, int) else 0) + 1

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        """Hide what is to be hidden, image by image."""
        if self.regions is not None:
            return gather(
                _region_by_region(*asked) for asked in region_predictions(self, model, images, objective)
            )
        windows = self._windows(images.shape[1:-1])
        fast = fastest(model, len(windows) + 1, images.shape[1:])
        each = predict_each(images, lambda image: self._hide(fast, image, windows))
        found = [
            (_mean_fall(logits, windows, images.shape[1:-1], one), told, blind)
            for (logits, told, blind), one in zip(each, objective.each(len(images)), strict=True)
        ]
        varied = np.ptp(images.reshape(len(images), -1), axis=1) > 0
        values = np.stack([value for (value, _, _), _, _ in found])
        return Attribution(
            values=values.astype(np.float32),
            logits=np.stack([logits for (_, logits, _), _, _ in found]),
            errors=np.zeros(values.shape, np.float32),
            diagnostics=[told for _, told, _ in found],
            caveats=[
                [*unmoved(scores, each), *blind]
                for ((_, _, scores), _, blind), each in zip(found, varied[:, None], strict=True)
            ],
        )

    def _windows(self, space: tuple[int, ...]) -> list[Window]:
        """Cut the image into overlapping windows that cover every pixel."""
        side = _each(self.window if self.window is not None else max(1, min(space) // 8), "window", space)
        step = self.stride if self.stride is not None else tuple((s + 1) // 2 for s in side)
        return windows_over(space, side, _each(step, "stride", space))

    def _hide(
        self, model: Classifier, image: Image, windows: list[Window]
    ) -> tuple[Scores, dict[str, object], list[Caveat]]:
        """Return the logits of the image, and with each window hidden; and what hiding is worth."""
        without = HiddenWindows(image, windows, self.absent, self.seed)

        def write(buffer: Images, first: int) -> None:
            for i, out in enumerate(buffer, start=first):
                out[...] = image
                if i > 0:  # the first is the image itself
                    out[windows[i - 1]] = without.gone(i - 1)

        logits = streamed(model, image.shape, len(windows) + 1, write)
        unseen, caveats = without.caveats()
        told = {"windows": len(windows), "model_calls": len(windows) + 1, "barely_hidden": unseen}
        return logits, {**told, **engine_of(model)}, caveats


def _mean_fall(
    logits: Scores, windows: list[Window], space: tuple[int, ...], objective: Objective
) -> tuple[Map, Array, Array]:
    """Return the score's mean fall over the windows that cover each pixel, the image's logits, all scores."""
    scores = scored(logits, objective)
    total, times = np.zeros(space), np.zeros(space)
    for window, score in zip(windows, scores[1:], strict=True):
        total[window] += scores[0] - score
        times[window] += 1
    return total / times, logits[0], scores


def _region_by_region(predictions: Predictions, objective: Objective) -> RegionAttribution:
    """Hide every region once."""
    logits = predictions(
        np.concatenate([np.ones((1, predictions.regions), bool), ~np.eye(predictions.regions, dtype=bool)])
    )
    scores = scored(logits, objective)
    exact, caveats = np.zeros((1, predictions.regions)), unmoved(scores, predictions.tested)
    return RegionAttribution(predictions, Sampled(scores[0] - scores[1:], exact), logits[0], {}, caveats)


def _each(value: int | tuple[int, ...], name: str, space: tuple[int, ...]) -> tuple[int, ...]:
    """Return one number per axis."""
    found = value if isinstance(value, tuple) else (value,) * len(space)
    if len(found) != len(space):
        raise InvalidInput(f"`{name}` must be one number, or {len(space)} for this image, got {value}.")
    return found

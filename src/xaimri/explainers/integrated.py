"""Path methods: gradients gathered between a baseline and the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images, Scores, Stored
from xaimri.capacity import capacity
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Differentiable
from xaimri.errors import InvalidInput, shown
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.gradient import degenerate
from xaimri.objective import Objective
from xaimri.rules import Number, Numbers, Rule, WholeNumber, whole_number
from xaimri.settings import setting

LARGEST = 1e15
"""Intensities beyond this are refused: sums of their products overflow in single precision."""

CHUNK = 32
"""Images whose gradients are held at once, at most."""


@dataclass(frozen=True)
class BaselineRule(Rule):
    """One intensity, kept as a plain float, or an image, kept as a stored array."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a finite number or an image, as an array"

    def convert(self, value: object, name: str, /) -> float | Stored:
        """Return the intensity or the image as it is kept."""
        if isinstance(value, np.ndarray | Stored):
            return Numbers().convert(value, name)
        try:
            return Number(above=-LARGEST, below=LARGEST).convert(value, name)
        except InvalidInput:
            raise InvalidInput(f"`{name}` must be {self.allowed}, got {shown(value)}.") from None


@dataclass(frozen=True)
class IntegratedGradients(Explainer[Differentiable]):
    """The gradient averaged on the straight path from a baseline, times the difference to the baseline.

    Values are signed, in units of the explained score, and add up to the score of the image less that
    of the baseline: completeness. Steps are added until that holds within ``tolerance``. Costs
    ``steps + 1`` gradient passes per image, then as many again at every doubling of the steps, and one
    forward pass where the class is not given;
    ``diagnostics`` tell how many it took, the gap that is left, and by how much the last doubling moved
    the map.

    Notes
    -----
    The published method takes a fixed number of steps. A gap that is still larger when ``most`` is
    reached comes with the caveat `not_converged`. The gap is one number for the whole map, and can be
    small by chance: ``diagnostics["change"]``, the norm of the map's change at the last doubling over
    the map's own, says how far the single values are settled.

    References
    ----------
    Sundararajan, Taly & Yan (2017), arXiv:1703.01365.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 4, 5, 1), 0.5), bias=[7.0, 7.0])
    >>> explanation, = IntegratedGradients(baseline=1.0).explain(model, np.full((1, 4, 5, 1), 3.0))
    >>> float(explanation.values.sum()), explanation.diagnostics["steps"]
    (20.0, 15)
    """

    baseline: float | Stored | Array = setting(
        0.0,
        BaselineRule(),
        doc='What stands for "nothing": one intensity for all pixels, or an image on the model\'s grid, '
        "``(*space, channels)``. A pixel that equals the baseline has 0.",
    )
    steps: int = setting(
        15,
        WholeNumber(1),
        doc="Intervals on the path at first (trapezoidal rule); they are halved until the gap is small.",
    )
    most: int = setting(960, WholeNumber(1), doc="No more intervals than this; at least ``steps``.")
    tolerance: float = setting(
        0.01,
        Number(above=0),
        doc="Largest completeness gap, as a share of the difference of the two scores.",
    )
    name: ClassVar[str] = "integrated_gradients"
    title: ClassVar[str] = "Integrated gradients"
    cost: ClassVar[str] = "as many gradient passes as it takes, 16 at least"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number(self.most, "most", self.steps, "(`steps`)")

    def attribute(self, model: Differentiable, batch: Images, objective: Objective, /) -> Attribution:
        """Follow every image's path, by itself, until it is complete."""
        resolving = int(objective.targets is None)
        if resolving:
            objective = objective.settle(model.logits(batch))
        found = [
            self._path(model, image, one)
            for image, one in zip(batch, objective.each(len(batch)), strict=True)
        ]
        return Attribution(
            np.stack([path.values for path in found]),
            np.stack([path.logits for path in found]),
            diagnostics=[{**path.diagnostics(), "model_calls": path.calls + resolving} for path in found],
            caveats=[self._caveats(path) for path in found],
        )

    def _path(self, model: Differentiable, image: Image, objective: Objective) -> _Path:
        """Halve the steps until the values add up."""
        path = _Path(model, image, self._start(image), objective, self.tolerance)
        path.begin(self.steps)
        while not path.complete and path.steps * 2 <= self.most:
            path.halve()
        return path

    def _start(self, image: Image) -> Image:
        if not isinstance(self.baseline, Stored):
            return np.full_like(image, self.baseline)
        if self.baseline.array.shape != image.shape:
            raise InvalidInput(
                f"`baseline` must be a number or an image of shape {image.shape}, the model's grid, got "
                f"shape {self.baseline.array.shape}."
            )
        return self.baseline.array

    def _caveats(self, path: _Path) -> list[Caveat]:
        found = list(degenerate(path.total[None])[0])
        if not path.complete:
            difference = abs(path.difference)
            found.append(Reason.NOT_CONVERGED.caveat(steps=path.steps, gap=path.gap, difference=difference))
        return found


class _Path:
    """The straight path from a baseline to one image, and the gradients gathered on it."""

    def __init__(
        self, model: Differentiable, image: Image, start: Image, objective: Objective, tolerance: float
    ) -> None:
        self.model, self.start, self.objective, self.tolerance = model, start, objective, tolerance
        self.way = image - start
        self.total = np.zeros(image.shape)
        self.steps = self.calls = 0
        self.logits: Array = np.zeros(0, np.float32)
        self.difference, self.change = 0.0, float("nan")

    def begin(self, steps: int) -> None:
        """Gather at both ends and between, by the trapezoidal rule."""
        weights = np.ones(steps + 1)
        weights[[0, -1]] = 0.5
        ends = self._gather(np.linspace(0, 1, steps + 1), weights)[[0, -1]]
        scores = self.objective.times(2).scores(ends.astype(np.float64))
        self.steps, self.logits, self.difference = steps, ends[1], float(scores[1] - scores[0])

    def halve(self) -> None:
        """Gather in the middle of every step as well."""
        before = self.values
        self._gather((np.arange(self.steps) + 0.5) / self.steps, np.ones(self.steps))
        self.steps *= 2
        size = float(np.linalg.norm(self.values))
        self.change = float(np.linalg.norm(self.values - before)) / size if size > 0 else 0.0

    def _gather(self, places: Float[Array, " places"], weights: Float[Array, " places"]) -> Scores:
        """Add the gradients at places from 0, the baseline, to 1, the image; return the logits there."""
        logits, group = [], capacity(self.way.shape, CHUNK)
        for first in range(0, len(places), group):
            at = places[first : first + group].astype(np.float32)
            points = self.start + at.reshape(-1, *[1] * self.way.ndim) * self.way
            found = self.model.gradient(points, self.objective.times(len(points)))
            part = weights[first : first + group]
            self.total += np.tensordot(part, found.values.astype(np.float64), axes=1)
            logits.append(found.logits)
        self.calls += len(places)
        return np.concatenate(logits)

    @property
    def contributions(self) -> Float[Array, "*image"]:
        """What every pixel and channel contributes, by the steps taken so far."""
        shares: Array = self.total / max(self.steps, 1) * self.way
        return shares

    @property
    def values(self) -> Float[Array, "*space"]:
        """The attribution map."""
        summed: Array = self.contributions.sum(axis=-1)
        return summed.astype(np.float32)

    @property
    def gap(self) -> float:
        """By how much the values miss the difference of the scores."""
        return abs(float(self.contributions.sum()) - self.difference)

    @property
    def complete(self) -> bool:
        """Whether the gap is within the tolerance, or within what single precision leaves open."""
        size = 8 * np.abs(self.logits).max(initial=0) + np.abs(self.contributions).sum()
        rounding = float(np.finfo(np.float32).eps * size)
        return self.gap <= self.tolerance * abs(self.difference) + rounding

    def diagnostics(self) -> dict[str, float | int]:
        """Return steps, cost and completeness."""
        return {
            "steps": self.steps,
            "difference": self.difference,
            "completeness_gap": self.gap,
            **({} if np.isnan(self.change) else {"change": self.change}),
        }

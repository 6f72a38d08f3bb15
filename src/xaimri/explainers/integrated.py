"""Path methods: gradients gathered between a baseline and the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images, Stored
from xaimri.classifier import Differentiable, Objective
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.gradient import degenerate
from xaimri.explanation import Caveat
from xaimri.settings import positive, whole

CHUNK = 32
"""Images whose gradients are asked for at once."""

AT_ONCE, HELD = 8, 64
"""Steps that are halved together, and steps whose gradients are held, at most."""


@dataclass(frozen=True)
class IntegratedGradients(Explainer[Differentiable]):
    """The gradient averaged on the straight path from a baseline, times the difference to the baseline.

    Values are signed, in units of the explained score, and add up to the score of the image less that
    of the baseline: completeness. Steps are added until that holds within ``tolerance``. Costs
    ``steps + 1`` gradient passes per image, and one more for every step that is added;
    ``diagnostics`` tell how many it took, and the gap that is left.

    Parameters
    ----------
    baseline
        What stands for "nothing": one intensity for all pixels, or an image on the model's grid,
        ``(*space, channels)``. A pixel that equals the baseline has 0.
    steps
        Equal steps on the path at first (trapezoidal rule).
    most
        No more steps than this.
    tolerance
        Largest completeness gap, as a share of the difference of the two scores.

    Notes
    -----
    The published method takes a fixed number of equal steps. Here the steps that miss the change of the
    score between their own ends most are halved, eight at a time, so that steps are small where the
    gradient jumps. A gap that is still larger when ``most`` is reached comes with the caveat
    `not_converged`.

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

    baseline: float | Stored | Array = 0.0
    steps: int = 15
    most: int = 960
    tolerance: float = 0.01
    name: ClassVar[str] = "integrated_gradients"

    def __post_init__(self) -> None:
        if isinstance(self.baseline, np.ndarray):
            object.__setattr__(self, "baseline", Stored(self.baseline.astype(np.float32)))
        if not isinstance(self.baseline, Stored):
            number = isinstance(self.baseline, int | float | np.number)
            if not number or isinstance(self.baseline, bool) or not np.isfinite(float(self.baseline)):
                raise InvalidInput(f"`baseline` must be a finite number or an image, got {self.baseline!r}.")
            object.__setattr__(self, "baseline", float(self.baseline))
        whole(self, "steps", 1)
        whole(self, "most", self.steps, "(`steps`)")
        positive(self, "tolerance")

    def attribute(self, model: Differentiable, images: Images, objective: Objective, /) -> Attribution:
        """Follow every image's path, by itself, until it is complete."""
        if objective.targets is None:
            objective = Objective(tuple(map(int, objective.resolve(model.logits(images)))), objective.of)
        targets = objective.targets or ()
        found = [
            self._path(model, image, Objective((target,), objective.of))
            for image, target in zip(images, targets, strict=True)
        ]
        return Attribution(
            np.stack([path.values for path in found]),
            np.stack([path.logits for path in found]),
            diagnostics=[path.diagnostics() for path in found],
            caveats=[self._caveats(path) for path in found],
        )

    def _path(self, model: Differentiable, image: Image, objective: Objective) -> _Path:
        """Halve steps until the values add up."""
        path = _Path(model, image, self._start(image), objective, self.tolerance)
        path.begin(self.steps)
        while not path.complete and path.steps < self.most:
            path.refine(self.most - path.steps)
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
        found = list(degenerate(path.contributions[None])[0])
        if not path.complete:
            found.append(
                Caveat(
                    "not_converged",
                    f"With {path.steps} steps the values miss the difference of the scores by "
                    f"{path.gap:.3g} of {abs(path.difference):.3g}: allow more steps with `most`, or take "
                    "another baseline.",
                )
            )
        return found


class _Point(NamedTuple):
    """A place on the path, from 0 at the baseline to 1 at the image, with gradient and score there."""

    place: float
    gradient: Image
    score: float


@dataclass(frozen=True, eq=False)
class _Step:
    """An interval of the path."""

    first: _Point
    last: _Point

    @property
    def gradient(self) -> Image:
        """The gradient integrated over the interval, by the trapezoidal rule."""
        half = np.float32((self.last.place - self.first.place) / 2)
        integral: Array = (self.first.gradient + self.last.gradient) * half
        return integral

    def gap(self, way: Image) -> float:
        """By how much that misses what the score really does on the interval."""
        return float(np.vdot(self.gradient, way)) - (self.last.score - self.first.score)


class _Path:
    """The straight path from a baseline to one image, cut into steps, and what was gathered on it.

    Every step knows its own gap, since the scores at its ends come with the gradients. So the steps that
    miss most are halved, and a bounded number of gradients is held: the best steps are settled.
    """

    def __init__(
        self, model: Differentiable, image: Image, start: Image, objective: Objective, tolerance: float
    ) -> None:
        self.model, self.start, self.objective, self.tolerance = model, start, objective, tolerance
        self.way = image - start
        self.open: list[tuple[float, _Step]] = []
        self.settled, self.settled_gap = np.zeros(image.shape), 0.0
        self.calls = 0
        self.logits: Array = np.zeros(0, np.float32)
        self.difference = 0.0

    def begin(self, steps: int) -> None:
        """Gather at both ends and between, at equal distances."""
        points = self._points(np.linspace(0, 1, steps + 1))
        self.difference = points[-1].score - points[0].score
        self._cut(points)

    def refine(self, most: int) -> None:
        """Halve the steps that miss most, no more than so many."""
        self.open.sort(key=lambda step: -abs(step[0]))
        count = min(most, AT_ONCE, len(self.open))
        halved, rest = [step for _, step in self.open[:count]], self.open[count:]
        self.open = rest[: HELD - 2 * count]
        for gap, step in rest[HELD - 2 * count :]:
            self.settled += step.gradient
            self.settled_gap += gap
        middles = np.array([(step.first.place + step.last.place) / 2 for step in halved])
        for step, middle in zip(halved, self._points(middles), strict=True):
            self._cut([step.first, middle, step.last])

    def _cut(self, points: Sequence[_Point]) -> None:
        steps = [_Step(*ends) for ends in pairwise(points)]
        self.open += [(step.gap(self.way), step) for step in steps]

    def _points(self, places: Float[Array, " places"]) -> list[_Point]:
        """Ask for gradients and scores at places on the path."""
        found: list[_Point] = []
        for first in range(0, len(places), CHUNK):
            part = places[first : first + CHUNK]
            images = self.start + part.astype(np.float32).reshape(-1, *[1] * self.way.ndim) * self.way
            asked = Objective((self.objective.targets or ()) * len(part), self.objective.of)
            gradient = self.model.gradient(images, asked)
            scores = asked.scores(gradient.logits.astype(np.float64))
            found += map(_Point, map(float, part), gradient.values, map(float, scores))
            if part[-1] == 1:
                self.logits = gradient.logits[-1]
        self.calls += len(places)
        return found

    @property
    def steps(self) -> int:
        """How many steps the path is cut into."""
        return self.calls - 1

    @property
    def contributions(self) -> Float[Array, "*image"]:
        """What every pixel and channel contributes, by the steps taken so far."""
        total = self.settled + sum(step.gradient for _, step in self.open)
        shares: Array = total * self.way
        return shares

    @property
    def values(self) -> Float[Array, "*space"]:
        """The attribution map."""
        summed: Array = self.contributions.sum(axis=-1)
        return summed.astype(np.float32)

    @property
    def gap(self) -> float:
        """By how much the values miss the difference of the scores."""
        return abs(self.settled_gap + sum(gap for gap, _ in self.open))

    @property
    def complete(self) -> bool:
        """Whether the gap is within the tolerance, or within what single precision leaves open."""
        eps = float(np.finfo(np.float32).eps)
        rounding = eps * float(8 * np.abs(self.logits).max(initial=0) + np.abs(self.contributions).sum())
        return self.gap <= self.tolerance * abs(self.difference) + rounding

    def diagnostics(self) -> dict[str, float | int]:
        """Return steps, cost and completeness."""
        return {
            "steps": self.steps,
            "model_calls": self.calls,
            "difference": self.difference,
            "completeness_gap": self.gap,
        }

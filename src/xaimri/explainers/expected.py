"""Expected gradients: integrated gradients over many baselines, each drawn from a reference set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Image, Images, Stored
from xaimri.capacity import capacity
from xaimri.classifier import Differentiable
from xaimri.explainer import Attribution, Explainer
from xaimri.explainers.gradient import degenerate
from xaimri.explainers.integrated import CHUNK
from xaimri.explainers.references import references_of, references_setting
from xaimri.objective import Objective
from xaimri.perturb.running_mean import RunningMean
from xaimri.rules import WholeNumber
from xaimri.settings import setting


@dataclass(frozen=True)
class ExpectedGradients(Explainer[Differentiable]):
    """Integrated gradients averaged over baselines drawn from a reference set, with a standard error.

    Values are signed, in units of the explained score; in expectation they add up to the score of the
    image less the mean score of the references. Each sample takes one reference and one place on the
    path from it. Costs ``samples`` gradient passes and one forward pass per image.

    Notes
    -----
    ``errors`` is the standard error of each value over the samples; ``diagnostics`` hold the sum of
    the values and the standard error of that sum.

    References
    ----------
    Erion et al. (2021), doi:10.1038/s42256-021-00343-w.

    Examples
    --------
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> model = LinearClassifier(np.full((2, 4, 5, 1), 0.5))
    >>> explainer = ExpectedGradients(references=np.ones((1, 4, 5, 1)), samples=4)
    >>> explanation, = explainer.explain(model, np.full((1, 4, 5, 1), 3.0))
    >>> float(explanation.values.sum()), float(explanation.errors.max())
    (20.0, 0.0)
    """

    references: Stored | Array | None = references_setting(None)
    samples: int = setting(100, WholeNumber(2), doc="How many pairs of a reference and a place are drawn.")
    seed: int = setting(
        0, WholeNumber(0), doc="Of the draw; every image gets the same references and places."
    )
    name: ClassVar[str] = "expected_gradients"
    title: ClassVar[str] = "Expected gradients"
    cost: ClassVar[str] = "`samples` gradient passes"

    def attribute(self, model: Differentiable, batch: Images, objective: Objective, /) -> Attribution:
        """Average over references and places, image by image."""
        logits = model.logits(batch)
        each = objective.settle(logits).each(len(batch))
        references, drawn, places = self._drawn(batch.shape[1:])
        found = [
            _expected(model, image, references, drawn, places, one)
            for image, one in zip(batch, each, strict=True)
        ]
        return Attribution(
            np.stack([one.maps.mean for one in found]).astype(np.float32),
            logits,
            errors=np.stack([one.maps.error for one in found]).astype(np.float32),
            diagnostics=[
                {
                    "model_calls": self.samples + 1,
                    "sum": float(one.sums.mean),
                    "sum_error": float(one.sums.error),
                }
                for one in found
            ],
            caveats=degenerate(np.array([[one.changes] for one in found])),
        )

    def _drawn(
        self, shape: tuple[int, ...]
    ) -> tuple[Images, Int[Array, " samples"], Float[Array, " samples"]]:
        references = references_of(self.references, shape)
        generator = np.random.default_rng(self.seed)
        drawn = generator.integers(0, len(references), self.samples)
        return references, drawn, generator.random(self.samples)


@dataclass(frozen=True, eq=False)
class _Samples:
    """The mean of the samples' maps and that of their sums, and whether any gradient was not 0."""

    maps: RunningMean
    sums: RunningMean
    changes: bool


def _expected(
    model: Differentiable,
    image: Image,
    references: Images,
    drawn: Int[Array, " samples"],
    places: Float[Array, " samples"],
    objective: Objective,
) -> _Samples:
    """Gather one image's samples, a bounded number at a time."""
    maps, sums, changes = RunningMean(), RunningMean(), False
    group = capacity(image.shape, CHUNK)
    for first in range(0, len(drawn), group):
        starts = references[drawn[first : first + group]]
        way = image - starts
        at = places[first : first + group].astype(np.float32).reshape(-1, *[1] * image.ndim)
        asked = objective.times(len(way))
        gradient = model.gradient(starts + at * way, asked).values
        samples = (gradient.astype(np.float64) * way).sum(axis=-1)
        maps.add(samples)
        sums.add(samples.reshape(len(samples), -1).sum(axis=1))
        changes = changes or bool(gradient.any())
    return _Samples(maps, sums, changes)

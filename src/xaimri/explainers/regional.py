"""What the methods share that hide regions: asking about an image, and laying values on its regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions, Image, Images
from xaimri.caveats import Caveat, Reason
from xaimri.classifier import Classifier
from xaimri.explainer import Attribution
from xaimri.explanation import Regions
from xaimri.objective import Objective
from xaimri.perturb.absent import Absent, hidden
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.predictions import Predictions, predict_each
from xaimri.perturb.responses import is_flat, scored
from xaimri.perturb.segments import Segmentation, Shape, regions_of, without_gaps
from xaimri.perturb.stopping import Samples, fewest


@runtime_checkable
class Regional(Protocol):
    """A method with the settings that say which regions of an image are hidden, and how."""

    @property
    def regions(self) -> Segmentation | None:
        """About how many, or a label image."""

    @property
    def shape(self) -> Shape:
        """What regions look like."""

    @property
    def compactness(self) -> float:
        """Of superpixels."""

    @property
    def absent(self) -> Absent:
        """What a hidden region looks like."""

    @property
    def samples(self) -> Samples:
        """How many perturbed images will be asked about."""

    @property
    def seed(self) -> int:
        """Of what is drawn."""


@dataclass(frozen=True, eq=False)
class RegionAttribution:
    """What a method found for the regions of one image."""

    predictions: Predictions
    estimate: Sampled
    logits: Float[Array, " classes"]
    diagnostics: dict[str, Any]
    caveats: list[Caveat]


def region_predictions(
    explainer: Regional, model: Classifier, images: Images, objective: Objective
) -> Iterator[tuple[Predictions, Objective]]:
    """Yield, for every image, its predictions and its objective; equal images share predictions."""

    def predict(image: Image) -> Predictions:
        assert explainer.regions is not None
        given = regions_of(image, explainer.regions, explainer.compactness, explainer.shape)
        labels, numbers = without_gaps(given)
        gone = hidden(image, labels, explainer.absent, explainer.seed)
        possible = 2 ** len(numbers)  # of few regions there aren't as many coalitions as samples
        asked = min(fewest(explainer.samples), possible)
        return Predictions(model, image, gone, labels, asked, numbers, explainer.absent)

    yield from zip(predict_each(images, predict), objective.each(len(images)), strict=True)


class Game:
    """The score as a game of the regions whose hiding changes anything.

    ``players`` is their number, ``logits`` are those of the unchanged image, and ``ends`` the score with no
    player shown, and with all.
    """

    def __init__(self, predictions: Predictions, objective: Objective) -> None:
        self._predictions = predictions
        self._tested = predictions.tested
        self.players = int(self._tested.sum())
        self.logits = predictions(np.ones((1, predictions.regions), dtype=bool))[0]
        self._objective = objective.settle(self.logits[None])
        self._seen: list[float] = []
        base, full = self.value(np.array([[False], [True]]).repeat(self.players, axis=1))
        self.ends = (float(base), float(full))

    def value(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the score under coalitions of the players; the other regions are shown."""
        shown = np.ones((len(coalitions), self._predictions.regions), dtype=bool)
        shown[:, self._tested] = coalitions
        scores = scored(self._predictions(shown), self._objective)
        self._seen = [float(end(np.append(self._seen, scores))) for end in (np.min, np.max)]
        return scores

    @property
    def unmoved(self) -> list[Caveat]:
        """The caveat of a score that no coalition changed."""
        return unmoved(np.array(self._seen), self._tested)

    def spread(self, found: Sampled) -> Sampled:
        """Lay the players' values back among all regions; zeros where no coalition changed the score."""
        if self.unmoved:  # what is left is rounding
            found = Sampled(np.zeros(self.players), np.zeros((1, self.players)))
        values = np.full(self._predictions.regions, np.nan)
        influence = np.zeros((len(found.influence), self._predictions.regions))
        values[self._tested], influence[:, self._tested] = found.values, found.influence
        return Sampled(values, influence)


def gather(found: Iterable[RegionAttribution]) -> Attribution:
    """Put the images' results side by side; regions whose hiding changes nothing get no value."""
    each = list(found)
    regions = [_regions(one) for one in each]
    return Attribution(
        values=np.stack([r.paint(r.values) for r in regions]).astype(np.float32),
        logits=np.stack([one.logits for one in each]).astype(np.float32),
        errors=np.stack([r.paint(r.errors) for r in regions if r.errors is not None]).astype(np.float32),
        regions=regions,
        diagnostics=[
            {
                **one.diagnostics,
                "regions": one.predictions.regions,
                "untested": int((~one.predictions.tested).sum()),
                "model_calls": one.predictions.calls,
                **one.predictions.spots.told(),
                **engine_of(one.predictions),
            }
            for one in each
        ],
        caveats=[[*one.caveats, *_unseen(one.predictions)] for one in each],
    )


def engine_of(asked: object) -> dict[str, str]:
    """Return what a classifier, or the predictions of one, runs on, where it says so."""
    engine = getattr(asked, "engine", None)
    return {"engine": engine} if engine else {}


def _regions(found: RegionAttribution) -> Regions:
    """Return the regions with the numbers that they were given."""
    predictions, numbers = found.predictions, found.predictions.numbers
    values, errors = np.full((2, int(numbers.max()) + 1), np.nan)
    tested = numbers[predictions.tested]
    values[tested] = found.estimate.values[predictions.tested]
    errors[tested] = found.estimate.errors[predictions.tested]
    return Regions(np.append(numbers, -1)[predictions.labels], values, errors)


def unmoved(scores: Float[Array, " scores"], tested: Bool[Array, " regions"]) -> list[Caveat]:
    """Return the caveat of a score that nothing changed that was hidden."""
    still = bool(tested.any()) and is_flat(scores)
    return [Reason.UNMOVED_SCORE.caveat(score=float(scores[0]))] if still else []


def _unseen(predictions: Predictions) -> list[Caveat]:
    """Return the caveats of regions whose hiding changes no pixel, or next to nothing."""
    barely = predictions.spots.caveats(predictions.absent, predictions.numbers)
    return [*untested(predictions.tested), *barely]


def untested(tested: Bool[Array, " regions"]) -> list[Caveat]:
    """Return the caveat of regions whose hiding changes no pixel."""
    untested = int((~tested).sum())
    return [Reason.UNTESTED_REGIONS.caveat(untested=untested, regions=len(tested))] if untested else []

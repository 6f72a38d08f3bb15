"""What the methods share that hide regions: asking about an image, and laying values on its regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions, Image, Images
from xaimri.caveats import Caveat
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution
from xaimri.explanation import Regions
from xaimri.objective import Objective, Of
from xaimri.perturb.absent import hidden
from xaimri.perturb.least_squares import Sampled
from xaimri.perturb.predictions import Answers, answers_of
from xaimri.perturb.responses import scored
from xaimri.perturb.segments import regions_of, without_gaps
from xaimri.perturb.stopping import fewest
from xaimri.settings import whole


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found for the regions of one image."""

    answers: Answers
    estimate: Sampled
    logits: Float[Array, " classes"]
    diagnostics: dict[str, Any]
    caveats: list[Caveat]


def answers_for(
    explainer: Any, model: Classifier, images: Images, objective: Objective
) -> Iterator[tuple[Answers, int | None, Of]]:
    """Yield, for every image, whom to ask, the target and the score; equal images share their answers.

    The explainer has the settings ``regions``, ``compactness``, ``shape``, ``absent``, ``samples`` and
    ``seed``.
    """

    def ask(image: Image) -> Answers:
        given = regions_of(image, explainer.regions, explainer.compactness, explainer.shape)
        labels, numbers = without_gaps(given)
        gone = hidden(image, labels, explainer.absent, explainer.seed)
        possible = 2 ** len(numbers)  # of few regions there aren't as many coalitions as samples
        return Answers(model, image, gone, labels, min(fewest(explainer.samples), possible), numbers)

    targets = objective.targets or (None,) * len(images)
    for answers, target in zip(answers_of(images, ask), targets, strict=True):
        yield answers, target, objective.of


class Game:
    """The score as a game of the regions whose hiding changes anything.

    ``players`` is their number, ``logits`` are those of the unchanged image, and ``ends`` the score with no
    player shown, and with all.
    """

    def __init__(self, answers: Answers, target: int | None, of: Of) -> None:
        self._answers, self._of = answers, of
        self._tested = answers.tested
        self.players = int(self._tested.sum())
        self.logits = answers(np.ones((1, answers.regions), dtype=bool))[0]
        self._target = int(self.logits.argmax()) if target is None else target
        base, whole = self.value(np.array([[False], [True]]).repeat(self.players, axis=1))
        self.ends = (float(base), float(whole))

    def value(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the score under coalitions of the players; the other regions are shown."""
        shown = np.ones((len(coalitions), self._answers.regions), dtype=bool)
        shown[:, self._tested] = coalitions
        return scored(self._answers(shown), self._target, self._of)

    def spread(self, found: Sampled) -> Sampled:
        """Lay the players' values back among all regions."""
        values = np.full(self._answers.regions, np.nan)
        influence = np.zeros((len(found.influence), self._answers.regions))
        values[self._tested], influence[:, self._tested] = found.values, found.influence
        return Sampled(values, influence)


def gathered(found: Iterable[Found]) -> Attribution:
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
                "regions": one.answers.regions,
                "untested": int((~one.answers.tested).sum()),
                "model_calls": one.answers.calls,
                **engine_of(one.answers),
            }
            for one in each
        ],
        caveats=[[*one.caveats, *untested(one.answers.tested)] for one in each],
    )


def engine_of(asked: object) -> dict[str, str]:
    """Return what a classifier, or the answers of one, runs on, where it says so."""
    engine = getattr(asked, "engine", None)
    return {"engine": engine} if engine else {}


def _regions(found: Found) -> Regions:
    """Return the regions with the numbers that they were given."""
    answers, numbers = found.answers, found.answers.numbers
    values, errors = np.full((2, int(numbers.max()) + 1), np.nan)
    tested = numbers[answers.tested]
    values[tested] = found.estimate.values[answers.tested]
    errors[tested] = found.estimate.errors[answers.tested]
    return Regions(np.append(numbers, -1)[answers.labels], values, errors)


def untested(tested: Bool[Array, " regions"]) -> list[Caveat]:
    """Return the caveat of regions whose hiding changes no pixel."""
    if tested.all():
        return []
    return [
        Caveat(
            "untested_regions",
            f"Hiding changes no pixel in {int((~tested).sum())} of {len(tested)} regions: they were not "
            "tested and have no value.",
        )
    ]


def seed_setting(explainer: Any) -> None:
    """Check the setting ``seed``, which numpy's older generators take below 2**32."""
    whole(explainer, "seed", 0)
    if explainer.seed >= 2**32:
        raise InvalidInput(f"`seed` must be below 2**32, got {explainer.seed}.")

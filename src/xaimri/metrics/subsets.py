"""Subsets of an image that are hidden, and for each the sum of a map's values and the fall of the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from xaimri.adapters.options import ModelLike
from xaimri.arrays import Array, Coalitions, Labels
from xaimri.capacity import MOST
from xaimri.explanation import Explanation
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.metrics.partition import partitions
from xaimri.metrics.score import explained_score, refuse_still
from xaimri.metrics.values import part_sums
from xaimri.objective import Of
from xaimri.perturb.absent import Absent
from xaimri.perturb.responses import Hiding, fastest, responses_of, scored

Drawing: TypeAlias = Callable[[Labels], Coalitions]
"""Gives coalitions for the parts of an image: True where a part is shown."""


def sums_and_falls(
    explanations: Sequence[Explanation],
    classifier: ModelLike,
    regions: int | Labels | None,
    absent: Absent,
    draw: Drawing,
    of: Of | None,
    seed: int,
) -> Iterator[tuple[Float[Array, " samples"], Float[Array, " samples"]]]:
    """Yield, for every map, the sums of its values over what is hidden, and the falls of the score.

    ``draw`` gives the coalitions for the parts of an image; maps of one image share their predictions.
    """
    model = classifier_of(classifier)
    shape = image_shape(explanations, model)
    images = list(partitions(explanations, absent, regions, seed))
    hidings: list[Hiding] = []
    for each, image in zip(explanations, images, strict=True):
        if image.number < len(hidings):
            continue
        if not hidings or not np.array_equal(image.labels, hidings[-1].labels):
            shown = draw(image.labels)
            asked = np.concatenate([np.ones((1, shown.shape[1]), dtype=bool), shown])
        else:
            asked = hidings[-1].coalitions  # cut alike, asked alike
        hidings.append(Hiding(each.image, image.gone, image.labels, asked))
    counts = [len(hiding.coalitions) for hiding in hidings]
    answers = responses_of(fastest(model, sum(counts), shape), hidings).astype(np.float64)
    apart = np.split(answers, np.cumsum(counts)[:-1])
    for each, image in zip(explanations, images, strict=True):
        hiding = hidings[image.number]
        followed = explained_score(each, of)
        scores = scored(apart[image.number], followed)
        refuse_still(scores, each, model, followed)
        given, shown = part_sums(each, hiding.labels), hiding.coalitions[1:]
        blocks = [~shown[first : first + MOST] @ given for first in range(0, len(shown), MOST)]
        yield np.concatenate(blocks), scores[0] - scores[1:]


def boxes(space: tuple[int, ...], samples: int, side: float, seed: int) -> Bool[Array, "samples pixels"]:
    """Return random boxes inside the image, True in the box."""
    generator = np.random.default_rng(seed)
    inside = np.ones((samples, *space), dtype=bool)
    for axis, length in enumerate(space):
        wide = max(1, round(side * length))
        first = generator.integers(0, length - wide + 1, samples)
        place = np.arange(length)
        within = (place >= first[:, None]) & (place < first[:, None] + wide)
        inside &= within.reshape([samples, *(length if a == axis else 1 for a in range(len(space)))])
    return inside.reshape(samples, -1)


def subsets(parts: int, samples: int, sizes: Sequence[float], seed: int) -> Bool[Array, "subsets parts"]:
    """Return random subsets, so many of each size, a share of the parts; True in the subset."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros((len(sizes) * samples, parts), dtype=bool)
    for row, share in zip(chosen, np.repeat(sizes, samples), strict=True):
        count = min(max(round(float(share) * parts), 1), parts - 1)
        row[generator.choice(parts, count, replace=False, shuffle=False)] = True
    return chosen

"""Subsets of an image that are hidden, and for each the sum of a map's values and the fall of the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions, Labels
from xaimri.classifier import Classifier, Of
from xaimri.explanation import Explanation
from xaimri.metrics.parts import parted
from xaimri.metrics.reading import fitting, shares
from xaimri.perturb.absent import Absent
from xaimri.perturb.responses import fastest, responses, scored

Drawing: TypeAlias = Callable[[Labels], Coalitions]
"""Gives coalitions for the parts of an image: True where a part is shown."""


def tried(
    explanations: Sequence[Explanation],
    classifier: Classifier,
    regions: int | Labels | None,
    absent: Absent,
    draw: Drawing,
    of: Of | None,
    seed: int,
) -> Iterator[tuple[Float[Array, " samples"], Float[Array, " samples"]]]:
    """Yield, for every map, the sums of its values over what is hidden, and the falls of the score.

    ``draw`` gives the coalitions for the parts of an image; maps of one image share their predictions.
    """
    shape, images = fitting(explanations, classifier), len({each.image.tobytes() for each in explanations})
    known: dict[int, Array] = {}
    cut = np.zeros(0, dtype=np.int64)
    model: Classifier | None = None
    for each, image in zip(explanations, parted(explanations, absent, regions, seed), strict=True):
        if not np.array_equal(image.labels, cut):  # images that are cut alike are tried alike
            cut, shown = image.labels, draw(image.labels)
            asked = np.concatenate([np.ones((1, shown.shape[1]), dtype=bool), shown])
        if model is None:
            model = fastest(classifier, len(asked) * images, shape)
        if image.number not in known:
            answers = responses(model, each.image, image.gone, cut, asked)
            known[image.number] = answers.astype(np.float64)
        scores = scored(known[image.number], each.target, each.of if of is None else of)
        yield (~shown).astype(np.float64) @ shares(each, cut), scores[0] - scores[1:]


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

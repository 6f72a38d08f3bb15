"""Subsets of an image that are hidden, and for each the sum of a map's values and the fall of the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions, Labels
from xaimri.classifier import Classifier, Of
from xaimri.explanation import Explanation
from xaimri.metrics.reading import fitting, parts_of, shares
from xaimri.perturb.absent import Absent, checked_absent, hidden
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
    shape, absent = fitting(explanations, classifier), checked_absent(absent)
    known: dict[bytes, tuple[Labels, Array]] = {}
    cut = np.zeros(0, dtype=np.int64)
    for each in explanations:
        key = each.image.tobytes()
        labels = known[key][0] if key in known else parts_of(each.image, regions)
        if not np.array_equal(labels, cut):  # images that are cut alike are tried alike
            cut, shown = labels, draw(labels)
        if key not in known:
            alike = np.zeros_like(labels) if regions is None else labels
            gone = hidden(each.image, alike, absent, seed)
            asked = np.concatenate([np.ones((1, shown.shape[1]), dtype=bool), shown])
            model = fastest(classifier, len(asked), shape)
            known[key] = labels, responses(model, each.image, gone, labels, asked).astype(np.float64)
        logits = known[key][1]
        scores = scored(logits, each.target, each.of if of is None else of)
        yield (~shown).astype(np.float64) @ shares(each, labels), scores[0] - scores[1:]


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

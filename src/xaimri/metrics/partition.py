"""What is hidden of an explained image: the parts it is cut into, and what it looks like without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arrays import Array, Image, Images, Labels, Mask
from xaimri.caveats import Reason
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.perturb.absent import Absent, checked_absent, hidden, written
from xaimri.perturb.blind_spots import best_way, blind_spots, cells, unseen
from xaimri.perturb.responses import fastest, streamed
from xaimri.perturb.segments import regions_of, without_gaps

CELLS = 16
"""Cells along the second longest axis by which it is seen where hiding pixels hides anything."""

MOSTLY = 0.5
"""Of a map's positive evidence, above which no number is given if next to nothing of it is hidden."""


@dataclass(frozen=True, eq=False)
class Partition:
    """An image that is hidden part by part.

    ``number`` counts distinct images, ``labels`` ``(*space)`` is the part of every pixel (-1 lies in none),
    ``gone`` is the image with everything hidden, and ``unseen`` ``(*space)`` is where that hides next to
    nothing of what stands out, region by region, or cell by cell of a grid.
    """

    number: int
    labels: Labels
    gone: Image
    unseen: Mask

    @property
    def parts(self) -> int:
        """How many there are."""
        return int(self.labels.max()) + 1


def partitions(
    explanations: Sequence[Explanation], absent: Absent, regions: int | Labels | None, seed: int
) -> Iterator[Partition]:
    """Yield each map's image, cut and hidden; maps of one image share it.

    Raises
    ------
    InvalidInput
        If most of a map's positive evidence lies where hiding changes next to nothing: see the caveat
        `barely_hidden`.
    """
    absent = checked_absent(absent)
    known: dict[bytes, Partition] = {}
    pixels: dict[tuple[int, ...], Labels] = {}  # every pixel by itself, once for images of one shape
    for each in explanations:
        image, key = each.image, sha256(each.image.tobytes()).digest()
        if key not in known and regions is None:
            labels = pixels.setdefault(image.shape, part_labels(image, None))
            gone = hidden(image, np.zeros_like(labels), absent, seed)
            near = _cells(image.shape[:-1])
            known[key] = Partition(len(known), labels, gone, unseen(blind_spots(image, gone, near), near))
        elif key not in known:
            labels = part_labels(image, regions)
            gone = hidden(image, labels, absent, seed)
            spots = blind_spots(image, gone, labels)
            known[key] = Partition(len(known), labels, gone, unseen(spots, labels))
        _refuse_unseen(each, known[key], absent, None if regions is None else "auto", seed)
        yield known[key]


def _cells(space: tuple[int, ...]) -> Labels:
    """Cut an image whose pixels are hidden one by one into cells by which it is looked at."""
    return cells(space, sorted(space)[-2:][0] / CELLS)


def _refuse_unseen(
    explanation: Explanation, image: Partition, absent: Absent, remedy: Absent | None, seed: int
) -> None:
    """Refuse a map most of whose positive evidence lies where next to nothing is hidden."""
    if not image.unseen.any():
        return
    positive = np.maximum(np.nan_to_num(explanation.values.astype(np.float64)), 0)
    share = float(positive[image.unseen].sum() / (positive.sum() or 1.0))
    if share > MOSTLY:
        way = best_way(explanation.image, _cells(image.unseen.shape), seed) if remedy is None else remedy
        caveat = Reason.BARELY_HIDDEN.caveat(absent=written(absent), percent=100 * share, remedy=written(way))
        raise InvalidInput(caveat.text)


def logit_pairs(
    explanations: Sequence[Explanation], classifier: ModelLike, changed: Callable[[int], Image]
) -> Float[Array, "batch 2 classes"]:
    """Return, for every map, the logits of its image, and of the image that it was changed to.

    Costs 1 model call per map, and 1 per image, all in one stream; ``changed`` is asked for a map's image
    when its turn comes.
    """
    model = classifier_of(classifier)
    shape = image_shape(explanations, model)
    place: dict[bytes, int] = {}
    own = [place.setdefault(each.image.tobytes(), len(place)) for each in explanations]
    originals = [explanations[own.index(number)].image for number in range(len(place))]

    def write(buffer: Images, start: int) -> None:
        for row, out in enumerate(buffer, start):
            out[:] = originals[row] if row < len(originals) else changed(row - len(originals))

    count = len(originals) + len(explanations)
    logits = streamed(fastest(model, count, shape), shape, count, write).astype(np.float64)
    return np.stack([logits[own], logits[len(originals) :]], axis=1)


def part_labels(image: Image, regions: int | Labels | None) -> Labels:
    """Return the parts that are hidden together: every pixel by itself, superpixels, or those given."""
    if regions is None:
        return np.arange(int(np.prod(image.shape[:-1]))).reshape(image.shape[:-1])
    labels = regions_of(image, regions, 0.2, "superpixels")
    return without_gaps(labels)[0]  # a part has a pixel, whatever the numbers skip

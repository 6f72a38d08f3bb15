"""What is hidden of an explained image: the parts it is cut into, and what it looks like without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import ModelLike
from xaimri.arrays import Array, Image, Images, Labels
from xaimri.explanation import Explanation
from xaimri.metrics.model import classifier_of, image_shape
from xaimri.perturb.absent import Absent, checked_absent, hidden
from xaimri.perturb.responses import fastest, streamed
from xaimri.perturb.segments import regions_of, without_gaps


@dataclass(frozen=True, eq=False)
class Partition:
    """An image that is hidden part by part.

    ``number`` counts distinct images, ``labels`` ``(*space)`` is the part of every pixel (-1 lies in none),
    and ``gone`` is the image with everything hidden.
    """

    number: int
    labels: Labels
    gone: Image

    @property
    def parts(self) -> int:
        """How many there are."""
        return int(self.labels.max()) + 1


def partitions(
    explanations: Sequence[Explanation], absent: Absent, regions: int | Labels | None, seed: int
) -> Iterator[Partition]:
    """Yield each map's image, cut and hidden; maps of one image share it."""
    absent = checked_absent(absent)
    known: dict[bytes, Partition] = {}
    pixels: dict[tuple[int, ...], Labels] = {}  # every pixel by itself, once for images of one shape
    for each in explanations:
        image, key = each.image, sha256(each.image.tobytes()).digest()
        if key not in known and regions is None:
            labels = pixels.setdefault(image.shape, part_labels(image, None))
            known[key] = Partition(len(known), labels, hidden(image, np.zeros_like(labels), absent, seed))
        elif key not in known:
            labels = part_labels(image, regions)
            known[key] = Partition(len(known), labels, hidden(image, labels, absent, seed))
        yield known[key]


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

"""What is hidden of an explained image: the parts it is cut into, and what it looks like without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Image, Labels
from xaimri.explanation import Explanation
from xaimri.perturb.absent import Absent, checked_absent, hidden
from xaimri.perturb.segments import regions_of


@dataclass(frozen=True, eq=False)
class Parted:
    """An image that is hidden part by part.

    ``number`` counts distinct images, ``labels`` ``(*space)`` is the part of every pixel (-1 lies in none),
    and ``gone`` is the image with everything hidden.
    """

    number: int
    labels: Labels
    gone: Image


def parted(
    explanations: Sequence[Explanation], absent: Absent, regions: int | Labels | None, seed: int
) -> Iterator[Parted]:
    """Yield each map's image, cut and hidden; maps of one image share it."""
    absent = checked_absent(absent)
    known: dict[bytes, Parted] = {}
    for each in explanations:
        key = each.image.tobytes()
        if key not in known:
            labels = parts_of(each.image, regions)
            alike = np.zeros_like(labels) if regions is None else labels
            known[key] = Parted(len(known), labels, hidden(each.image, alike, absent, seed))
        yield known[key]


def parts_of(image: Image, regions: int | Labels | None) -> Labels:
    """Return the parts that are hidden together: every pixel by itself, superpixels, or those given."""
    if regions is None:
        return np.arange(int(np.prod(image.shape[:-1]))).reshape(image.shape[:-1])
    labels = regions_of(image, regions, 0.2, "superpixels")
    kept, numbered = np.unique(labels, return_inverse=True)  # a part has a pixel, whatever the numbers skip
    found: Labels = numbered.reshape(labels.shape) - int(kept[0] < 0)
    return found

"""Families of images that show one person or one scan, from the subjects and from pairs that were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array
from xaimri.data.connected import connected
from xaimri.data.likeness import SAME_SCAN
from xaimri.data.looks import Looks
from xaimri.data.polar import nearest
from xaimri.data.registration import FINE, detail

BESIDE = 6
"""Images of the same set that each is held against, as it lies, to find slices of one scan."""


def families(subjects: Sequence[str | None], pairs: Iterable[tuple[int, int]]) -> Int[Array, " images"]:
    """Return a number for each image, the same for those of one subject or of a pair, or of a chain of these.

    Examples
    --------
    >>> families(["a", None, "a", None, None], [(1, 3)]).tolist()
    [0, 1, 0, 1, 2]
    """
    first: dict[str, int] = {}
    links = list(pairs)
    for place, subject in enumerate(subjects):
        if subject is not None:
            links.append((first.setdefault(subject, place), place))
    return connected(len(subjects), links)


def beside(looks: Looks) -> list[tuple[int, int]]:
    """Return pairs of places of one set whose images are slices of one scan, or copies, as they lie.

    Images are not laid on each other for this: what was turned or mirrored is not found.
    """
    some = np.flatnonzero(looks.told)
    if len(some) < 2:
        return []
    spectra = looks.polar.spectra()[some]
    found = []
    near = some[nearest(spectra, spectra, BESIDE + 1)]
    fine = np.stack([detail(looks.image(place), FINE)[::2, ::2].ravel() for place in some.tolist()])
    fine -= fine.mean(axis=1, keepdims=True)
    fine /= np.linalg.norm(fine, axis=1, keepdims=True) + 1e-9
    row_of = {int(place): row for row, place in enumerate(some)}
    for row, place in enumerate(some.tolist()):
        rows = [row_of[int(other)] for other in near[row] if other > place]
        like = fine[rows] @ fine[row]
        found += [(place, int(some[r])) for r, each in zip(rows, like, strict=True) if each >= SAME_SCAN]
    return found

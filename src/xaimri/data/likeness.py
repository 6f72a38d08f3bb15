"""Which images of two data sets show the same thing: copies that were altered, and neighbours in a scan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Array
from xaimri.data.looks import Looks
from xaimri.data.polar import nearest
from xaimri.data.registration import similarity

NEAR = 0.965
"""From this similarity on two images are one, altered.

Copies of real slices, altered in eleven ways, have 0.97 and more in 95 of 100 cases or more; the next slice
of the same head has 0.965 at most in 99 of 100. `docs/guide/audit.md` has the figures and their command.
"""

SAME_SCAN = 0.80
"""From this similarity on two images are of one scan: an altered copy, or a neighbour."""

UNCERTAIN = 0.75
"""From this similarity up to `SAME_SCAN` it is not certain; different people's slices stay below."""

CANDIDATES = 48
"""Images of training that each of the test's may be laid on: those whose spectra are most like its own."""

PATIENCE = 4
"""So many candidates in turn that are no altered copies end the search."""


@dataclass(frozen=True)
class Match:
    """Two images that are alike.

    Attributes
    ----------
    train, test
        Places in their data sets.
    similarity
        As `xaimri.data.registration.similarity` tells it, at most 1.
    """

    train: int
    test: int
    similarity: float


def alike(train: Looks, test: Looks) -> list[Match]:
    """Return which images of two data sets show one scan, at least uncertainly, the best of each first.

    Tolerant to shift, turn, mirror image, scale, shear, contrast and moderate crops. Every image of the test
    is laid on the images of training whose spectra around the middle are most like its own (`CANDIDATES`, or
    more while all of these are copies of it) until `PATIENCE` of them in turn are no copies.
    """
    if not (train.told.any() and test.told.any()):
        return []
    there, here = np.flatnonzero(train.told), np.flatnonzero(test.told)
    spectra = train.polar.spectra()[there]
    near = there[nearest(test.polar.spectra()[here], spectra, CANDIDATES)]
    with ThreadPoolExecutor(_workers()) as pool:
        found = pool.map(
            lambda pair: list(_matches(train, test, *pair)), zip(here.tolist(), near, strict=True)
        )
        return [match for each in found for match in sorted(each, key=lambda m: -m.similarity)]


def similarity_of(train: Looks, test: Looks, pair: tuple[int, int]) -> float:
    """Return how alike an image of training and one of the test are, by their places."""
    ((_, guess),) = test.polar.placed(pair[1], train.polar, np.array([pair[0]]))
    return similarity(test.image(pair[1]), train.image(pair[0]), guess)


def _matches(train: Looks, test: Looks, place: int, near: Array) -> Iterator[Match]:
    """Yield what an image of the test is alike to among its candidates."""
    image = test.image(place)
    placed = test.polar.placed(place, train.polar, near)
    passed = 0
    for row in sorted(range(len(near)), key=lambda row: -placed[row][0]):
        like = similarity(image, train.image(int(near[row])), placed[row][1])
        if like >= UNCERTAIN:
            yield Match(int(near[row]), place, like)
        passed = 0 if like >= NEAR else passed + 1
        if passed == PATIENCE:
            return


def _workers() -> int:
    """Return how many threads lay images on each other: OpenCV works outside of Python's lock."""
    return min(8, os.cpu_count() or 1)

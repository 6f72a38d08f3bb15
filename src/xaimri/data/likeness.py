"""Which images of two data sets show the same thing: copies that were altered, and neighbours in a scan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from xaimri.arrays import Array
from xaimri.data.looks import Looks
from xaimri.data.polar import Polar, nearest
from xaimri.data.registration import similarity

NEAR = 0.965
"""From this similarity on two images are one, altered.

Copies of real slices that were turned, moved, scaled and changed in contrast have 0.967 and more in 95 of
100; the next slice of the same head has 0.965 at most in 99 of 100. `docs/guide/audit.md` has the figures.
"""

SAME_SCAN = 0.80
"""From this similarity on two images are of one scan: an altered copy, or a neighbour."""

UNCERTAIN = 0.75
"""From this similarity up to `SAME_SCAN` it is not certain; different people's slices stay below."""

CANDIDATES = 48
"""Images of training that each of the test's may be laid on: those whose spectra are most like its own."""

CROPPED = 16
"""Candidates for each part of an image that a cropped one may show."""

PATIENCE = 4, 16
"""So many candidates in turn that are no altered copies end the search: while nothing is alike, and after."""


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

    Tolerant to shift, turn, mirror image, scale, shear, contrast, and crops to some 0.7 of the edge. Every
    image of the test is laid on the images of training whose spectra around the middle are most like its own
    (`Candidates`), until several of them in turn are no copies (`PATIENCE`).
    """
    here = np.flatnonzero(test.told)
    if not (len(here) and train.told.any()):
        return []
    candidates = _candidates(train, test)
    with ThreadPoolExecutor(_workers()) as pool:
        found = pool.map(lambda place: list(_matches(train, test, place, candidates)), here.tolist())
        return [match for each in found for match in sorted(each, key=lambda match: -match.similarity)]


def similarity_of(train: Looks, test: Looks, pair: tuple[int, int]) -> float:
    """Return how alike an image of training and one of the test are, by their places."""
    _, maps = test.polar.placed(pair[1], train.polar, np.array([pair[0]]))
    return similarity(test.image(pair[1]), train.image(pair[0]), maps[0])


@dataclass(frozen=True, eq=False)
class Candidates:
    """Images of training that may be like each image of the test.

    Attributes
    ----------
    places
        Which, for every image of the test; some stand there more than once.
    fit
        How well the waves of both fit.
    maps
        From pixels of the image of the test to those of the other.
    """

    places: Int[Array, "test most"]
    fit: Float[Array, "test most"]
    maps: Float[Array, "test most 2 3"]

    def best_first(self, place: int) -> Iterator[tuple[int, Array]]:
        """Yield candidates of an image of the test, each once, with its map."""
        seen: set[int] = set()
        for row in np.argsort(-self.fit[place], kind="stable").tolist():
            other = int(self.places[place, row])
            if other not in seen:
                seen.add(other)
                yield other, self.maps[place, row]


def _candidates(train: Looks, test: Looks) -> Candidates:
    """Return candidates by whole images, by parts of training's, and by parts of the test's."""
    parts = [_by_waves(train.told, train.polar, test.polar, CANDIDATES)]
    parts += [_by_waves(train.told, window, test.polar, CROPPED) for window in train.windows()]
    parts += [_by_waves(train.told, train.polar, window, CROPPED) for window in test.windows()]
    places, fit, maps = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
    return Candidates(places, fit, maps)


def _by_waves(
    told: Bool[Array, " train"], train: Polar, test: Polar, most: int
) -> tuple[Array, Array, Array]:
    """Return the candidates with the most similar spectra, how well they fit, and their maps."""
    there = np.flatnonzero(told)
    places = there[nearest(test.spectra(), train.spectra()[there], most)]
    placed = [test.placed(row, train, near) for row, near in enumerate(places)]
    fit, maps = zip(*placed, strict=True)
    return places, np.stack(fit).astype(np.float32), np.stack(maps)


def _matches(train: Looks, test: Looks, place: int, candidates: Candidates) -> Iterator[Match]:
    """Yield what an image of the test is alike to among its candidates."""
    image = test.image(place)
    passed, patience = 0, PATIENCE[0]
    for other, guess in candidates.best_first(place):
        like = similarity(image, train.image(other), guess)
        if like >= UNCERTAIN:
            yield Match(other, place, like)
            patience = PATIENCE[1]
        passed = 0 if like >= NEAR else passed + 1
        if passed == patience:
            return


def _workers() -> int:
    """Return how many threads lay images on each other: OpenCV works outside of Python's lock."""
    return min(8, os.cpu_count() or 1)

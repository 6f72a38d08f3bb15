"""Slices chained into scans by their pixels alone: which of them lie beside each other in one head."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from xaimri.arrays import Array
from xaimri.data.connected import connected

BESIDE = 8
"""A pair is held against the distance to the neighbour of this rank, which is mostly somebody else's."""

CLOSE = 0.5
"""Two slices alone are of one scan below this share of that distance, and below `LIKE`."""

LIKE = 0.017
"""Half a squared distance: of neighbours in real scans it was 0.011 at most, of two people 0.023 at least."""

ACROSS = 0.7
"""Two chains are of one scan below this share of the distance to others; of people none was below 0.77."""

UNSURE = 0.8
"""From `ACROSS` up to this share two chains may be parts of one scan, and are not said to be whole."""

SAME = 5e-4
"""Half the squared distance up to which two images are one picture, saved twice."""

BLOCK = 256
"""Rows of distances that are held at once."""

Vectors = Float32[Array, "images pixels"]
Pairs = Int[Array, "pairs 2"]


@dataclass(frozen=True, eq=False)
class Chains:
    """Scans as they were found.

    Attributes
    ----------
    scan
        Number of the scan of each image; -1 where it has no neighbour, or nothing is to be seen.
    unsure
        Whether the scan of an image may be a part of another one.
    blank
        Images that can't be read or are of one value.
    """

    scan: Int[Array, " images"]
    unsure: Bool[Array, " images"]
    blank: Bool[Array, " images"]


def chain(thumbnails: Float32[Array, "images height width"]) -> Chains:
    """Chain slices into scans.

    A slice lies between two others if these are its two nearest, it is one of the two nearest of each, and
    the angle at which it sees them is obtuse: slices of several people see each other at some 60 degrees.
    Two slices that are much nearer to each other than to others are a pair. Then the ends of chains are
    joined across gaps, where they are much nearer to each other than to any other chain.

    Examples
    --------
    >>> one, other = np.random.default_rng(0).normal(size=(2, 9, 7))
    >>> path = [np.cos(0.1 * i) * one + np.sin(0.1 * i) * other for i in range(6)]
    >>> chain(np.float32(path)).scan.tolist()
    [0, 0, 0, 0, 0, 0]
    """
    flat = thumbnails.reshape(len(thumbnails), thumbnails.shape[1] * thumbnails.shape[2])
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    told = np.isfinite(length[:, 0]) & (length[:, 0] > 1e-3)
    scan, unsure = np.full(len(flat), -1), np.zeros(len(flat), bool)
    if told.any():
        vectors = centred[told] / length[told]
        scan[told], unsure[told] = _scans(vectors)
    return Chains(scan, unsure, ~told)


def _scans(vectors: Vectors) -> tuple[Array, Array]:
    """Return the scan of each image, -1 where it is alone, and whether it may be a part of another."""
    picture = _pictures(vectors)
    first = np.unique(picture, return_index=True)[1]
    found, doubtful = _joined(vectors[first])
    whole, unsure = found[picture], doubtful[picture]
    lonely = np.bincount(whole)[whole] < 2
    names = np.unique(whole[~lonely], return_inverse=True)[1]
    scan = np.full(len(vectors), -1)
    scan[~lonely] = names
    return scan, unsure & ~lonely


def _pictures(vectors: Vectors) -> Array:
    """Return a number for each image, the same for those that are one picture."""
    seen: dict[bytes, int] = {}
    own = np.array([seen.setdefault(sha256(vector.tobytes()).digest(), len(seen)) for vector in vectors])
    near, apart = _nearest(vectors[np.unique(own, return_index=True)[1]], BESIDE)
    row, rank = np.nonzero(apart < SAME)
    pairs = np.stack([row, near[row, rank]], axis=1)
    whole: Array = connected(len(seen), pairs)[own]
    return whole


def _joined(vectors: Vectors) -> tuple[Array, Array]:
    """Return the group of each picture, and whether its group may be a part of another."""
    links, count = _beside(vectors), len(vectors)
    group = connected(count, links)
    while len(links):
        pairs, ratio = _across(vectors, group, np.flatnonzero(~_between(vectors, links)))
        near = ratio < ACROSS
        if not near.any():
            open_ = np.unique(group[pairs[ratio < UNSURE]])
            return group, np.isin(group, open_)
        links = np.concatenate([links, pairs[near]])
        group = connected(count, links)
    return group, np.zeros(count, bool)


def _beside(vectors: Vectors) -> Pairs:
    """Return pairs of pictures that lie beside each other in a scan."""
    near, apart = _nearest(vectors, BESIDE)
    if near.shape[1] < 2:
        return np.empty((0, 2), np.int64)
    count, two = len(vectors), near[:, :2]
    mutual = (two[two] == np.arange(count)[:, None, None]).any(axis=2)
    scale = np.sqrt(apart[:, -1:] * apart[:, -1][two])
    pair = mutual & (apart[:, :2] < CLOSE * scale) & (apart[:, :2] < LIKE)
    inner = mutual.all(axis=1) & (_half(vectors[two[:, 0]], vectors[two[:, 1]]) > apart[:, :2].sum(axis=1))
    row, rank = np.nonzero(pair | inner[:, None])
    return np.stack([row, two[row, rank]], axis=1)


def _between(vectors: Vectors, links: Pairs) -> Bool[Array, " pictures"]:
    """Tell which pictures lie between two of those that they are linked to."""
    both = np.unique(np.concatenate([links, links[:, ::-1]]), axis=0)
    starts = np.searchsorted(both[:, 0], np.arange(len(vectors) + 1))
    inner = np.zeros(len(vectors), bool)
    for place in np.unique(both[:, 0]).tolist():
        others = vectors[both[starts[place] : starts[place + 1], 1]] - vectors[place]
        inner[place] = bool(((others @ others.T) < 0).any())
    return inner


def _across(vectors: Vectors, group: Array, ends: Array) -> tuple[Pairs, Array]:
    """Return ends of chains that are each other's nearest outside, and how much nearer than a third chain.

    At least one of the two is of a chain of several pictures.
    """
    count = len(vectors)
    nearest, apart, third = np.full(count, -1), np.full(count, np.inf), np.full(count, np.inf)
    for start in range(0, len(ends), BLOCK):
        rows = ends[start : start + BLOCK]
        distance = 1 - vectors[rows] @ vectors.T
        line, own = np.arange(len(rows)), group[rows]
        for turn in range(4):
            distance[own[:, None] == group] = np.inf
            found = distance.argmin(axis=1)
            if turn == 0:
                nearest[rows], apart[rows] = found, distance[line, found]
            own = group[found]
        third[rows] = distance[line, found]
    met = ends[(nearest[nearest[ends]] == ends) & np.isfinite(third[ends])]
    size = np.bincount(group)
    met = met[(met < nearest[met]) & (np.maximum(size[group[met]], size[group[nearest[met]]]) > 1)]
    other = nearest[met]
    known = np.isfinite(third[other])
    met, other = met[known], other[known]
    return np.stack([met, other], axis=1), apart[met] / np.sqrt(third[met] * third[other])


def _nearest(vectors: Vectors, most: int) -> tuple[Int[Array, "images most"], Float[Array, "images most"]]:
    """Return the nearest others of each, and half their squared distances."""
    count = len(vectors)
    most = min(most, count - 1)
    near, apart = np.zeros((count, most), np.int64), np.zeros((count, most), np.float32)
    for start in range(0, count if most else 0, BLOCK):
        like = vectors[start : start + BLOCK] @ vectors.T
        line = np.arange(len(like))
        like[line, start + line] = -np.inf
        found = np.argpartition(-like, most - 1, axis=1)[:, :most]
        held = np.take_along_axis(like, found, axis=1)
        order = np.argsort(-held, axis=1, kind="stable")
        near[start : start + BLOCK] = np.take_along_axis(found, order, axis=1)
        apart[start : start + BLOCK] = 1 - np.take_along_axis(held, order, axis=1)
    return near, np.maximum(apart, 0)


def _half(one: Vectors, other: Vectors) -> Float[Array, " images"]:
    """Return half the squared distances of vectors of length 1."""
    found: Array = 1 - np.einsum("ij,ij->i", one, other)
    return found

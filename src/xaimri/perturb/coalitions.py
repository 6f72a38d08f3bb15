"""Which regions are shown and which are hidden in each perturbed image."""

from __future__ import annotations

import heapq
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Coalitions
from xaimri.errors import InvalidInput

ENUMERATED = 50_000
"""Coalitions of one size are listed and shuffled up to this number; above, drawn until they differ."""


def halves(samples: int, regions: int, seed: int) -> Coalitions:
    """Show every region with probability one half; the first row shows all, as in the ``lime`` package.

    Examples
    --------
    >>> halves(3, 4, seed=0).astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 0]])
    """
    if samples < 2:
        raise InvalidInput(f"`samples` must be at least 2, got {samples}.")
    drawn = (
        np.random.RandomState(seed).randint(0, 2, samples * regions).reshape(samples, regions).astype(bool)
    )
    drawn[0] = True
    return drawn


def orthogonal(samples: int, regions: int, seed: int) -> tuple[Coalitions, Int[Array, " samples"]]:
    """Show random halves in complementary pairs, in blocks in which all regions are orthogonal.

    A block is a Hadamard matrix with shuffled rows, random columns and random signs, and its complement:
    each coalition alone is a random half, and over a block each region is shown half the time, and so is
    each of two whatever the other is. What two regions do together then drops out of a linear fit, and no
    region's effect is mistaken for another's.

    Parameters
    ----------
    samples
        Rows, the first of which shows all; the first ``n`` are those that ``n`` would give. A block has twice
        as many as the next power of two above ``regions``; the last may be cut short.
    regions
        Columns.
    seed
        Of the draws.

    Returns
    -------
    Coalitions
        ``(samples, regions)``.
    Int[Array, " samples"]
        To which pair each belongs.

    References
    ----------
    Plackett & Burman (1946), doi:10.1093/biomet/33.4.305; Owen (1992), Statistica Sinica 2, 439-452.

    Examples
    --------
    >>> coalitions, pairs = orthogonal(9, 3, seed=0)
    >>> signs = 2 * coalitions[1:].astype(int) - 1
    >>> (signs.T @ signs).tolist(), pairs.tolist()
    ([[8, 0, 0], [0, 8, 0], [0, 0, 8]], [0, 1, 1, 2, 2, 3, 3, 4, 4])
    """
    from scipy.linalg import hadamard

    generator = np.random.default_rng(seed)
    block = hadamard(whole_block(regions) // 2, dtype=np.int8) > 0
    drawn = np.ones((samples + 1, regions), dtype=bool)
    for first in range(1, samples, 2 * len(block)):
        columns, rows = generator.permutation(len(block))[:regions], generator.permutation(len(block))
        one = block[rows][:, columns] ^ (generator.random(regions) < 0.5)
        pairs = np.stack([one, ~one], axis=1).reshape(-1, regions)
        drawn[first : first + len(pairs)] = pairs[: len(drawn) - first]
    return drawn[:samples], (np.arange(samples) + 1) // 2


def whole_block(regions: int) -> int:
    """Return how many coalitions it takes until so many regions are balanced against each other.

    Examples
    --------
    >>> whole_block(3), whole_block(50)
    (8, 128)
    """
    return 2 << (regions - 1).bit_length()


def by_size(
    samples: int, sizes: Float[Array, " sizes"], seed: int, *, stratified: bool = False
) -> Coalitions:
    """Draw how many regions are shown, then which; the first row shows all.

    Parameters
    ----------
    samples
        Rows; the first ``n`` of them are those that ``n`` would give.
    sizes
        ``(regions + 1,)``: relative frequency of showing 0, 1, ... regions.
    seed
        Of the draws.
    stratified
        Spread the sizes evenly instead of by chance: a sequence of low discrepancy takes the place of
        independent draws, so that each size comes as often as it should.
    """
    generator = np.random.default_rng(seed)
    regions, golden = len(sizes) - 1, (np.sqrt(5) - 1) / 2
    start, chance = generator.random(), generator.random((samples, regions + 1))
    place = (start + golden * np.arange(samples)) % 1 if stratified else chance[:, -1]
    edges = np.cumsum(sizes) / sizes.sum()
    shown = np.minimum(np.searchsorted(edges, place, side="right"), regions)
    shown[0] = regions
    order = chance[:, :-1].argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    drawn: Coalitions = order < shown[:, None]
    return drawn


def paired(samples: int, regions: int, seed: int) -> tuple[Coalitions, Int[Array, " sizes"]]:
    """Draw pairs of a coalition and its complement, none twice, each size equally often while it lasts.

    That is leverage sampling for Shapley values: the leverage of a coalition is one over the number of
    coalitions of its size.

    Parameters
    ----------
    samples
        Coalitions altogether, the empty and the full one among them; the pairs of a smaller number are the
        first ones of a larger.
    regions
        At least 2.
    seed
        Of the draws.

    Returns
    -------
    Coalitions
        ``(pairs, regions)``: one of each pair, the one that shows fewer regions.
    Int[Array, " sizes"]
        ``(regions // 2 + 1,)``: how many pairs there are of each size.

    References
    ----------
    Musco & Witter (2025), arXiv:2410.01917.

    Examples
    --------
    >>> pairs, population = paired(10, 4, seed=0)
    >>> pairs.sum(axis=1).tolist(), population.tolist()
    ([1, 1, 2, 1], [0, 4, 3])
    """
    half = regions // 2
    population = [0] + [comb(regions, s) // (2 if 2 * s == regions else 1) for s in range(1, half + 1)]
    share = [1 if 2 * s == regions else 2 for s in range(half + 1)]
    turns = [(1 / share[s], s, 1) for s in range(1, half + 1)]
    heapq.heapify(turns)
    order: list[int] = []
    while turns and len(order) < (samples - 2) // 2:
        _, size, taken = heapq.heappop(turns)
        order.append(size)
        if taken < population[size]:
            heapq.heappush(turns, ((taken + 1) / share[size], size, taken + 1))
    sequence = np.array(order, dtype=np.int64)
    pairs = np.zeros((len(order), regions), dtype=bool)
    for size in range(1, half + 1):
        rows = np.flatnonzero(sequence == size)
        if len(rows):
            pairs[rows] = _different(len(rows), size, regions, np.random.default_rng((seed, size)))
    return pairs, np.array([min(n, 2**62) for n in population], dtype=np.int64)


def _different(count: int, size: int, regions: int, generator: np.random.Generator) -> Coalitions:
    """Draw different coalitions of one size, of each complementary pair no more than one.

    A smaller count gives the first of a larger one.
    """
    twins = 2 * size == regions
    total = comb(regions, size) // (2 if twins else 1)
    found = np.zeros((count, regions), dtype=bool)
    if total <= ENUMERATED:
        listed = np.array(list(combinations(range(regions), size)))[:total]  # the first half of twins
        chosen = listed[generator.permutation(total)[:count]]
        np.put_along_axis(found, chosen, True, axis=1)
        return found
    seen: set[bytes] = set()
    row = 0
    while row < count:
        found[row, generator.choice(regions, size, replace=False)] = True
        kept = ~found[row] if twins and found[row, 0] else found[row]
        key = kept.tobytes()
        if key in seen:
            found[row] = False
            continue
        seen.add(key)
        row += 1
    return found


def all_of(regions: int) -> Coalitions:
    """Return all ``2 ** regions`` coalitions; the last shows all.

    Examples
    --------
    >>> all_of(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    bits: Coalitions = (np.arange(2**regions)[:, None] >> np.arange(regions) & 1).astype(bool)
    return bits


def log_binomial(n: Array | int, k: Array) -> Array:
    """Return the logarithm of the binomial coefficient; anything where it is 0."""
    from scipy.special import gammaln

    k = np.clip(k, 0, n)
    found: Array = gammaln(np.asarray(n) + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return found

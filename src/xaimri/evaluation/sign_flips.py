"""Tests of many figures at once: signs of whole subjects are flipped, and the largest statistic answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.rules import WholeNumber

AT_ONCE = 2**22
"""Numbers that are held at once, about."""

CLOSE = 1e-9
"""Statistics that differ by less, in parts of themselves, are equal."""


@check_arguments(flips=WholeNumber(1, most=10**7))
def sign_flip_test(
    values: Float[Array, "subjects figures"], null: float = 0.0, *, flips: int = 10_000, seed: int = 0
) -> tuple[Float[Array, " figures"], Float[Array, " figures"]]:
    """Test whether the mean over subjects of each of many figures differs from one value.

    Where a figure has nothing to say, a subject lies above or below ``null`` by chance, so that the signs of
    all its distances from there can be flipped. Of every such flip the largest absolute t over all figures
    is kept; a figure's p is the share of flips whose largest is at least its own. So the chance that any
    figure at all comes out below 0.05, though none should, is at most 0.05, however they go together.

    Parameters
    ----------
    values
        A row for each subject, NaN where a figure has no value for it.
    null
        What is expected where there is nothing.
    flips
        Up to so many, all are taken, half of them by symmetry: 14 subjects have 8,192. Of more subjects
        so many are drawn, the one without a flip among them.
    seed
        Of those that are drawn.

    Returns
    -------
    t, p
        One sample's t of each figure, and its p, two-sided and corrected. NaN for a figure with fewer than
        two subjects, or the same value ``null`` for all. No p is below 2 in ``2 ** subjects``.

    Notes
    -----
    Exact where distances from ``null`` are symmetric; of a mean of many subjects nearly so elsewhere.

    References
    ----------
    Nichols & Holmes (2002), doi:10.1002/hbm.1058; Winkler et al. (2014),
    doi:10.1016/j.neuroimage.2014.01.060.

    Examples
    --------
    Of three subjects there are 8 flips, and two of them, none and all, have the largest t:

    >>> t, p = sign_flip_test(np.array([[1.0], [2.0], [3.0]]))
    >>> t.round(3).tolist(), p.tolist()
    ([3.464], [0.25])
    """
    if values.ndim != 2 or not values.size or np.isinf(values).any():
        raise InvalidInput(
            f"`values` must have a row for each subject and a column for each figure, got {shown(values)}."
        )
    known = np.isfinite(values)
    count, distances = known.sum(axis=0), np.where(known, values.astype(np.float64) - null, 0)
    squares = (distances**2).sum(axis=0)
    able = (count >= 2) & (squares > 0)
    t, p = np.full((2, values.shape[1]), np.nan)
    if not able.any():
        return t, p
    count, distances, squares = count[able], distances[:, able], squares[able]
    own = _statistics(np.ones((1, len(values))), distances, squares, count)[0]
    reached, total = np.zeros(len(own)), 0
    for signs in signs_of(len(values), flips, seed, max(AT_ONCE // len(own), 1)):
        largest = np.abs(_statistics(signs, distances, squares, count)).max(axis=1)
        reached += (largest[:, None] >= np.abs(own) * (1 - CLOSE)).sum(axis=0)
        total += len(signs)
    t[able], p[able] = own, reached / total
    return t, p


def is_exact(subjects: int, flips: int) -> bool:
    """Tell whether all flips of so many subjects are taken.

    Examples
    --------
    >>> is_exact(14, 10_000), is_exact(15, 10_000)
    (True, False)
    """
    return bool(2 ** (subjects - 1) <= flips)


def signs_of(subjects: int, flips: int, seed: int, at_once: int) -> Iterator[Float[Array, "flips subjects"]]:
    """Yield signs of all subjects: each flip once but for its mirror image, or as many as are drawn."""
    if is_exact(subjects, flips):
        places = np.arange(2 ** (subjects - 1))
        for first in range(0, len(places), at_once):
            some = places[first : first + at_once, None]
            minus: Bool[Array, ...] = (some >> np.arange(subjects)) & 1 > 0  # the last subject stays
            yield np.where(minus, -1.0, 1.0)
        return
    generator = np.random.default_rng(seed)
    yield np.ones((1, subjects))
    for first in range(0, flips - 1, at_once):
        yield generator.choice([-1.0, 1.0], size=(min(at_once, flips - 1 - first), subjects))


def _statistics(
    signs: Float[Array, "flips subjects"],
    distances: Float[Array, "subjects figures"],
    squares: Float[Array, " figures"],
    count: Array,
) -> Float[Array, "flips figures"]:
    """Return t of every figure under every flip; squares don't change with signs."""
    sums = signs @ distances
    spread = np.maximum(squares - sums**2 / count, 0) / (count - 1)
    spread[spread < 1e-12 * squares / count] = 0  # all alike, but for rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        t: Array = sums / np.sqrt(count * spread)
    t[np.isnan(t)] = 0
    return t

"""Which of many belong together: those that pairs connect, directly or through others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array


def connected(count: int, pairs: Int[Array, "pairs 2"] | Sequence[tuple[int, int]]) -> Int[Array, " count"]:
    """Return a number for each of so many, the same for those that pairs connect.

    Examples
    --------
    >>> connected(5, [(1, 3), (3, 4)]).tolist()
    [0, 1, 2, 1, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    found: Array = connected_components(graph, directed=False)[1]
    return found.astype(np.int64)

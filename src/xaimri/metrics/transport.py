"""The earth mover's distance between two maps of mass, as a transport problem between cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Map


class Heap(NamedTuple):
    """Mass in cells: ``mass`` ``(cells,)`` adds up to 1, ``place`` ``(cells, axes)`` in pixels."""

    mass: Float[Array, " cells"]
    place: Float[Array, "cells axes"]


def binned(mass: Map, cells: int) -> Heap:
    """Return the cells that hold any mass, each at its pixels' mean place.

    There are so many along an image's longest axis; along a volume's fewer, so that they are as many in all.
    """
    side = max(1.0, max(mass.shape) / max(1, int(cells ** (2 / max(mass.ndim, 2)))))
    pixels = np.indices(mass.shape).reshape(mass.ndim, -1)
    index = (pixels // side).astype(np.int64)
    flat = np.ravel_multi_index(tuple(index), tuple(index.max(axis=1) + 1))
    sizes = np.maximum(np.bincount(flat), 1)
    centres = np.stack([np.bincount(flat, weights=axis) / sizes for axis in pixels], axis=1)
    total = np.bincount(flat, weights=mass.ravel())
    held = total > 0
    return Heap(total[held] / total.sum(), centres[held])


def mover_distance(one: Heap, other: Heap) -> float:
    """Return the least work, mass times pixels, that turns one heap into the other.

    References
    ----------
    Rubner, Tomasi & Guibas (2000), doi:10.1023/A:1026543900054; solved by SciPy's ``linprog``.

    Examples
    --------
    >>> a, b = binned(np.array([[1.0, 0.0, 0.0]]), 3), binned(np.array([[0.0, 1.0, 1.0]]), 3)
    >>> mover_distance(a, b)
    1.5
    """
    from scipy.optimize import linprog
    from scipy.sparse import eye, kron, vstack
    from scipy.spatial.distance import cdist

    sent = kron(eye(len(one.mass)), np.ones((1, len(other.mass))))
    received = kron(np.ones((1, len(one.mass))), eye(len(other.mass)))
    balance: Any = vstack([sent, received]).tocsr()[:-1]  # the last follows from the others
    solved = linprog(
        cdist(one.place, other.place).ravel(),
        A_eq=balance,
        b_eq=np.concatenate([one.mass, other.mass])[:-1],
    )
    work: Any = solved.fun
    return float(work)

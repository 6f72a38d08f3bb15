"""How far a map's relevance lies from the known answer: the earth mover's distance between cells of mass."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Map
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.metrics.batch import Values, of_each
from xaimri.metrics.masks import Masks, relevance_and_masks


@of_each
@check_arguments()
def mover_similarity(
    explanations: Sequence[Explanation],
    region: Masks,
    within: Masks | None = None,
    *,
    cells: int = 16,
) -> Values:
    """Tell how near the positive relevance lies to the region: 1 less the earth mover's distance.

    From 0 to 1, higher is better: 1 where it is spread over the region evenly, 0 where all of it would have
    to be moved by the image's diagonal. It sees how far off a map is that misses; it can't see negative
    values. By chance it is about what an even map has, which depends on where the region lies.

    Parameters
    ----------
    explanations, region, within
        As of :func:`relevance_mass`.
    cells
        The image is cut into so many cells along its longest axis, and mass is moved between their centres;
        a volume into fewer along each axis (6 for 16), so that they are about as many in all.

    Returns
    -------
    float or (batch,)
        NaN where the map has no positive relevance in the object.

    References
    ----------
    Rubner, Tomasi & Guibas (2000), doi:10.1023/A:1026543900054.

    Notes
    -----
    Costs no model call, and a transport problem for each map: milliseconds with POT (extra ``transport``),
    else up to a second with 16 cells, and with twice as many about 16 times as long.
    """
    if cells < 1:
        raise InvalidInput(f"`cells` must be at least 1, got {cells}.")
    found = []
    for positive, inside in relevance_and_masks(explanations, region, within):
        if not positive.sum() > 0:
            found.append(np.nan)
            continue
        far = mover_distance(heap(positive, cells), heap(inside.astype(np.float64), cells))
        found.append(1 - far / float(np.linalg.norm(positive.shape)))
    return np.array(found)


class Heap(NamedTuple):
    """Mass in cells: ``mass`` ``(cells,)`` adds up to 1, ``place`` ``(cells, axes)`` in pixels."""

    mass: Float[Array, " cells"]
    place: Float[Array, "cells axes"]


def heap(mass: Map, cells: int) -> Heap:
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

    Solved by POT where it is installed (extra ``transport``), else by SciPy's ``linprog``: the same number,
    many times slower.

    References
    ----------
    Rubner, Tomasi & Guibas (2000), doi:10.1023/A:1026543900054. Flamary et al. (2021), POT: Python Optimal
    Transport, JMLR 22(78).

    Examples
    --------
    >>> a, b = heap(np.array([[1.0, 0.0, 0.0]]), 3), heap(np.array([[0.0, 1.0, 1.0]]), 3)
    >>> mover_distance(a, b)
    1.5
    """
    from scipy.spatial.distance import cdist

    costs: Array = cdist(one.place, other.place)
    solve = _linear_program if find_spec("ot") is None else _by_pot()
    return float(solve(one.mass, other.mass, costs))


Solver: TypeAlias = Callable[[Array, Array, Array], Any]
"""Takes the mass of either heap, and the cost of moving one unit from each cell to each."""


def _by_pot() -> Solver:
    """Return POT's solver, which is loaded without the frameworks that it could compute with."""
    names = [f"POT_BACKEND_DISABLE_{name}" for name in ("TENSORFLOW", "PYTORCH", "JAX", "CUPY")]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        import ot
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return cast(Solver, partial(ot.emd2, numItermax=1_000_000))


def _linear_program(one: Array, other: Array, costs: Array) -> float:
    """Solve the transport problem by SciPy."""
    from scipy.optimize import linprog
    from scipy.sparse import eye, kron, vstack

    sent = kron(eye(len(one)), np.ones((1, len(other))))
    received = kron(np.ones((1, len(one))), eye(len(other)))
    balance: Any = vstack([sent, received]).tocsr()[:-1]  # the last follows from the others
    solved = linprog(costs.ravel(), A_eq=balance, b_eq=np.concatenate([one, other])[:-1])
    work: Any = solved.fun
    return float(work)

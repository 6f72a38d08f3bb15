"""Groups of maps that look alike: weak evidence, since any set of maps can be cut into groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Map
from xaimri.data.case import Case

LEAST = 20
"""Maps that are cut into groups, at least."""

CELLS = 8
"""Parts along each axis, at most, by whose means maps are held against each other."""

CLEAR = 0.25
"""Silhouette from which on groups lie apart."""


@dataclass(frozen=True)
class Clusters:
    """Maps cut into groups.

    Attributes
    ----------
    silhouette
        How far the groups lie apart: 1 at most, about 0 where there are none.
    sizes
        Maps in each group.
    classes
        Of each group, how many maps are of each class.
    """

    silhouette: float
    sizes: tuple[int, ...]
    classes: tuple[dict[str, int], ...]

    @property
    def sentence(self) -> str:
        """Say what it is worth."""
        if self.silhouette < CLEAR:
            return (
                f"The maps fall into no clear groups (silhouette {self.silhouette:.2f}); a shortcut in "
                "few images may still be among them."
            )
        told = "; ".join(
            f"{size} maps ({', '.join(f'{name} {n}' for name, n in counts.items())})"
            for size, counts in zip(self.sizes, self.classes, strict=True)
        )
        return (
            f"Weak: the maps fall into {len(self.sizes)} groups (silhouette {self.silhouette:.2f}): "
            f"{told}. Groups come of slices and poses, too: look at the images of each."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {"silhouette": self.silhouette, "sizes": list(self.sizes), "classes": list(self.classes)}


def clusters_of(
    maps: Sequence[Map], cases: Sequence[Case], classes: Sequence[str], seed: int
) -> Clusters | None:
    """Cut maps into two to four groups by k-means of their coarse pattern, the number by silhouette.

    None where there are fewer than 20, or they have several shapes.

    References
    ----------
    After Lapuschkin et al. (2019), doi:10.1038/s41467-019-08987-4, who cut by a spectrum.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    if len(maps) < LEAST or len({one.shape for one in maps}) > 1:
        return None
    rows = np.stack([coarse(one).ravel() for one in maps]).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    if len(np.unique(rows.round(6), axis=0)) < 5:
        return None
    best: tuple[float, Array] = (-math.inf, np.zeros(len(rows), np.int64))
    for count in (2, 3, 4):
        cut = KMeans(count, n_init=5, random_state=seed).fit_predict(rows)
        if len(set(cut.tolist())) > 1:
            best = max(
                best, (float(silhouette_score(rows, cut, metric="cosine")), cut), key=lambda one: one[0]
            )
    groups = [np.flatnonzero(best[1] == group) for group in np.unique(best[1])]
    counts = tuple(_counted([classes[cases[n].label] for n in own.tolist()]) for own in groups)
    return Clusters(best[0], tuple(len(own) for own in groups), counts)


def coarse(values: Map) -> Float[Array, "*cells"]:
    """Return the means of a map over at most 8 parts along each axis.

    Examples
    --------
    >>> coarse(np.arange(32.0).reshape(2, 16)).shape
    (2, 8)
    """
    found: Array = values
    for axis, length in enumerate(values.shape):
        edges = np.linspace(0, length, min(CELLS, length) + 1).round().astype(int)
        parts = np.add.reduceat(found, edges[:-1], axis=axis)
        shape = [1] * found.ndim
        shape[axis] = -1
        found = parts / np.diff(edges).reshape(shape)
    return found


def _counted(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}

"""What a class activation map opens inside a network: tensors of the traced graph, laid on cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow as tf

from xaimri.adapters.keras.geometry.merger import Shares
from xaimri.adapters.keras.tensors import Tensor
from xaimri.caveats import Caveat
from xaimri.grid import Grid

Lay: TypeAlias = Callable[[Sequence[Tensor]], Tensor]
"""Brings tensors, or their gradients, to one ``(batch, *cells, features)``; it only moves values."""

Lattices: TypeAlias = Callable[[Shares], Grid]
"""Tells where the cells lie when it is known what branches carry that disagree about it."""


def beside(tensors: Sequence[Tensor]) -> Tensor:
    """Join maps of one lattice along their features."""
    return tensors[0] if len(tensors) == 1 else tf.concat([tf.cast(t, tf.float32) for t in tensors], axis=-1)


@dataclass(frozen=True, eq=False)
class InnerMap:
    """Tensors inside a network that are explained together, and where their cells lie on the image.

    Attributes
    ----------
    tensors
        They are differentiated by as independent ones: the derivative by each holds the others still.
    layer
        What they are called: a layer's path, or several joined by `` + ``.
    why
        One phrase that says how they came to be chosen.
    grid
        Where the cells lie on the image.
    lay
        Brings the tensors to ``(batch, *cells, features)``, and their gradients likewise.
    caveats
        What is odd about them, whatever the image.
    place
        Tells the grid anew from the shares of branches that disagree; None where that can't be done.
    """

    tensors: tuple[Tensor, ...]
    layer: str
    why: str
    grid: Grid
    lay: Lay = beside
    caveats: tuple[Caveat, ...] = ()
    place: Lattices | None = None

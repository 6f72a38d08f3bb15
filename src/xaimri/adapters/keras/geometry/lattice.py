"""Where a feature map's cells lie on the image, read from the operations of the traced graph.

Every operation moves the lattice of cells by what its padding, strides, dilation and kernel say, or keeps
it where the spatial axes stay. One that is not known and keeps the spatial shape keeps the lattice; any
other loses it, and the grid is then marked as assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import tensorflow as tf

from xaimri.adapters.keras.geometry.centres import Lattice, Places, merged
from xaimri.adapters.keras.geometry.layout import BATCH, REST, Layout, is_open
from xaimri.adapters.keras.geometry.layout import cells as cells_of
from xaimri.adapters.keras.geometry.merger import Merger, Mergers, Shares
from xaimri.adapters.keras.geometry.step import LOST
from xaimri.adapters.keras.geometry.walk import walk
from xaimri.adapters.keras.graph import reach
from xaimri.adapters.keras.tensors import Tensor
from xaimri.grid import Grid


def places_of(source: Tensor, mergers: Mergers | None = None) -> Places:
    """Return where the cells of every tensor lie that the source image enters.

    Parameters
    ----------
    source
        Images ``(batch, *space, channels)``.
    mergers
        What branches carry where some disagree, and where those that do are noted, but for those within
        called functions; without, the mean of the branches is taken.
    """
    axes = source.shape.rank - 2
    places: Places = {source.ref(): Lattice((0.0,) * axes, (1.0,) * axes)}
    walk(source.graph, places, axes, mergers=mergers)
    return places


def grid_of(cells: Tensor, source: Tensor, places: Places | None = None) -> Grid:
    """Return where the cells of a tensor lie on the source image; assumed where that can't be read.

    Parameters
    ----------
    cells, source
        Tensors of one graph and of known sizes; the source is ``(batch, *space, channels)``.
    places
        Of the source, where they are known already.
    """
    return grid_of_all([cells], source, places)


def grid_of_all(maps: Sequence[Tensor], source: Tensor, places: Places | None = None) -> Grid:
    """Return where the cells of several maps of one number of cells lie: at the mean of their places."""
    space, cells = tuple(source.shape.as_list()[1:-1]), maps[0]
    places = places_of(source) if places is None else places
    found = [lattice for one in maps if (lattice := place_of(one, source, places)) is not None]
    if len(found) < len(maps):
        return Grid.resized(space, tuple(cells.shape.as_list()[1:-1]), assumed=True)
    shape = tuple(cells.shape.as_list()[1 : 1 + len(space)])
    if found[0].layout is not None:
        shape = cells_of(found[0].layout, len(space))
    mean = merged([replace(lattice, layout=None) for lattice in found], shape)
    doubt = tuple(float(v) ** 0.5 for v in mean.variance)
    return Grid(space, shape, mean.start, mean.step, spread=mean.spread, doubt=doubt)


def settled_grid(maps: Sequence[Tensor], source: Tensor, shares: Shares) -> Grid:
    """Return where the cells of maps lie by what the branches carry that disagree about it."""
    return grid_of_all(maps, source, places_of(source, Mergers(shares)))


def mergers_of(maps: Sequence[Tensor], source: Tensor) -> list[Merger]:
    """Return where branches meet, before some maps, that place their cells differently."""
    mergers = Mergers()
    places_of(source, mergers)
    before = reach([cells.op for cells in maps], lambda op: [t.op for t in op.inputs])
    return [merger for merger in mergers.met if merger.output.op in before]


def place_of(cells: Tensor, source: Tensor, places: Places | None = None) -> Lattice | None:
    """Return the lattice by which a tensor's cells are laid on the image, None where there is none."""
    found = (places_of(source) if places is None else places).get(cells.ref(), LOST)
    if not isinstance(found, Lattice) or min(found.step, default=1.0) <= 0:
        return None
    if found.layout is None:
        return found if cells.shape.rank == source.shape.rank else None
    return found if is_open(found.layout) else None


def as_map(cells: Tensor, layout: Layout | None, axes: int) -> Tensor:
    """Return cells as ``(batch, *space, channels)``, of one cell along an axis that they don't have."""
    if layout is None:
        return cells
    factors = [factor for axis in layout for factor in axis]
    order = [i for i, (label, _) in enumerate(factors) if label == BATCH]
    order += [i for axis in range(axes) for i, (label, _) in enumerate(factors) if label == axis]
    order += [i for i, (label, _) in enumerate(factors) if label == REST]
    whole = tf.transpose(tf.reshape(cells, [n for _, n in factors]), order)
    count = prod(n for label, n in factors if label == BATCH)
    return tf.reshape(whole, (count, *cells_of(layout, axes), -1))

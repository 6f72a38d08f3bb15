"""Cut an image into regions inside the object: the brain, not the black around it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Literal, TypeAlias, TypeVar, get_args

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array, Image, Labels, Mask, Stored
from xaimri.atlas import Atlas
from xaimri.errors import InvalidInput
from xaimri.images.foreground import foreground
from xaimri.rules import Choice, Number, Rule, WholeNumber
from xaimri.settings import setting

T = TypeVar("T")

OTHERS = "or a label image or an atlas"
"""What may be given beside a number of regions."""

Segmentation: TypeAlias = int | Stored | Array | Atlas | str | PathLike[str]
"""About how many regions, a label image on the model's grid, or an atlas (`xaimri.Atlas`, or the path of its
file), which `xaimri.explain` brings to each scan."""

HIGHEST = 1_000_000
"""Labels are below this: there is one value for each number up to the highest."""

Shape: TypeAlias = Literal["superpixels", "grid"]
"""What regions look like: superpixels (SLIC), or cells of a regular grid."""


def superpixels(image: Image, count: int = 50, compactness: float = 0.2, mask: Mask | None = None) -> Labels:
    """Cut the foreground into superpixels with SLIC, in any number of dimensions.

    Parameters
    ----------
    image
        ``(*space, channels)``; its scale does not matter.
    count
        About how many superpixels.
    compactness
        Weight of nearness against likeness, for an image scaled to 0..1.
    mask
        ``(*space)``, True inside; None finds the foreground.

    Returns
    -------
    Labels
        ``(*space)``: superpixels from 0 on, and -1 outside the mask. A mask too small to be cut is one.

    References
    ----------
    Achanta et al. (2012), doi:10.1109/TPAMI.2012.120; maskSLIC: Irving (2016), arXiv:1606.09518.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((20, 24, 1))
    >>> int(superpixels(image, count=6).min())
    0
    """
    from skimage.segmentation import slic

    if count < 1:
        raise InvalidInput(f"`count` must be at least 1 superpixel, got {count}.")
    inside = foreground(image) if mask is None else mask
    if not inside.any():
        raise InvalidInput("the mask is empty: give one with at least one pixel inside.")
    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / (high - low or 1.0)
    labels = slic(
        scaled.astype(np.float64),
        n_segments=count,
        compactness=compactness,
        mask=None if inside.all() else inside,
        channel_axis=-1,
        start_label=1,
        enforce_connectivity=True,
        convert2lab=False,
    )
    found, _ = without_gaps(np.where(inside, labels, 0) - 1)
    return found if found.max() >= 0 else np.where(inside, 0, -1)


def grid(image: Image, count: int = 50, mask: Mask | None = None) -> Labels:
    """Cut the foreground into nearly square (cubic) cells of a regular grid.

    Parameters
    ----------
    image
        ``(*space, channels)``.
    count
        About how many cells; those that hold no foreground do not count.
    mask
        ``(*space)``, True inside; None finds the foreground.

    Examples
    --------
    >>> grid(np.random.default_rng(0).random((4, 6, 1)), count=6)[::2, ::2].tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    if count < 1:
        raise InvalidInput(f"`count` must be at least 1 cell, got {count}.")
    inside = foreground(image) if mask is None else mask
    if not inside.any():
        raise InvalidInput("the mask is empty: give one with at least one pixel inside.")
    box = [np.flatnonzero(inside.any(axis=tuple(set(range(inside.ndim)) - {a}))) for a in range(inside.ndim)]
    side = (inside.sum() / count) ** (1 / inside.ndim)
    cells = np.zeros(inside.shape, dtype=np.int64)
    for axis, place in enumerate(box):
        first, length = place[0], place[-1] + 1 - place[0]
        parts = max(1, round(length / side))
        index = np.clip((np.arange(inside.shape[axis]) - first) * parts // length, 0, parts - 1)
        cells = cells * parts + index.reshape([-1 if a == axis else 1 for a in range(inside.ndim)])
    return without_gaps(np.where(inside, cells, -1))[0]


@dataclass(frozen=True)
class SegmentationRule(Rule):
    """A number of regions, a label image, which is kept as a stored one, or an atlas, which is read."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return WholeNumber(1, OTHERS).allowed

    def convert(self, value: object, name: str, /) -> int | Stored | Atlas:
        """Return the number as a plain int, the label image as a stored array, the atlas as one."""
        if isinstance(value, Stored | np.ndarray):
            return value if isinstance(value, Stored) else Stored(value)
        if isinstance(value, Atlas | str | PathLike):
            return Atlas.read(value)
        return WholeNumber(1, OTHERS).convert(value, name)


def regions_setting(default: T, *, more: str = "") -> T:
    """Return the field of a setting ``regions``, with what more is to be said of it."""
    doc = (
        "About how many regions, or a label image on the model's grid, ``(*space)`` integers with -1 where "
        "nothing is to be hidden; or an atlas, as a path or :class:`~xaimri.Atlas`, which `xaimri.explain` "
        "brings to each scan: what of the object lies in no region is one region more, 0."
    )
    return setting(default, SegmentationRule(), doc=f"{doc} {more}".rstrip())


def shape_setting(default: T) -> T:
    """Return the field of a setting ``shape``."""
    doc = 'What regions look like: ``"superpixels"`` (SLIC inside the object) or ``"grid"``.'
    return setting(default, Choice(get_args(Shape)), doc=doc)


def compactness_setting(default: T) -> T:
    """Return the field of a setting ``compactness``."""
    return setting(default, Number(above=0), doc="Weight of nearness against likeness in the superpixels.")


def regions_of(
    image: Image, regions: Segmentation, compactness: float = 0.2, shape: Shape = "superpixels"
) -> Labels:
    """Return the regions of one image: cut from it, or the label image that was given.

    Raises
    ------
    InvalidInput
        If the label image has another shape, no region, or numbers of a million and more; if it is an atlas,
        which only a model that knows the scan can bring here.
    """
    if isinstance(regions, Atlas | str | PathLike):
        raise InvalidInput(
            "an atlas is brought to each scan by xaimri.explain: call that, or give a label image on the "
            "model's grid, as `xaimri.Atlas.on` makes it."
        )
    if not isinstance(regions, Stored | np.ndarray):
        return grid(image, regions) if shape == "grid" else superpixels(image, regions, compactness)
    labels = regions.array if isinstance(regions, Stored) else regions
    if (
        labels.shape != image.shape[:-1]
        or not np.issubdtype(labels.dtype, np.integer)
        or labels.max() < 0
        or labels.min() < -1
    ):
        raise InvalidInput(
            f"`regions` must be integer labels of shape {image.shape[:-1]}, the model's grid, "
            f"with at least one region, got {labels.dtype} of shape {labels.shape}."
        )
    if labels.max() >= HIGHEST:
        raise InvalidInput(
            f"`regions` has the label {labels.max()}: number regions below {HIGHEST:,}, for example with "
            "np.unique(labels, return_inverse=True)."
        )
    return labels.astype(np.int64)


def without_gaps(labels: Labels) -> tuple[Labels, Int[Array, " regions"]]:
    """Number the regions that occur from 0 on; also return the number that each had. -1 stays.

    Examples
    --------
    >>> without_gaps(np.array([[17, -1, 2]]))
    (array([[ 1, -1,  0]]), array([ 2, 17]))
    """
    kept, index = np.unique(labels, return_inverse=True)
    outside = int(kept[0] < 0)
    return index.reshape(labels.shape).astype(np.int64) - outside, kept[outside:].astype(np.int64)

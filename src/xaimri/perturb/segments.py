"""Cut an image into superpixels inside the object: the brain, not the black around it."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Image, Labels, Mask
from xaimri.errors import InvalidInput


def foreground(image: Image) -> Mask:
    """Return the object's mask ``(*space)``: the brain in a skull-stripped scan.

    Where at least a tenth of the image is one constant value that also fills most of its border, that
    value is background, and the mask is what remains with its holes filled; any other image is all
    foreground. JPEG noise around the background value, up to a sixteenth of the image's range, counts
    as background.
    """
    from scipy.ndimage import binary_fill_holes, binary_opening

    level = image.mean(axis=-1)
    border = np.concatenate([np.take(level, [0, -1], axis=axis).ravel() for axis in range(level.ndim)])
    outside = float(np.median(border))
    spread = float(level.max() - level.min())
    mask = np.abs(level - outside) > spread / 16
    near_border = np.abs(border - outside) <= spread / 16
    if spread == 0 or mask.mean() > 0.9 or near_border.mean() < 0.6:
        return np.ones(level.shape, dtype=bool)
    opened = binary_opening(mask)
    filled: Mask = binary_fill_holes(opened if opened.any() else mask)
    return filled


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
    found = _numbered(np.where(inside, labels, 0))
    return found if found.max() >= 0 else np.where(inside, 0, -1)


def _numbered(labels: Labels) -> Labels:
    """Renumber from 0 without gaps; what was 0 becomes -1."""
    kept, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    return (index - 1 if kept[0] == 0 else index).astype(np.int64)

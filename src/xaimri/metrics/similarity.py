"""How alike two maps are, whatever their units."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Map
from xaimri.errors import InvalidInput, shown

Similarity: TypeAlias = Literal["ssim", "spearman"]
"""``"ssim"``: structural similarity of the maps, each divided by its largest absolute value (-1 to 1). Empty
background counts as alike. ``"spearman"``: correlation of the ranks of all pixels (-1 to 1)."""


def check_similarity(by: str) -> None:
    """Check that maps can be compared so."""
    if by not in get_args(Similarity):
        raise InvalidInput(f'`by` must be "ssim" or "spearman", got {shown(by)}.')


@check_arguments()
def similarity(one: Map, other: Map, by: Similarity = "ssim") -> float:
    """Compare two maps of one shape: 1 for equal ones, up to scale; about 0 for unrelated ones.

    Returns
    -------
    float
        NaN where a map is not finite, or, by ranks, the same everywhere.

    References
    ----------
    Wang et al. (2004), doi:10.1109/TIP.2003.819861, by scikit-image.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(9, 11))
    >>> round(similarity(values, 3 * values), 6), round(similarity(values, np.exp(values), "spearman"), 6)
    (1.0, 1.0)
    """
    check_similarity(by)
    if one.shape != other.shape:
        raise InvalidInput(f"maps of one shape can be compared, got {one.shape} and {other.shape}.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("nan")
    if by == "spearman":
        from scipy.stats import rankdata

        a, b = (rankdata(x) - (x.size + 1) / 2 for x in (one, other))
        size = float(np.sqrt((a @ a) * (b @ b)))
        return float(a @ b) / size if size > 0 else float("nan")
    from skimage.metrics import structural_similarity

    window = min(7, *(n if n % 2 else n - 1 for n in one.shape))
    if window < 3:
        raise InvalidInput(f'maps of shape {one.shape} are too small for "ssim": compare by "spearman".')
    scaled = [x.astype(np.float64) / (float(np.abs(x).max()) or 1.0) for x in (one, other)]
    return float(structural_similarity(*scaled, data_range=2.0, win_size=window))

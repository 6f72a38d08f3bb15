"""Canonical orientation: a volume whose axes point to the right, to the front and upwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.images.picture import Picture


def canonical(voxels: Float[Array, "one two three"], affine: Float[Array, "4 4"]) -> Picture:
    """Turn voxels as nearly as their affine allows; only axes are permuted and reversed.

    Examples
    --------
    >>> canonical(np.ones((4, 5, 6)), np.diag([-1.0, 2.0, 3.0, 1.0])).spacing
    (1.0, 2.0, 3.0)
    """
    import nibabel

    orientations: Any = nibabel.orientations
    turn = orientations.io_orientation(affine)
    turned = orientations.apply_orientation(voxels, turn)
    own = affine @ orientations.inv_ornt_aff(turn, voxels.shape)
    spacing = tuple(np.linalg.norm(own[:3, :3], axis=0).tolist())
    return Picture(turned[..., None], spacing, own)

"""Canonical orientation: a volume whose axes point to the right, to the front and upwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from xaimri.arrays import Array
from xaimri.images.picture import Picture


def turn_of(affine: Float[Array, "4 4"]) -> Float[Array, "3 2"]:
    """Return which canonical axis each own axis becomes, and whether it is reversed (-1)."""
    import nibabel

    orientations: Any = nibabel.orientations
    return np.asarray(orientations.io_orientation(affine), float)


def canonical(voxels: Float[Array, "one two three"], affine: Float[Array, "4 4"]) -> Picture:
    """Turn voxels as nearly as their affine allows; only axes are permuted and reversed.

    Examples
    --------
    >>> canonical(np.ones((4, 5, 6)), np.diag([-1.0, 2.0, 3.0, 1.0])).spacing
    (1.0, 2.0, 3.0)
    """
    import nibabel

    orientations: Any = nibabel.orientations
    turn = turn_of(affine)
    turned = orientations.apply_orientation(voxels, turn)
    own = affine @ orientations.inv_ornt_aff(turn, voxels.shape)
    spacing = tuple(np.linalg.norm(own[:3, :3], axis=0).tolist())
    return Picture(turned[..., None], spacing, own)


def turned_back(values: Shaped[Array, "*space"], turn: Float[Array, "3 2"]) -> Shaped[Array, "*own"]:
    """Turn what lies in canonical orientation back to the orientation that `turn_of` was asked of.

    Examples
    --------
    >>> turn = turn_of(np.array([[0.0, -2, 0, 0], [1, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]))
    >>> turned_back(canonical(np.ones((4, 5, 6)), np.eye(4)).pixels[..., 0], turn).shape
    (5, 4, 6)
    """
    import nibabel

    orientations: Any = nibabel.orientations
    back = orientations.ornt_transform(np.array([[0, 1], [1, 1], [2, 1]], float), np.asarray(turn, float))
    return np.ascontiguousarray(orientations.apply_orientation(values, back))

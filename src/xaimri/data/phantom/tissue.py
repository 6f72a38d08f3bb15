"""The tissue of a head at a stage of atrophy: cortex, white matter, deep nuclei, ventricles, hippocampi."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.data.phantom.head import Head
from xaimri.data.phantom.shapes import Field, Points, blend, covered, ellipsoid, filled, tube

TISSUES = ("fluid", "cortex", "white", "nuclei", "thalamus")
"""What a voxel is made of; ``nuclei`` are caudate and putamen, ``thalamus`` is any paler deep grey."""

FLUID, CORTEX, WHITE, NUCLEI, THALAMUS = range(5)

Fractions = Float[Array, "points 5"]

VENTRICLE = np.array(
    [[13, 35, 3], [9.5, 25, 9], [6.4, 6, 16], [7, -12, 20], [12, -28, 19], [20, -42, 13], [24, -60, 8]],
    dtype=float,
)
VENTRICLE_RADII = np.array([2.8, 5.8, 6.8, 6.8, 7.2, 7.0, 2.4])
TEMPORAL_HORN = np.array(
    [[21, -42, 11], [28, -41, 1], [34, -31, -7], [36, -20, -13], [32, -9, -18]], dtype=float
)
TEMPORAL_HORN_RADII = np.array([6.0, 4.2, 2.2, 1.5, 1.6])
HIPPOCAMPUS = np.array([[20, -35, 2], [26, -30, -6], [29, -21, -13], [26, -11, -18]], dtype=float)
HIPPOCAMPUS_RADII = np.array([2.2, 4.8, 5.6, 6.4])


def tissue(head: Head, stage: float, voxel: float) -> Fractions:
    """Return what the voxels at a head's points are made of.

    Parameters
    ----------
    head
        A subject's head at the centres of the voxels.
    stage
        Atrophy, 0 (none) to 3.
    voxel
        Edge of a voxel, mm.

    Returns
    -------
    Fractions
        ``(points, 5)`` in the order of `TISSUES`; each row adds up to 1.
    """
    fractions = np.zeros((len(head.points), len(TISSUES)))
    fractions[:, WHITE] = 1.0
    for paint in (_paint_cortex, _paint_hindbrain, _paint_nuclei, _paint_hippocampus, _paint_ventricles):
        paint(fractions, head, stage, voxel)
    return fractions


def hippocampi(head: Head, stage: float) -> Field:
    """Return the signed distance to the hippocampi at this stage, mm."""
    loss = stage / 3 * head.subject.rates[1]
    knots = HIPPOCAMPUS - np.array([1.2, 0, 0]) * loss
    return tube(_sides(head.points), knots, HIPPOCAMPUS_RADII * head.subject.hippocampus * (1 - 0.38 * loss))


def ventricles(head: Head, stage: float) -> Field:
    """Return the signed distance to the lateral and third ventricles at this stage, mm."""
    side = _sides(head.points)
    grow = head.subject.ventricle * (1 + 0.7 * stage / 3 * head.subject.rates[0])
    knots = VENTRICLE + np.array([1.5 * (grow - 1), 0, 0])
    lateral = tube(side, knots, VENTRICLE_RADII * grow, flatten=0.6)
    horn = tube(side, TEMPORAL_HORN, TEMPORAL_HORN_RADII * grow, flatten=0.7)
    septum = 0.7 - side[:, 0]
    third = ellipsoid(head.points, (0, -12, -2), (1.5 * grow**1.6, 16, 12))
    return np.minimum(np.maximum(np.minimum(lateral, horn), septum), third)


def _paint(fractions: Fractions, tissue: int, share: Field) -> None:
    """Put a tissue over what is there, covering this share of each voxel."""
    fractions *= (1 - share)[:, None]
    fractions[:, tissue] += share


def _paint_cortex(fractions: Fractions, head: Head, stage: float, voxel: float) -> None:
    subject, surface = head.subject, head.surface
    loss = stage / 3 * subject.rates[2]
    width = (subject.sulcus + 0.85 * loss) * np.exp(0.3 * surface.patch)
    mouth = width * (1 + 1.2 * np.exp(-np.maximum(surface.outer, 0) / 4))
    ribbon = subject.ribbon - 0.2 * loss
    rim = 0.5 + 0.7 * loss
    deep = 0.5 + 0.6 * loss
    cortex = blend(surface.sulci - mouth, surface.outer - rim, 3.0)
    cortex = np.minimum(cortex, np.minimum(surface.fissure, surface.insula) - deep) - ribbon
    _paint(fractions, CORTEX, filled(cortex, voxel + 1.2))
    sheets = ((surface.sulci, mouth), (surface.fissure, deep), (surface.insula, deep))
    fluid = [covered(distance, half_width, voxel) for distance, half_width in sheets]
    _paint(fractions, FLUID, np.maximum.reduce([*fluid, filled(surface.outer - rim, voxel)]))


def _sides(points: Points) -> Points:
    return np.concatenate([np.abs(points[:, :1]), points[:, 1:]], axis=1)


def _paint_nuclei(fractions: Fractions, head: Head, stage: float, voxel: float) -> None:
    side = _sides(head.points)
    push = 1.8 * (stage / 3 * head.subject.rates[0] + head.subject.ventricle - 1)
    turn = np.array([[0.96, 0.28, 0], [-0.28, 0.96, 0], [0, 0, 1]])
    lens = (side - (26, 3, 3)) @ turn.T
    _paint(fractions, NUCLEI, filled(ellipsoid(lens, (0, 0, 0), (5.2, 16, 11)), voxel + 1))
    pallid = (side - (20, -2, 0)) @ turn.T
    _paint(fractions, THALAMUS, filled(ellipsoid(pallid, (0, 0, 0), (4, 9, 7)), voxel + 1))
    caudate = np.array([[13.5, 20, 3], [14, 10, 13], [15, -8, 20], [21, -24, 19]]) + np.array([push, 0, 0])
    shape = tube(side, caudate, np.array([7.0, 5.0, 3.0, 1.5]), flatten=0.85)
    _paint(fractions, NUCLEI, filled(shape, voxel + 0.5))
    thalamus = ellipsoid(side, (10.5 + 0.5 * push, -18, 7), (9, 14.5, 10))
    _paint(fractions, THALAMUS, filled(thalamus, voxel + 2))


def _paint_hippocampus(fractions: Fractions, head: Head, stage: float, voxel: float) -> None:
    _paint(fractions, FLUID, filled(hippocampi(head, 0) - 0.3, voxel))
    _paint(fractions, CORTEX, filled(hippocampi(head, stage), voxel + 0.5))


def _paint_ventricles(fractions: Fractions, head: Head, stage: float, voxel: float) -> None:
    _paint(fractions, FLUID, filled(ventricles(head, stage), voxel))


def _paint_hindbrain(fractions: Fractions, head: Head, stage: float, voxel: float) -> None:
    points, side = head.points, _sides(head.points)
    wide = 0.4 * stage / 3 * head.subject.rates[2]
    pons = tube(points, np.array([[0, -24, -18], [0, -28, -60]]), np.array([13.0, 13.0]), flatten=1.1)
    peduncle = ellipsoid(side, (9, -16, -12), (7.5, 11, 14))
    tectum = ellipsoid(points, (0, -28, -8), (12, 8, 14))
    stem = blend(blend(peduncle, tectum, 5.0), pons, 5.0)
    hemispheres = ellipsoid(points, (0, -62, -42), (54, 34, 25))
    vermis = ellipsoid(points, (0, -52, -12), (9, 13, 14))
    cerebellum = blend(hemispheres, vermis, 6.0)
    cistern = ellipsoid(points, (0, -39, -4), (11, 5, 8))
    basal = ellipsoid(points, (0, 1, -20), (13, 10, 8))
    ambient = np.maximum(stem, points[:, 1] + 20)
    gap = np.minimum(np.minimum(cerebellum - 1.5, cistern), np.minimum(basal, ambient - 1.8)) - wide
    _paint(fractions, CORTEX, filled(gap - head.subject.ribbon, voxel + 0.8))
    _paint(fractions, FLUID, filled(gap, voxel))
    _paint(fractions, THALAMUS, filled(stem, voxel + 1.5))
    _paint(fractions, CORTEX, filled(cerebellum, voxel))
    _paint(fractions, THALAMUS, filled(cerebellum + 10, voxel + 4))
    folia = np.linalg.norm(points - np.array([0, -38, -22]), axis=1) % 3.6 - 1.8
    _paint(
        fractions, FLUID, 0.7 * covered(np.abs(folia), 0.5, voxel) * filled(np.abs(cerebellum + 4) - 4, voxel)
    )

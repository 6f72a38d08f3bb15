"""A head in space: a person's size, pose and folding, and where points lie with respect to the cortex.

Coordinates are millimetres, x from left to right, y from back to front, z from bottom to top, with
the origin near the anterior commissure, as in the usual atlases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Array
from xaimri.data.phantom.shapes import Field, Points, Waves, blend, ellipsoid

CENTRE = np.array([0.0, -16.0, 12.0])
"""Middle of the head, mm."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One person's anatomy before any atrophy, and how fast each part of it would go.

    Attributes
    ----------
    turn
        Rotation, scale of the head, ``(3, 3)``: scanner to head coordinates.
    shift
        Position of the head in the scanner, mm.
    bend, curl, folds, dimples, depths, edge
        Random fields: warp of the head and of its sulci, main and small sulci, their depths, and the
        ragged edge of the mask.
    ventricle, hippocampus, sulcus, ribbon
        Sizes at stage 0: two factors around 1, sulcal half-width and cortical thickness in mm.
    rates
        Loss per stage of ventricles, hippocampi and sulci, around 1 each.
    """

    turn: Array
    shift: Array
    bend: Waves
    curl: Waves
    folds: Waves
    dimples: Waves
    depths: Waves
    edge: Waves
    ventricle: float
    hippocampus: float
    sulcus: float
    ribbon: float
    rates: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Subject:
        """Draw a subject; what is drawn does not depend on the stage."""
        common = rng.normal()
        rates = [float(np.clip(1 + 0.07 * common + 0.07 * rng.normal(), 0.7, 1.3)) for _ in range(3)]
        return cls(
            turn=_rotation(rng.normal(size=3) * (0.02, 0.02, 0.02)) @ np.diag(1 + 0.012 * rng.normal(size=3)),
            shift=rng.normal(size=3) * (1.0, 1.5, 1.0),
            bend=Waves.draw(rng, 60.0, fields=3, waves=16, spread=0.25),
            curl=Waves.draw(rng, 26.0, fields=3, waves=20, spread=0.2),
            folds=Waves.draw(rng, 23.0, waves=40, spread=0.10, level=0.35),
            dimples=Waves.draw(rng, 18.0, waves=28, spread=0.12, level=0.5),
            depths=Waves.draw(rng, 32.0, fields=3, waves=16, spread=0.3),
            edge=Waves.draw(rng, 9.0, waves=16, spread=0.3),
            ventricle=float(np.exp(0.08 * rng.normal())),
            hippocampus=float(np.exp(0.06 * rng.normal())),
            sulcus=float(0.4 * np.exp(0.12 * rng.normal())),
            ribbon=float(3.1 * np.exp(0.05 * rng.normal())),
            rates=(rates[0], rates[1], rates[2]),
        )

    def locate(self, points: Points) -> tuple[Points, Points]:
        """Return where scanner points lie in the atlas: for the brain's outline, and for what is within."""
        head = (points - CENTRE - self.shift) @ self.turn.T + CENTRE
        bend = self.bend(head)
        return head + 0.6 * bend, head + 1.8 * bend


@dataclass(frozen=True, eq=False)
class Surface:
    """Where points lie with respect to the cortical surface; no atrophy is in it.

    Attributes
    ----------
    outer
        Depth under the outline of the brain, mm.
    fissure
        Distance to the sheet between the hemispheres, mm.
    insula
        Distance to the sheets of the lateral fissure, mm.
    sulci
        Distance to the sheet of the nearest sulcus, mm.
    patch
        Slow field of unit variance: where sulci are wide and where narrow.
    """

    outer: Field
    fissure: Field
    insula: Field
    sulci: Field
    patch: Field


def brain_depth(subject: Subject, points: Points) -> Field:
    """Return how deep scanner points lie under the outline of the brain, mm; negative outside."""
    depth = _outline(subject.locate(points)[0])[0]
    return depth + 0.5 * subject.edge(points)[:, 0]


@dataclass(frozen=True, eq=False)
class Head:
    """A subject's head at some points: all that the stages have in common, computed once."""

    subject: Subject
    points: Points
    surface: Surface

    @classmethod
    def at(cls, subject: Subject, points: Points) -> Head:
        """Locate scanner points in the head."""
        outer, inner = subject.locate(points)
        return cls(subject, inner, _surface(subject, outer, inner))


def _rotation(angles: Array) -> Array:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: Array = about_x @ about_y @ about_z
    return rotation


def _radius(points: Points) -> Field:
    """Return 1 on the outline of the brain: an egg, blunt behind, flat below."""
    x, y, z = (points - CENTRE).T
    width = 69.5 * (1 - 0.0011 * (y + 12))
    below = np.where(z < 0, 62.0, 64.0)
    radius: Array = (np.abs(x / width) ** 2.3 + np.abs(y / 86) ** 2.2 + np.abs(z / below) ** 2.6) ** (1 / 2.3)
    return radius


def _outline(points: Points) -> tuple[Field, Points]:
    """Return the depth under the outline and the outward normal there."""
    radius = _radius(points)
    step = 0.5
    slope = np.stack([(_radius(points + step * e) - radius) / step for e in np.eye(3)], axis=1)
    steep = np.sqrt(np.sum(slope**2, axis=1)) + 1e-9
    return (1 - radius) / steep, slope / steep[:, None]


def _surface(subject: Subject, hull: Points, points: Points) -> Surface:
    outer, normal = _outline(hull)
    x, y, z = points.T
    curl = subject.curl(points)
    core = -ellipsoid(np.stack([0 * x, y, z], axis=1), (0, -4, 3), (32, 37, 32))
    fissure = np.hypot(x, np.maximum(core, 0))
    medial = 1 / (1 + np.exp((fissure - outer) / 3.0))
    inward = np.stack([-np.sign(x), 0 * x, 0 * x], axis=1)
    normal = (1 - medial)[:, None] * normal + medial[:, None] * inward
    depth = blend(outer, fissure, 6.0)
    foot = points + 0.6 * np.clip(depth, 0, 30)[:, None] * normal + 2.6 * curl
    foot[:, 0] += np.where(x > 0, 40.0, -40.0)
    deep, shallow, patch = subject.depths(foot).T
    main = np.hypot(_sheet(subject.folds, foot, normal), np.maximum(depth - (21 + 5 * deep - 5 * medial), 0))
    small = np.hypot(_sheet(subject.dimples, foot, normal), np.maximum(depth - (7 + 4 * shallow), 0))
    return Surface(outer, fissure, _insula(points + 1.5 * curl), np.minimum(main, small), patch)


def _sheet(field: Waves, points: Points, normal: Points) -> Field:
    """Return the distance along the surface to where the field is zero."""
    value, slope = field.slope(points)
    slope = slope - np.einsum("ij,ij->i", slope, normal)[:, None] * normal
    steep: Array = np.sqrt(np.sum(slope**2, axis=1) + 0.01)
    distance: Array = np.abs(value) / steep
    return distance


def _insula(points: Points) -> Field:
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    height = z - (4 - 0.45 * y)
    wall = x - (39 - 0.008 * y**2)
    island = np.hypot(wall, 12 * np.maximum(np.hypot(y / 20, height / 13) - 1, 0))
    stem = np.sqrt((height / 1.1) ** 2 + np.maximum(38 - x, 0) ** 2 + np.maximum(np.abs(y + 4) - 28, 0) ** 2)
    nearest: Array = np.minimum(island, stem)
    return nearest

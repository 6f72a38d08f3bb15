"""Implicit shapes: signed distances in millimetres, random smooth fields, and how much of a voxel they fill.

Points are ``(points, 3)`` in the order x (left to right), y (back to front), z (bottom to top);
distances are negative inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array

Points = Float[Array, "points 3"]
Field = Float[Array, " points"]
Fields = Float[Array, "points fields"]


@dataclass(frozen=True, eq=False)
class Waves:
    """A sum of plane waves in random directions: a smooth random field, known at every point.

    Attributes
    ----------
    vectors
        Wave vectors ``(waves, 3)``, radians per mm.
    phases
        ``(waves,)``, radians.
    weights
        ``(waves, fields)``: one column per field.
    """

    vectors: Array
    phases: Array
    weights: Array

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        length: float,
        fields: int = 1,
        waves: int = 24,
        spread: float = 0.2,
        level: float = 1.0,
    ) -> Waves:
        """Draw a field of unit variance.

        Parameters
        ----------
        rng
            Where the numbers come from.
        length
            Typical wavelength in mm.
        fields
            How many independent fields share the waves.
        waves
            How many plane waves to add up.
        spread
            Standard deviation of the logarithm of the wavelength.
        level
            Below 1 the waves travel level rather than up and down, and the field varies slowly with z.
        """
        directions = rng.normal(size=(waves, 3)) * (1, 1, level)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = length * np.exp(spread * rng.normal(size=(waves, 1)))
        weights = rng.normal(size=(waves, fields))
        weights *= np.sqrt(2.0 / np.sum(weights**2, axis=0))
        return cls(2 * np.pi * directions / lengths, rng.uniform(0, 2 * np.pi, waves), weights)

    def __call__(self, points: Points) -> Fields:
        """Return the fields' values, ``(points, fields)``."""
        return np.cos(self._angles(points)) @ self.weights

    def slope(self, points: Points) -> tuple[Field, Points]:
        """Return the first field and its gradient, per mm."""
        angle = self._angles(points)
        weight = self.weights[:, 0]
        return np.cos(angle) @ weight, -(np.sin(angle) * weight) @ self.vectors

    def _angles(self, points: Points) -> Array:
        """Return the phase of every wave at every point, in single precision: it halves the time."""
        angles: Array = (points @ self.vectors.T + self.phases).astype(np.float32)
        return angles


def ellipsoid(points: Points, centre: tuple[float, ...], radii: tuple[float, ...]) -> Field:
    """Return the (first-order) signed distance to an ellipsoid."""
    inverse = 1 / np.asarray(radii)
    scaled = (points - np.asarray(centre)) * inverse
    norm = np.sqrt(np.sum(scaled**2, axis=1)) + 1e-9
    slope = np.sqrt(np.sum((scaled * inverse) ** 2, axis=1)) / norm + 1e-9
    distance: Array = (norm - 1) / slope
    return np.maximum(distance, -min(radii))


def tube(points: Points, knots: Array, radii: Array, flatten: float = 1.0) -> Field:
    """Return the signed distance to a chain of cones with round ends.

    Parameters
    ----------
    points
        Where.
    knots
        Corners of the middle line, ``(knots, 3)``.
    radii
        Radius at each knot.
    flatten
        Stretches the cross-section along x: 0.8 makes it narrower than it is tall.
    """
    squeeze = np.array([1 / flatten, 1.0, 1.0])
    points, knots = points * squeeze, knots * squeeze
    nearest = np.full(len(points), np.inf)
    for start, end, r0, r1 in zip(knots[:-1], knots[1:], radii[:-1], radii[1:], strict=True):
        axis = end - start
        along = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
        away = points - start - along[:, None] * axis
        distance = np.sqrt(np.einsum("ij,ij->i", away, away)) - (r0 + along * (r1 - r0))
        nearest = blend(nearest, distance, 2.0)
    return nearest


def blend(a: Field, b: Field, radius: float) -> Field:
    """Return the smaller of two distances, rounded where they are within ``radius`` of each other."""
    near = np.maximum(radius - np.abs(a - b), 0) / radius
    rounded: Array = np.minimum(a, b) - near**2 * radius / 4
    return rounded


def filled(distance: Field, voxel: float) -> Field:
    """Return the fraction of a voxel of this edge (mm) that lies inside a shape."""
    return np.clip(0.5 - distance / voxel, 0.0, 1.0)


def covered(distance: Field, half_width: Field | float, voxel: float) -> Field:
    """Return the fraction of a voxel that lies within ``half_width`` of a sheet ``distance`` away."""
    half = voxel / 2
    upper = np.minimum(distance + half, half_width)
    lower = np.maximum(distance - half, -np.asarray(half_width))
    share: Array = np.clip((upper - lower) / voxel, 0.0, 1.0)
    return share

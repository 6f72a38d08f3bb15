"""The ICBM152 template that nilearn brings along: a mean brain, its tissue maps, and where its parts lie."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from xaimri.arrays import Array, Mask
from xaimri.data.phantom.shapes import Fields, Points, tube
from xaimri.data.phantom.tissue import (
    HIPPOCAMPUS,
    HIPPOCAMPUS_RADII,
    TEMPORAL_HORN,
    TEMPORAL_HORN_RADII,
    VENTRICLE,
    VENTRICLE_RADII,
)
from xaimri.errors import MissingExtra

Volume = Float[Array, "x y z"]

CORNER = np.array([-84.0, -116.0, -72.0])
"""Lowest corner of what is kept of the template, mm."""

SHAPE = (168, 200, 160)
"""Voxels of 1 mm that are kept."""

COARSE = 2
"""Edge of the voxels on which velocities are kept, mm."""

RIM = 3.0
"""How far the rim of the brain reaches inwards, about, mm."""

REACH = {"ventricles": (9.0, 14.0), "hippocampi": (5.0, 6.0)}
"""How deep inside a structure, and how far outside it, a point moves with its surface; mm."""

NEAR = {"ventricles": 5.0, "hippocampi": 1.5}
"""How far from the middle lines in `xaimri.data.phantom.tissue` a structure of the template may lie, mm."""


@dataclass(frozen=True, eq=False)
class Template:
    """The template on a grid of 1 mm in MNI space, axes to the right, to the front and upwards.

    Attributes
    ----------
    maps
        ``(*space, 4)``: T1 where white matter is 1, grey matter, white matter, and the brain, as shares.
    velocities
        ``ventricles``, ``hippocampi``, ``sulci``: ``(*coarse, 3)``, by which a point of the changed brain
        goes to where its tissue came from; 1 mm at the surface of the structure.
    fluid
        T1 of the fluid in it.
    """

    maps: Float[Array, "x y z 4"]
    velocities: dict[str, Float[Array, "u v w 3"]]
    fluid: float

    def at(self, points: Points) -> Fields:
        """Return the maps at points, ``(points, 4)``, linearly between voxels and 0 beyond them."""
        return between(self.maps, points - CORNER)

    def flow(self, points: Points, amounts: dict[str, float], steps: int = 8) -> Points:
        """Return where the tissue at these points came from: along the velocities, so many mm of each.

        The flow of a smooth velocity takes no two points to one place: nothing is folded.
        """
        here = points.astype(np.float64, copy=True)
        for _ in range(steps):
            place = (here - CORNER) / COARSE
            for name, amount in amounts.items():
                if amount:
                    here += amount / steps * between(self.velocities[name], place)
        return here


@lru_cache(maxsize=1)
def template() -> Template:
    """Read the template, and find its ventricles, hippocampi and sulci; kept, about 110 MB.

    Raises
    ------
    MissingExtra
        Without nilearn.
    """
    t1, grey, white, brain = _read()
    white_level = float(np.median(t1[white > 0.95]))
    t1 = t1 / white_level
    fluid_share = np.where(brain > 0.5, 1 - grey - white, 0)
    fluid = float(np.median(t1[fluid_share > 0.95]))
    t1 = _darkened(t1, grey, white, brain, fluid)
    ventricles = (fluid_share > 0.5) & near("ventricles")
    hippocampi = (grey > 0.5) & near("hippocampi")
    sides = {"ventricles": _inwards(ventricles, *REACH["ventricles"])}
    sides["hippocampi"] = -_inwards(hippocampi, *REACH["hippocampi"])
    sides["sulci"] = _outwards(grey + white, ventricles)
    coarse = {name: np.ascontiguousarray(one[::COARSE, ::COARSE, ::COARSE]) for name, one in sides.items()}
    return Template(np.stack([t1, grey, white, brain], axis=-1).astype(np.float32), coarse, fluid)


def _darkened(t1: Volume, grey: Volume, white: Volume, brain: Volume, fluid: float) -> Volume:
    """Return T1 as dark at the rim of the brain as the tissue maps say; of the mean it is brighter."""
    level = float(np.median(t1[grey > 0.95]))
    said = level * grey + white + fluid * np.clip(1 - grey - white, 0, 1)
    rim = gaussian_filter((brain > 0.5).astype(np.float32), RIM) < 0.9
    found: Array = np.where(rim, np.minimum(t1, said), t1)
    return found


def _read() -> list[Volume]:
    """Return T1, grey matter, white matter and brain on our grid, from nilearn's own files."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nilearn import datasets
    except ImportError as missing:
        raise MissingExtra("nilearn", "anatomy", "data.phantom.anatomy") from missing
    found = []
    for load in (
        datasets.load_mni152_template,
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
        datasets.load_mni152_brain_mask,
    ):
        image = load(resolution=1)
        values = np.asarray(image.dataobj, dtype=np.float32)
        first = np.rint(CORNER - image.affine[:3, 3]).astype(int)
        cut = tuple(slice(a, a + n) for a, n in zip(first, SHAPE, strict=True))
        found.append(values[cut])
    return found


def _grid() -> Points:
    axes = [c + np.arange(n) for c, n in zip(CORNER, SHAPE, strict=True)]
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)


def near(name: str) -> Mask:
    """Return where a structure may lie: near its middle lines."""
    points = _grid()
    points[:, 0] = np.abs(points[:, 0])
    found = np.zeros(len(points), bool)
    lines = [(HIPPOCAMPUS, HIPPOCAMPUS_RADII)]
    if name == "ventricles":
        lines = [(VENTRICLE, VENTRICLE_RADII), (TEMPORAL_HORN, TEMPORAL_HORN_RADII)]
    for knots, radii in lines:
        low, high = knots.min(axis=0) - 16, knots.max(axis=0) + 16
        box = ((points > low) & (points < high)).all(axis=1)
        found[box] |= tube(points[box], knots, radii) < NEAR[name]
    if name == "ventricles":  # the third one lies between the others
        found |= (points[:, 0] < 5) & (np.abs(points[:, 1] + 12) < 18) & (np.abs(points[:, 2] + 2) < 13)
    return found.reshape(SHAPE)


def _inwards(structure: Mask, inside: float, outside: float) -> Float[Array, "x y z 3"]:
    """Return velocities towards a structure: 1 at its surface, less with the distance from it."""
    distance = distance_transform_edt(~structure) - distance_transform_edt(structure)
    distance = gaussian_filter(distance.astype(np.float32), 1.5)
    weight = np.where(distance < 0, 1 + distance / inside, (1 - distance / outside))
    weight = np.clip(weight, 0, 1) ** 2 * (3 - 2 * np.clip(weight, 0, 1))
    return _smooth(-weight[..., None] * _slope(distance))


def _outwards(tissue: Volume, ventricles: Mask) -> Float[Array, "x y z 3"]:
    """Return velocities out of the cortex: 1 where tissue and fluid meet, none at the ventricles."""
    smooth = gaussian_filter(tissue.astype(np.float32), 1.2)
    away = np.clip((distance_transform_edt(~ventricles) - 6) / 6, 0, 1).astype(np.float32)
    slope = _gradient(smooth)
    steep = np.linalg.norm(slope, axis=-1)
    weight = np.clip(steep / 0.15, 0, 1) * away
    return _smooth(-weight[..., None] * slope / (steep + 1e-6)[..., None])


def _slope(field: Volume) -> Float[Array, "x y z 3"]:
    """Return the direction in which a distance rises."""
    slope = _gradient(field)
    found: Array = slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 0.5)
    return found


def _gradient(field: Volume) -> Float[Array, "x y z 3"]:
    return np.stack([np.gradient(field, axis=axis) for axis in range(3)], axis=-1)


def _smooth(velocity: Float[Array, "x y z 3"]) -> Float[Array, "x y z 3"]:
    return np.stack([gaussian_filter(velocity[..., a], 1.0) for a in range(3)], axis=-1).astype(np.float32)


def between(maps: Float[Array, "x y z fields"], place: Points) -> Fields:
    """Return fields between their voxels, linearly; 0 beyond them."""
    rows = [map_coordinates(maps[..., n], place.T, order=1, mode="constant") for n in range(maps.shape[-1])]
    return np.stack(rows, axis=1)

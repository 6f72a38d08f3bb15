"""Measure what atrophy does to the ICBM152 template, stage by stage, and draw it.

    python benchmarks/phantom_anatomy.py [--figure FILE]

Volumes in ml of the template, deformed at the usual rates of loss; needs the extra ``anatomy``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from xaimri.data import phantom
from xaimri.data.phantom.anatomy import SEVERE
from xaimri.data.phantom.template import CORNER, SHAPE, between, near, template
from xaimri.render import save

STEP = 2
CELL = 130
"""Side of a plane's place in the picture, voxels."""


def main() -> None:
    """Print a line per stage, and draw."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--figure", type=Path)
    given = options.parse_args()
    brain = template()
    _, grey, white, whole = np.moveaxis(brain.maps, -1, 0)
    fluid = np.where(whole > 0.5, 1 - grey - white, 0)
    parts = {
        "ventricles": (fluid > 0.5) & near("ventricles"),
        "hippocampi": (grey > 0.5) & near("hippocampi"),
        "grey": grey,
        "white": white,
    }
    stacked = np.stack([part.astype(np.float32) for part in parts.values()], axis=-1)
    axes = [c + STEP * np.arange(n // STEP) for c, n in zip(CORNER, SHAPE, strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    inside = brain.at(points)[:, 3] > 0.5
    for stage, name in enumerate(phantom.STAGES):
        moved = brain.flow(points, {part: stage / 3 * most for part, most in SEVERE.items()})
        found = between(stacked, moved - CORNER)
        ml = dict(zip(parts, found[inside].sum(axis=0) * STEP**3 / 1000, strict=True))
        ml["fluid"] = inside.sum() * STEP**3 / 1000 - ml["grey"] - ml["white"]
        print(f"{name:<17}", *(f"{part} {volume:6.1f} ml " for part, volume in ml.items()), flush=True)
    if given.figure:
        save(sheet(), given.figure)


def sheet() -> Figure:
    """Draw one person at every stage in four planes, with what changed."""
    figure = Figure(figsize=(7.2, 7.2))
    panel = figure.add_axes((0, 0, 1, 1))
    planes = [np.s_[:, :, 43], np.s_[:, :, 59], np.s_[:, 66, :], np.s_[:, 59, :]]
    for row in range(4):
        (case,) = phantom.anatomy(1, 1.5, seed=0, stages=(row,))
        for column, plane in enumerate(planes):
            image, mask = case.source[plane].T, case.mask[plane].T
            left, low = (
                CELL * column + (CELL - image.shape[1]) / 2,
                CELL * (3 - row) + (CELL - len(image)) / 2,
            )
            extent = (left, left + image.shape[1], low, low + len(image))
            panel.imshow(image, origin="lower", cmap="gray", vmin=0, vmax=255, extent=extent)
            if column % 2:
                panel.contour(mask, [0.5], colors="#f28e2b", linewidths=0.6, extent=extent)
    panel.set(xlim=(0, 4 * CELL), ylim=(0, 4 * CELL), xticks=[], yticks=[], facecolor="black")
    return figure


if __name__ == "__main__":
    main()

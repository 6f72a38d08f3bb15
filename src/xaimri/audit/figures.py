"""Pictures of a network's audit: figures with intervals, an image under every intervention, mean maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xaimri.arrays import Fitted, Map
from xaimri.audit.effect import Effect
from xaimri.audit.relevance import MeanMap
from xaimri.evaluation.estimate import Estimate

FOUND, PLAIN, CHANCE = "#c0392b", "#2c5f8a", "#777777"


def effects_figure(effects: Sequence[Effect], plain: Estimate, chance: float) -> Figure:
    """Draw balanced accuracy as it is and under every intervention, with intervals and chance."""
    rows = [(effect.title, effect.after, effect.found) for effect in effects if effect.estimable]
    rows = [("as it is", plain, False), *rows]
    figure = Figure(figsize=(7.2, 0.5 + 0.36 * len(rows)), layout="constrained")
    axes: Axes = figure.subplots()
    for place, (_, each, found) in enumerate(rows):
        colour = FOUND if found else PLAIN
        if not math.isnan(each.low):
            axes.plot([each.low, each.high], [place, place], color=colour, linewidth=2)
        axes.plot(each.value, place, "D" if found else "o", color=colour, markersize=7)
    axes.axvline(chance, color=CHANCE, linestyle="--", linewidth=1)
    axes.annotate("chance", (chance, -0.75), color=CHANCE, ha="center", fontsize=9, annotation_clip=False)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-0.03, 1.03), xlabel="balanced accuracy by subject")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def examples_figure(images: Mapping[str, Fitted]) -> Figure:
    """Draw one image as it is and under every intervention."""
    columns = min(5, len(images))
    lines = -(-len(images) // columns)
    figure = Figure(figsize=(1.75 * columns, 1.95 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    shown = [flat(image) for image in images.values()]
    low, high = float(shown[0].min()), float(shown[0].max())
    for axes, name, image in zip(grid, images, shown, strict=False):
        axes.imshow(image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
        axes.set_title(name, fontsize=8.5)
    for axes in grid:
        axes.axis("off")
    return figure


def means_figure(means: Sequence[MeanMap]) -> Figure:
    """Draw the mean map of every class above its standard error, all on one scale."""
    figure = Figure(figsize=(2.1 * len(means) + 0.9, 4.3), layout="constrained")
    grid = figure.subplots(2, len(means), squeeze=False)
    limit = max(float(np.abs(flat_map(each.mean)).max()) for each in means) or 1.0
    for column, each in zip(grid.T, means, strict=True):
        drawn = column[0].imshow(flat_map(each.mean), cmap="RdBu_r", vmin=-limit, vmax=limit)
        column[1].imshow(flat_map(each.error), cmap="RdBu_r", vmin=-limit, vmax=limit)
        column[0].set_title(f"{each.name}\n{each.subjects} subjects", fontsize=8.5)
        for axes in column:
            axes.set(xticks=[], yticks=[])
    grid[0, 0].set_ylabel("mean", fontsize=9)
    grid[1, 0].set_ylabel("standard error", fontsize=9)
    figure.colorbar(drawn, ax=grid, shrink=0.7, label="relevance, each map's mean size being 1")
    return figure


def flat(image: Fitted) -> Map:
    """Return an image of one channel in one plane: of a volume, the middle one."""
    found: Map = image.mean(axis=-1)
    return flat_map(found)


def flat_map(values: Map) -> Map:
    """Return the middle plane of a volume, and a slice as it is."""
    while values.ndim > 2:
        values = values[..., values.shape[-1] // 2]
    return values

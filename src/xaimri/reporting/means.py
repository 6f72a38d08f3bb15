"""Mean maps of the classes of a cohort as pictures, with how many subjects each is of and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from xaimri.arrays import Array, Map
from xaimri.card.fact import counted
from xaimri.cohort import ClassMean, Cohort
from xaimri.documents.picture import Picture, picture
from xaimri.errors import XaimriError
from xaimri.images.planes import Plane, Turn, plane_name, world_axes
from xaimri.render.colour import Scale
from xaimri.render.fade import PALE
from xaimri.render.panel import title_of
from xaimri.reporting.subjects import known_subjects

DPI = 100

ACROSS = 5
"""Classes side by side, at most."""


def mean_pictures(cohort: Cohort, ground: Map | None, independent: bool) -> tuple[list[Picture], list[str]]:
    """Return a picture of the mean maps by each method, and sentences on what has none.

    Parameters
    ----------
    cohort
        Whose maps are averaged, by the cases' own labels where all have one, else by the predicted class.
    ground
        ``(*space)``, from 0 to 1: what maps are laid on, where it has their shape.
    independent
        As of :meth:`xaimri.cohort.Cohort.class_means`.
    """
    made: list[Picture] = []
    refused: dict[str, list[str]] = {}
    notes: list[str] = []
    for method in cohort.methods:
        title = title_of(cohort.manifest.methods[method], method)
        kept, left_out = known_subjects(cohort.filter(method=method, failed=False), independent)
        heads = kept.table(["label", "unit", "affine"]).to_pylist()
        by: Any = "label" if all(row["label"] is not None for row in heads) else "predicted"
        try:
            means = kept.class_means(method, by, independent=independent)
        except XaimriError as fault:
            refused.setdefault(str(fault), []).append(title)
            continue
        affine = None if heads[0]["affine"] is None else np.reshape(heads[0]["affine"], (4, 4))
        made.append(_picture(title, means, by, heads[0]["unit"], affine, ground))
        if left_out:
            notes.append(f"Left out of the mean maps, as they have no subject: {counted(left_out, 'case')}.")
    notes += [f"No mean maps by {', '.join(titles)}: {fault}" for fault, titles in refused.items()]
    return made, list(dict.fromkeys(notes))


def _picture(
    title: str, means: Sequence[ClassMean], by: str, unit: str, affine: Array | None, ground: Map | None
) -> Picture:
    plane = _plane(means, affine)
    name = "" if plane is None else f", {plane_name(plane, affine, means[0].mean.shape)}"
    words = {"label": "own label", "predicted": "predicted class", "target": "explained class"}[by]
    people = "; ".join(f"{one.name}: {_people(one)}" for one in means)
    caption = (
        f"{title}: mean over subjects of each class, by the cases' {words}{name}. Above the mean, pale where "
        "it can't be told from 0 (95 %); below its standard error. A subject's cases count once."
    )
    if any(len(one.targets) > 1 for one in means):
        caption += " The maps explain several classes, each case's own target."
    drawn = _figure(means, plane, affine, unit, ground)
    return picture(drawn, f"Mean maps by {title}. {people}.", caption, dpi=DPI)


def _people(one: ClassMean) -> str:
    return f"{counted(one.subjects, 'subject')}, {counted(one.cases, 'case')}"


def _plane(means: Sequence[ClassMean], affine: Array | None) -> Plane | None:
    """Return the plane of a volume whose means are strongest: axial where that is known."""
    shape = means[0].mean.shape
    if len(shape) == 2:
        return None
    axis = 0 if affine is None else world_axes(affine).index(2)
    others = tuple(each for each in range(3) if each != axis)
    sums = sum(np.abs(np.nan_to_num(one.mean)).sum(axis=others) for one in means)
    return axis, int(np.argmax(sums))


def _figure(
    means: Sequence[ClassMean], plane: Plane | None, affine: Array | None, unit: str, ground: Map | None
) -> Figure:
    columns = min(len(means), ACROSS)
    bands = -(-len(means) // columns)
    flat = [tuple(_laid(each, plane, affine) for each in (one.mean, one.error)) for one in means]
    height, width = flat[0][0].shape
    tall = min(max(height / width, 0.5), 1.6)
    figure = Figure(figsize=(2.3 * columns + 0.9, bands * (2 * 2.1 * tall + 0.75)), layout="constrained")
    axes: Any = figure.subplots(2 * bands, columns, squeeze=False)
    scale = Scale.of([mean for mean, _ in flat])
    top = max((float(np.nanmax(error)) for _, error in flat if np.isfinite(error).any()), default=0.0)
    under = None if ground is None or ground.shape != means[0].mean.shape else _laid(ground, plane, affine)
    for place, (one, (mean, error)) in enumerate(zip(means, flat, strict=True)):
        upper, lower = axes[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
        for ax in (upper, lower):
            ax.imshow(np.full_like(mean, 0.25) if under is None else under, cmap="gray", vmin=0, vmax=1)
        drawn = upper.imshow(mean, cmap=scale.colours, norm=scale.norm)
        drawn.set_alpha(np.where(_sure(mean, error, one.subjects), 1.0, PALE))
        upper.set_title(f"{one.name}\n{_people(one)}", fontsize=8.5, parse_math=False)
        if np.isfinite(error).any():
            spread = lower.imshow(error, cmap="viridis", vmin=0, vmax=top or 1.0)
        else:
            lower.text(
                0.5,
                0.5,
                "one subject:\nno error",
                transform=lower.transAxes,
                ha="center",
                va="center",
                color="white",
                bbox={"facecolor": "0.2", "edgecolor": "none"},
            )
    for ax in axes.ravel():
        ax.set(xticks=[], yticks=[])
        if not ax.images:
            ax.set_axis_off()
    axes[0, 0].set_ylabel("mean", fontsize=9)
    axes[1, 0].set_ylabel("standard error", fontsize=9)
    bar = figure.colorbar(drawn, ax=axes[0::2].ravel().tolist(), shrink=0.8)
    bar.ax.set_facecolor("0.25")
    bar.set_label(unit, fontsize=7.5)
    if top:
        figure.colorbar(spread, ax=axes[1::2].ravel().tolist(), shrink=0.8).set_label(unit, fontsize=7.5)
    return figure


def _sure(mean: Map, error: Map, subjects: int) -> Array:
    """Tell where a mean can be told from 0, by Student's t over subjects; nowhere of a single one."""
    from scipy.special import stdtrit

    if subjects < 2:
        return np.zeros(mean.shape, bool)
    found: Array = np.abs(mean) > float(stdtrit(subjects - 1, 0.975)) * np.nan_to_num(error, nan=np.inf)
    return found


def _laid(array: Map, plane: Plane | None, affine: Array | None) -> Map:
    if plane is None:
        return array
    laid: Map = Turn.of(plane, affine).lay(np.take(array, plane[1], axis=plane[0]))
    return laid

"""Loss and balanced accuracy over the epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.charts.canvas import MUTED, blank_figure
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAINING, VALIDATION = "#0072b2", "#d55e00"
"""Colours of Okabe & Ito (2008), told apart by colour-blind readers."""


@check_arguments()
def training_curves(history: Mapping[str, Sequence[Any]]) -> Figure:
    """Draw loss and balanced accuracy of training and validation over the epochs.

    Phases are marked where they begin, and the epoch of the best validation balanced accuracy, the
    first of equals, by a dotted line. Values that are None or NaN leave a gap.

    Parameters
    ----------
    history
        Lists of one entry per epoch: ``loss``, ``balanced_accuracy`` and, if there was validation,
        ``val_loss``, ``val_balanced_accuracy``; ``epoch`` (default 1, 2, ...) and ``phase`` if known.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot.

    Raises
    ------
    InvalidInput
        If ``loss`` or ``balanced_accuracy`` is missing or empty, or the lists differ in length.
    """
    columns = _columns(history)
    epochs = columns["epoch"]
    figure = blank_figure(7.2, 2.9)
    panels = figure.subplots(1, 2)
    for axes, key, title in zip(
        panels, ("loss", "balanced_accuracy"), ("loss", "balanced accuracy"), strict=True
    ):
        _curve(axes, epochs, columns[key], TRAINING, "o", "training")
        if f"val_{key}" in columns:
            _curve(axes, epochs, columns[f"val_{key}"], VALIDATION, "s", "validation")
        _dress(axes, epochs, title)
    panels[1].set_ylim(0, 1.02)
    for axes in panels:
        _mark_phases(axes, epochs, list(history.get("phase", ())))
        _mark_best(axes, epochs, columns.get("val_balanced_accuracy"))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def _columns(history: Mapping[str, Sequence[Any]]) -> dict[str, Array]:
    """Return the columns that are drawn as floats, NaN where there is no value."""
    missing = [key for key in ("loss", "balanced_accuracy") if not len(history.get(key, ()))]
    if missing:
        raise InvalidInput(
            f"`history` needs `{missing[0]}`, one value per epoch; it has {', '.join(history)}."
        )
    columns = {"epoch": np.arange(1.0, len(history["loss"]) + 1)}
    for key in ("epoch", "loss", "balanced_accuracy", "val_loss", "val_balanced_accuracy"):
        if len(history.get(key, ())):
            columns[key] = np.array([np.nan if x is None else x for x in history[key]], dtype=float)
    lengths = {key: len(column) for key, column in columns.items()}
    if "phase" in history:
        lengths["phase"] = len(history["phase"])
    if len(set(lengths.values())) > 1:
        raise InvalidInput(f"`history` needs lists of one length, one entry per epoch, got {lengths}.")
    return columns


def _curve(axes: Axes, epochs: Array, values: Array, colour: str, marker: str, label: str) -> None:
    axes.plot(epochs, values, color=colour, marker=marker, markersize=3, linewidth=1.4, label=label)


def _dress(axes: Axes, epochs: Array, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch", fontsize=9)
    axes.set_ylabel(title, fontsize=9)
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_phases(axes: Axes, epochs: Array, phases: list[Any]) -> None:
    """Shade every other phase and write its name above its first epoch."""
    starts = [i for i in range(len(phases)) if i == 0 or phases[i] != phases[i - 1]]
    for number, (start, stop) in enumerate(pairwise([*starts, len(phases)])):
        left, right = epochs[start] - 0.5, epochs[stop - 1] + 0.5
        if number % 2:
            axes.axvspan(left, right, color="#f3f4f6", zorder=0, linewidth=0)
        axes.annotate(
            str(phases[start]), (left, 1), xycoords=("data", "axes fraction"), xytext=(3, 3),
            textcoords="offset points", fontsize=7, color=MUTED,
        )  # fmt: skip


def _mark_best(axes: Axes, epochs: Array, values: Array | None) -> None:
    if values is None or np.isnan(values).all():
        return
    best = int(np.nanargmax(values))
    label = f"best epoch: {epochs[best]:.0f}, validation balanced accuracy {values[best]:.2f}"
    axes.axvline(epochs[best], color=MUTED, linewidth=1, linestyle=":", zorder=1, label=label)

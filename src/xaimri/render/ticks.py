"""Ticks in millimetres beside a plane whose axes lie along those of the world."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.planes import Plane, Turn, millimetres, world_axes

MANY = 5
"""Steps between ticks along an axis, at most."""

INK = "0.35"


def draw_ticks(ax: Axes, explanation: Explanation, plane: Plane | None, wanted: bool | None) -> None:
    """Draw ticks in mm along both axes, or none; ``wanted`` None draws them where they are known.

    Raises
    ------
    InvalidInput
        If they are wanted and not known.
    """
    found = [] if wanted is False else _places(explanation, plane)
    if not found:
        if wanted:
            raise InvalidInput(
                "ticks in mm need a volume whose affine is known and whose axes lie along those of the "
                "world: leave `ticks` out."
            )
        ax.set_axis_off()
        return
    for one, (letter, places) in zip((ax.xaxis, ax.yaxis), found, strict=True):
        _mark(one, letter, places)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _places(explanation: Explanation, plane: Plane | None) -> list[tuple[str, Float[Array, " pixels"]]]:
    """Return of both axes of a plane the letter and where its pixels lie, as it is laid."""
    affine, shape = explanation.affine, explanation.values.shape
    if plane is None or affine is None:
        return []
    turn = Turn.of(plane, affine)
    found = []
    for axis, back in ((turn.right, turn.leftwards), (turn.down, turn.up)):
        places = millimetres(affine, shape, axis)
        if places is None:
            return []
        found.append(("xyz"[world_axes(affine)[axis]], places[::-1] if back else places))
    return found


def _mark(one: Any, letter: str, places: Float[Array, " pixels"]) -> None:
    """Put ticks at round numbers of mm along one axis."""
    steps = MaxNLocator(MANY, steps=[1, 2, 5, 10]).tick_values(places.min(), places.max())
    inside = steps[(steps >= places.min()) & (steps <= places.max())]
    order = -1 if places[-1] < places[0] else 1
    at = np.interp(inside, places[::order], np.arange(len(places))[::order])
    one.set_ticks(at, [f"{step + 0.0:g}" for step in inside])
    one.set_tick_params(labelsize=6, length=2, width=0.5, pad=1.5, color=INK, labelcolor=INK)
    one.set_label_text(f"{letter} (mm)", fontsize=6, color=INK)
    one.labelpad = 1

"""What stands around the panels of a figure: a heading over them, the caveats under them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.text import Annotation

from xaimri.explanation import Explanation
from xaimri.images.planes import CONVENTION

TITLE = 0.15
"""Height of a line of a panel's title in inches; two have room in any figure."""

LINE = 0.14
"""Height of a line of caveats in inches."""


def even_columns(panels: int, columns: int | None, most: int) -> int:
    """Return how many panels stand side by side: as asked, else at most so many, in even rows.

    Examples
    --------
    >>> even_columns(7, None, 6), even_columns(7, 3, 6)
    (4, 3)
    """
    return columns or -(-panels // -(-panels // most))


def finish(
    drawn: Figure,
    explanations: Sequence[Explanation],
    *,
    heading: str | None,
    footnote: bool,
    sides: bool = False,
) -> None:
    """Write the heading over the panels, and every caveat once under them; the figure grows by its lines.

    With ``sides``, the convention by which volumes are laid stands there, too, where the anatomy is known.
    """
    _grow(drawn, TITLE * max([0, *(ax.get_title().count("\n") - 1 for ax in drawn.axes)]))
    noted = any(isinstance(text, Annotation) for ax in drawn.axes for text in ax.texts)
    _grow(drawn, LINE * noted)
    if heading:
        lines = textwrap.wrap(heading, int(drawn.get_size_inches()[0] * 12))
        lines += filter(None, [drawn.get_suptitle()])
        _grow(drawn, 0.18 * len(lines))
        drawn.suptitle("\n".join(lines), fontsize=10, parse_math=False)
    laid = sides and any(e.values.ndim == 3 and e.affine is not None for e in explanations)
    caveats = [f"{c.name}: {c.text}" for e in explanations for c in e.caveats if footnote]
    texts = dict.fromkeys([*([CONVENTION] if laid else []), *caveats])
    if texts:
        width = int(drawn.get_size_inches()[0] * 17)
        told = "\n".join(textwrap.fill(text, width, subsequent_indent="    ") for text in texts)
        _grow(drawn, LINE * (told.count("\n") + 1))
        drawn.supxlabel(told, fontsize=6.5, x=0.01, ha="left", color="0.35", parse_math=False)


def _grow(drawn: Figure, inches: float) -> None:
    width, height = drawn.get_size_inches()
    drawn.set_size_inches(width, height + inches)

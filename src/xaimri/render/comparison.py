"""Several explanations of one image, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.explanation import Explanation
from xaimri.render.figure import grid
from xaimri.render.notebook import html_comparison
from xaimri.render.output import save, show


class Comparison(Sequence[Explanation]):
    """A sequence of explanations that draws itself, with one scale for all maps of one unit."""

    @check_arguments()
    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._explanations = tuple(explanations)

    def __len__(self) -> int:
        return len(self._explanations)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> Comparison: ...
    def __getitem__(self, index: int | slice) -> Explanation | Comparison:
        chosen = self._explanations[index]
        return chosen if isinstance(chosen, Explanation) else Comparison(chosen)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self._explanations)

    def __repr__(self) -> str:
        return "<Comparison:\n" + "\n".join(f"  {e!r}" for e in self) + ">"

    @check_arguments()
    def figure(self, *, style: str = "overlay", columns: int | None = None, **options: Any) -> Figure:
        """Return a matplotlib figure; see :func:`xaimri.render.grid`."""
        return grid(self._explanations, style=style, columns=columns, **options)

    def show(self, **options: Any) -> None:
        """Show the figure: inline in a notebook, else in the system's image viewer."""
        show(self.figure(**options))

    @check_arguments()
    def save(self, path: str | Path, *, dpi: int = 150, **options: Any) -> Path:
        """Draw into a file; the suffix decides."""
        return save(self.figure(**options), path, dpi=dpi)

    def _repr_html_(self) -> str:
        return html_comparison(self._explanations)

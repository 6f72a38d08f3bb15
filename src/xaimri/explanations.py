"""The explanations of a whole folder, and the images that could not be explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, overload

from xaimri.explanation import Explanation


class Explanations(Sequence[Explanation]):
    """A sequence of explanations that knows their files, and what failed.

    Parameters
    ----------
    explanations
        One per image that could be explained, in order.
    sources
        The file of each.
    failures
        One sentence for each of the other files.

    Examples
    --------
    >>> Explanations([], (), {"notes.png": "`notes.png` is no image."})
    <Explanations: 0 of 1 images; failures: 'notes.png'>
    """

    def __init__(
        self, explanations: Iterable[Explanation], sources: Iterable[str], failures: Mapping[str, str]
    ) -> None:
        self._explanations = tuple(explanations)
        self.sources = tuple(sources)
        self.failures: Mapping[str, str] = MappingProxyType(dict(failures))

    def __len__(self) -> int:
        return len(self._explanations)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Explanation, ...]: ...
    def __getitem__(self, index: int | slice) -> Explanation | tuple[Explanation, ...]:
        return self._explanations[index]

    def __repr__(self) -> str:
        failed = f"; failures: {', '.join(map(repr, self.failures))}" if self.failures else ""
        return f"<Explanations: {len(self)} of {len(self) + len(self.failures)} images{failed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanations, (self._explanations, self.sources, dict(self.failures))

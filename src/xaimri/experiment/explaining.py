"""One case of every class, explained and drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xaimri.adapters.options import ModelLike
from xaimri.data import Case, Split
from xaimri.failure import Failure
from xaimri.methods import Method
from xaimri.options import open_with
from xaimri.render import Comparison, save
from xaimri.sources import Named, attempt

PARTS = ("test", "validation", "train")
"""Where the explained cases are looked for, in this order."""


@dataclass(frozen=True)
class Explained:
    """The explanations of one case, where it comes from, and the figures drawn."""

    case: Case
    part: str
    comparison: Comparison
    figures: tuple[Path, ...]


def explain_classes(
    model: ModelLike,
    split: Split,
    folder: str | Path,
    methods: Sequence[Method] = ("gradcam", "lime"),
    announce: Callable[[str], object] = print,
    **options: Any,
) -> tuple[Explained, ...]:
    """Explain one case of every class and draw it by every method, and all methods side by side.

    The case is the middle slice of the class's first subject (by name) in the test part; where the
    class has none there, in validation, then in training. Every figure says which. Where an image can't be
    read, that is announced, and the next one is taken.
    """
    opened, settings = open_with(model, options, methods)
    found = []
    for label, name in enumerate(opened.classes):
        for case, part in representatives(split, label):
            taken = attempt(Named(case.id, case), opened.intake)
            if isinstance(taken, Failure):
                announce(f"{name}: {taken}")
                continue
            made = opened.compare(taken, methods, target=label, **settings)
            explained = _drawn(made, case, part, name, Path(folder))
            announce(f"{name}: {case.id} ({part} part) -> {explained.figures[-1].name}")
            found.append(explained)
            break
        else:
            announce(f"{name}: no case in any part.")
    return tuple(found)


def representatives(split: Split, label: int) -> Iterator[tuple[Case, str]]:
    """Yield the cases of a class with their part, the one to show first.

    The test part comes first, then validation, then training; the subjects go by name, and the slices of
    each from the middle outwards.
    """
    parts = dict(split.parts())
    for part in PARTS:
        cases = [case for case in parts[part] if case.label == label]
        for subject in sorted({str(case.subject) for case in cases}):
            own = [case for case in cases if str(case.subject) == subject]
            slices = sorted(own, key=lambda case: (case.slice or 0, case.id))
            for place in sorted(range(len(slices)), key=lambda place: abs(place - len(slices) // 2)):
                yield slices[place], part


def _drawn(comparison: Comparison, case: Case, part: str, truth: str, folder: Path) -> Explained:
    """Draw each explanation and their comparison, with the case's origin as heading."""
    heading = f"{case.id} ({part} part), true class {truth}"
    stem = "".join(c if c.isalnum() else "_" for c in truth)
    drawn = {e.method["name"]: e.figure(heading=heading) for e in comparison}
    drawn["comparison"] = comparison.figure(heading=heading)
    files = tuple(save(figure, folder / f"{stem}_{name}.png") for name, figure in drawn.items())
    return Explained(case, part, comparison, files)

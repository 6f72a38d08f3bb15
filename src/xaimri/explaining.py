"""Explain what was taken in: images together where they can be, a folder whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xaimri.classifier import Classifier
from xaimri.data.folder import images_below
from xaimri.errors import InvalidInput
from xaimri.explainer import Explainer, Target, each_target
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.images.intake import Intake, Taken
from xaimri.objective import Of

CHUNK = 32
"""Images read and explained at once, at most."""


def parts(count: int) -> Iterator[slice]:
    """Yield the slices in which so many images are read and explained."""
    for first in range(0, count, CHUNK):
        yield slice(first, first + CHUNK)


def explain_taken(
    classifier: Classifier,
    explainer: Explainer[Any],
    taken: Sequence[Taken],
    targets: Sequence[Target],
    of: Of | None,
) -> list[Explanation]:
    """Explain images together where their shapes allow, and carry the maps back to the user's grids."""
    together = len({one.fitted.shape for one in taken}) == 1
    batches = [list(range(len(taken)))] if together else [[i] for i in range(len(taken))]
    found: list[Explanation] = []
    for rows in batches:
        batch = np.stack([taken[i].fitted for i in rows])
        found += explainer.explain(classifier, batch, [targets[i] for i in rows], of=of)
    return [_carried(explanation, one) for explanation, one in zip(found, taken, strict=True)]


def _carried(explanation: Explanation, taken: Taken) -> Explanation:
    """Lay an explanation on the user's image, the window that was looked through written beside it."""
    carried = explanation.carried(taken.grid, taken.image)
    if taken.window is None:
        return carried
    return replace(carried, diagnostics={**carried.diagnostics, "window": taken.window.record()})


def explain_folder(
    classifier: Classifier,
    explainer: Explainer[Any],
    folder: Path,
    target: Target | Sequence[Target],
    of: Of | None,
    intake: Intake,
) -> Explanations:
    """Explain every image below a folder; one that can't be read or explained is listed and stops nothing.

    Raises
    ------
    InvalidInput
        If the folder holds no image, or none of them can be explained.
    """
    files = images_below(folder)
    if not files:
        raise InvalidInput(f"the folder `{folder}` holds no image: put one into it, e.g. a PNG or JPEG.")
    targets = each_target(target, len(files))
    found: dict[str, Explanation] = {}
    failures: dict[str, str] = {}
    for part in parts(len(files)):
        names = [file.relative_to(folder).as_posix() for file in files[part]]
        asked = dict(zip(names, targets[part], strict=True))
        taken: dict[str, Taken] = {}
        for name in asked:
            try:
                taken[name] = intake.take(folder / name)
            except InvalidInput as error:
                failures[name] = str(error)
        found |= _each_or_together(classifier, explainer, taken, asked, of, failures)
    if not found:
        name, sentence = next(iter(failures.items()))
        raise InvalidInput(
            f"none of the {len(files)} images in `{folder}` can be explained; the first, {name!r}: {sentence}"
        )
    return Explanations(found.values(), found, failures)


def _each_or_together(
    classifier: Classifier,
    explainer: Explainer[Any],
    taken: Mapping[str, Taken],
    targets: Mapping[str, Target],
    of: Of | None,
    failures: dict[str, str],
) -> dict[str, Explanation]:
    """Explain images together; if one of them can't be, explain each alone and note which."""

    def made(names: Sequence[str]) -> dict[str, Explanation]:
        group, asked = [taken[name] for name in names], [targets[name] for name in names]
        return dict(zip(names, explain_taken(classifier, explainer, group, asked, of), strict=True))

    try:
        return made(list(taken))
    except InvalidInput:
        found: dict[str, Explanation] = {}
        for name in taken:
            try:
                found |= made([name])
            except InvalidInput as error:
                failures[name] = str(error)
        return found

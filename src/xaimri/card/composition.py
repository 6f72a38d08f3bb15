"""Who is in each part of a bundle's split, counted in the data themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xaimri.card.fact import Fact, counted, told
from xaimri.data import Dataset, Split
from xaimri.data.attendance import WORDS, absences, strangers

if TYPE_CHECKING:
    from xaimri.adapters.keras.bundle import Bundle


def composition_facts(data: Dataset, bundle: Bundle, source: str) -> dict[str, tuple[Fact, ...]]:
    """Return how many subjects and images of each class are in each part, and who is missing."""
    cases = data.with_classes(bundle.classes)
    if bundle.split is None:
        return told(source, {"composition": [_counts("All data", cases)]})
    parts = Split.from_record(cases, bundle.split)
    lines = [_counts(WORDS[name].capitalize(), part) for name, part in parts.parts() if len(part)]
    odd = [*absences(cases, bundle.split), *strangers(cases, bundle.split)]
    return told(source, {"composition": lines, "limitations": odd})


def _counts(name: str, part: Dataset) -> str:
    return f"{name}: {'; '.join(_by_class(part))}."


def _by_class(part: Dataset) -> Iterator[str]:
    for label, name in enumerate(part.classes):
        own = [case for case in part if case.label == label]
        people = {case.subject for case in own if case.subject is not None}
        unknown = any(case.subject is None for case in own)
        who = "subjects not known" if unknown else counted(len(people), "subject")
        yield f"{name} {counted(len(own), 'image')}, {who}"

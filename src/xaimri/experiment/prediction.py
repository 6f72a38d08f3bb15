"""What a model says of those cases that can be read, and what is odd about the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xaimri.arrays import Scores
from xaimri.data import Dataset
from xaimri.data.unread import say_lost, say_unread, without_unread
from xaimri.endings import predict
from xaimri.failure import Failure
from xaimri.images.ranges import Ranges
from xaimri.model import Model
from xaimri.sources import Named, attempt


def _counted(odd: Sequence[tuple[str, str]], images: int) -> str:
    """Say what is odd about some of the images, and of how many."""
    name, text = odd[0]
    return text if len(odd) == images else f"{len(odd):,} of {images:,} images, such as `{name}`: {text}"


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model says of those cases that can be read, why of the others nothing, and what is odd."""

    cases: Dataset
    probabilities: Scores
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


def predict_cases(model: Model, cases: Dataset) -> Predicted:
    """Predict every case whose image can be read, once; each is read when its turn comes.

    Raises
    ------
    InvalidInput
        If none can be read.
    """
    seen, failures = Ranges(), list[Failure]()
    odd: dict[str, list[tuple[str, str]]] = {}

    def whole() -> Iterator[Named]:
        for case in cases:
            taken = attempt(Named(case.id, case), model.intake)
            if isinstance(taken, Failure):
                failures.append(taken)
                continue
            seen.note(case.id, taken.image, taken.outside)
            for caveat in taken.caveats:
                odd.setdefault(caveat.name, []).append((case.id, caveat.text))
            yield Named(case.id, taken)
        without_unread(cases, failures)

    probabilities = predict(model.classifier, model.intake, whole())
    left = without_unread(cases, failures)
    notes = [*say_unread(failures, len(cases)), *say_lost(cases, failures)]
    notes += [_counted(images, seen.images) for images in odd.values()]
    if model.intake.window is None and seen.fault is not None:
        notes.append(seen.fault)
    return Predicted(left, probabilities, tuple(failures), tuple(notes))

"""How far a run is: told to whoever watches it, and kept beside the rows for others, and for the next run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from xaimri.cohort.place import Place
from xaimri.errors import StorageFault

AT_WORK = "at_work.json"
"""The file beside the rows while a run is at work; one that was killed leaves it there."""

EVERY = 5.0
"""Seconds between two writings of it, at least."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total
        Cases with their rows written, and all.
    failures
        Rows with a failure, of those written in this run.
    seconds
        Since this run began.
    fresh
        Cases that this run has done.
    """

    done: int
    total: int
    failures: int
    seconds: float
    fresh: int

    @property
    def rate(self) -> float:
        """Cases a second in this run."""
        return self.fresh / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float:
        """Seconds until the end, if it goes on so."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


CohortWatcher: TypeAlias = Callable[[Progress], object]
"""Called after every part; one that returns False stops the run, which goes on another time."""


@dataclass
class Note:
    """The file that says how far a run is.

    Attributes
    ----------
    place
        Where the rows are.
    deaths
        How many runs before this one were killed there, one after the other, without a part finished.
    """

    place: Place
    deaths: int
    _finished: int
    _written: float | None = None

    def tell(self, progress: Progress) -> None:
        """Write how far it is, at most every few seconds."""
        now = time.monotonic()
        if self._written is None or now - self._written >= EVERY:
            self._written = now
            told = {**asdict(progress), "finished": self._finished, "deaths": self.deaths}
            self.place.write(AT_WORK, json.dumps(told).encode())

    def end(self) -> None:
        """Take the file away: this run was not killed."""
        if self._written is not None:
            with suppress(StorageFault):
                self.place.remove(AT_WORK)


@contextmanager
def noted(place: Place, finished: int) -> Iterator[Note]:
    """Yield what tells of a run, which ends with it; the end of the process leaves its file behind.

    Parameters
    ----------
    place
        Where the rows are.
    finished
        Parts whose rows are there.
    """
    left = _left(place)
    deaths = 0
    if left is not None:
        place.tidy()
        deaths = 1 + (left["deaths"] if left.get("finished") == finished else 0)
    note = Note(place, deaths, finished)
    try:
        yield note
    finally:
        note.end()


def progress_at(place: Place) -> Progress | None:
    """Return how far the run is that is at work at a place; None where there is none."""
    left = _left(place)
    if left is None or not place.busy():
        return None
    return Progress(**{name: left[name] for name in Progress.__dataclass_fields__})


def _left(place: Place) -> dict[str, Any] | None:
    """Return what the file says; a damaged one is as good as what a killed run leaves."""
    content = place.read(AT_WORK)
    if content is None:
        return None
    with suppress(ValueError, TypeError):
        told = json.loads(content)
        if {*Progress.__dataclass_fields__, "finished", "deaths"} <= {*told}:
            return dict(told)
    return {**asdict(Progress(0, 0, 0, 0.0, 0)), "finished": None, "deaths": 0}

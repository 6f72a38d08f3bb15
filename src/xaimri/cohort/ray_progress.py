"""How far Ray's workers are, told while they work; why they stopped, in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xaimri.cohort.progress import Progress
from xaimri.errors import Cancelled

LOOKS = 0.25
"""Seconds between two looks at how far the workers are."""


@dataclass(eq=False)
class Watch:
    """Looks at how far the workers are, and tells it."""

    ray: Any
    notes: Any
    check: Callable[[], None]
    tell: Callable[[Progress], None]
    start: Progress
    fresh: int = 0
    fault: BaseException | None = None

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._begun = time.monotonic()

    def go(self) -> None:
        """Look again and again until it is over."""
        try:
            while not self._over.wait(LOOKS):
                self.look()
        except BaseException as fault:  # Ctrl-C too, where `tell` asks whether it came
            self.fault = fault
            self.notes.stop.remote(Cancelled("the run was stopped: the same call goes on."))

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def look(self) -> None:
        """Look once: see that the place is still this run's, and tell what is new."""
        fresh, failures, _ = self.ray.get(self.notes.state.remote())
        self.check()
        if fresh == self.fresh:
            return
        self.fresh = fresh
        done, seconds = self.start.done + fresh, time.monotonic() - self._begun
        self.tell(Progress(done, self.start.total, failures, seconds, fresh))


@contextmanager
def watched(
    ray: Any,
    notes: Any,
    check: Callable[[], None],
    tell: Callable[[Progress], None],
    start: Progress,
) -> Iterator[None]:
    """Tell how far the workers are while they work; raise in the end why they stopped."""
    watch = Watch(ray, notes, check, tell, start)
    thread = threading.Thread(target=watch.go, name="progress of Ray", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.end()
        thread.join()
    if watch.fault is not None:
        raise watch.fault
    reason = ray.get(notes.state.remote())[2]
    if reason is not None:
        raise reason
    watch.look()

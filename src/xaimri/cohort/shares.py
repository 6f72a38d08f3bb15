"""How long each of several works took that went on at once: its share of the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Shares:
    """Deals the clock to those at work: alone, one has all of it, and of two at once each has half.

    So the seconds of all works add up to what passed while any was at work. A copy in another process begins
    anew.

    Examples
    --------
    >>> shares = Shares()
    >>> with shares.one() as spent:
    ...     _ = sum(range(1000))
    >>> spent() > 0
    True
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._turn = clock, threading.Lock()
        self._at_work, self._since, self._dealt = 0, 0.0, 0.0

    def __reduce__(self) -> tuple[type[Shares], tuple[Callable[[], float]]]:
        return Shares, (self._clock,)

    @contextmanager
    def one(self) -> Iterator[Callable[[], float]]:
        """Count one more at work meanwhile, and yield what tells its seconds when it has ended."""
        ended = begun = self._deal(1)
        try:
            yield lambda: ended - begun
        finally:
            ended = self._deal(-1)

    def _deal(self, more: int) -> float:
        """Return what each has been dealt that was at work from the beginning, and count so many more."""
        with self._turn:
            now = self._clock()
            if self._at_work:
                self._dealt += (now - self._since) / self._at_work
            self._since, self._at_work = now, self._at_work + more
            return self._dealt

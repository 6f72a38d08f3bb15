"""How often a call asks the same of a model: an engine that takes time to get ready is worth it for many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_times: ContextVar[int] = ContextVar("xaimri_workload", default=1)


@contextmanager
def repeated(times: int) -> Iterator[None]:
    """Tell that what is asked of a model inside is asked so many times in all, as for a folder of images.

    Examples
    --------
    >>> with repeated(40):
    ...     with repeated(2):
    ...         times()
    80
    >>> times()
    1
    """
    token = _times.set(_times.get() * max(times, 1))
    try:
        yield
    finally:
        _times.reset(token)


def times() -> int:
    """Return how often what is asked now is asked in all; 1 where that is not known."""
    return _times.get()

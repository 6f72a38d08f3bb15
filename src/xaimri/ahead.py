"""Threads beside the network: the next thing is read, or the last one finished, while it works."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

ItemT = TypeVar("ItemT")
ReadT = TypeVar("ReadT")
MadeT = TypeVar("MadeT")


def read_ahead(items: Iterable[ItemT], read: Callable[[ItemT], ReadT]) -> Iterator[tuple[ItemT, ReadT]]:
    """Yield every item with what it is read as, in order; one is read ahead.

    An error of ``read`` is raised where its item would be yielded.

    Examples
    --------
    >>> list(read_ahead("ab", str.upper))
    [('a', 'A'), ('b', 'B')]
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as thread:
        begun = ((item, thread.submit(read, item)) for item in items)
        one = next(begun, None)
        while one is not None:
            item, found = one[0], one[1].result()
            one = next(begun, None)
            yield item, found


def side_by_side(items: Iterable[ItemT], work: Callable[[ItemT], MadeT], threads: int = 2) -> Iterator[MadeT]:
    """Yield what is made of every item, in order; so many are at work at once.

    The first is at work alone: it compiles for all, and may be what the others depend on. The next item is
    asked for when the first at work has been yielded, so it may depend on that. An error of ``work`` is
    raised where its item would be yielded. One thread is the caller's own, which Ctrl-C stops in the middle
    of an item; of several, those at work are waited for.

    Examples
    --------
    >>> list(side_by_side("ab", str.upper))
    ['A', 'B']
    """
    if threads == 1:
        yield from map(work, items)
        return
    left = iter(items)
    yield from map(work, islice(left, 1))
    with ThreadPoolExecutor(threads, thread_name_prefix="side by side") as pool:
        begun = (pool.submit(copy_context().run, work, item) for item in left)
        at_work = deque(islice(begun, threads))
        while at_work:
            yield at_work.popleft().result()
            at_work.extend(islice(begun, 1))

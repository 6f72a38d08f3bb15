"""The next thing is read by a thread, while the network works on the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
ReadT = TypeVar("ReadT")


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

"""Tell the caller how far a long explanation is, and stop where he asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from xaimri.errors import Cancelled
from xaimri.kinds import AnyOf, Function
from xaimri.rules import Flag

Watcher: TypeAlias = Callable[[int, int], object]
"""Called after every batch with how many images were predicted, and how many are known to come; returns
``False`` to cancel."""


@dataclass
class _State:
    watcher: Watcher
    done: int = 0
    total: int = 0


_state: ContextVar[_State | None] = ContextVar("xaimri_progress", default=None)


@contextmanager
def watched(progress: bool | Watcher) -> Iterator[None]:
    """Report to a function, or on a bar, how many perturbed images have been predicted inside the block.

    Examples
    --------
    >>> with watched(lambda done, total: print(done, "of", total)):
    ...     expect(50)
    ...     advance(28)
    28 of 50
    """
    kept = AnyOf((Flag(), Function(("done", "total")))).convert(progress, "progress")
    if kept is False:
        yield
        return
    bar = _bar() if kept is True else nullcontext(cast(Watcher, kept))
    with bar as watcher:
        token = _state.set(_State(watcher))
        try:
            yield
        finally:
            _state.reset(token)


@contextmanager
def _bar() -> Iterator[Watcher]:
    from tqdm.auto import tqdm

    with tqdm(unit="image") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def expect(count: int) -> None:
    """Announce that so many more images will be predicted."""
    state = _state.get()
    if state is not None:
        state.total += count


def advance(count: int) -> None:
    """Report that so many images were predicted; raises Cancelled where the watcher returns False."""
    state = _state.get()
    if state is None:
        return
    state.done += count
    answer = state.watcher(state.done, state.total)
    if isinstance(answer, bool | np.bool_) and not answer:
        raise Cancelled(
            f"cancelled after {state.done} of {state.total} images, as `progress` returned False."
        )

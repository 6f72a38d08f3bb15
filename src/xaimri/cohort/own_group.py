"""Processes that no signal to the group of this one reaches: it ends them itself, in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

_wanted = 0


@contextmanager
def own_group() -> Iterator[None]:
    """Give each process that begins in the block a group of its own.

    Batch systems and `timeout` send SIGTERM to a whole group. Where that ends Ray's processes first, Ray's
    library waits a minute for them, then ends this process too.

    Notes
    -----
    Only those that :mod:`subprocess` begins with a ``preexec_fn``, as Ray's do: others run no Python before
    their program.
    """
    global _wanted
    _told()
    _wanted += 1
    try:
        yield
    finally:
        _wanted -= 1


@cache
def _told() -> None:
    """Let Python ask in each new process; a hook can't be taken back."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_apart)


def _apart() -> None:
    if _wanted:
        with suppress(OSError):  # it has one
            os.setpgid(0, 0)

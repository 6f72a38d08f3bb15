"""One writer a folder: what several processes or threads write there does not mix."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xaimri.errors import StorageFault
from xaimri.regular_file import quoted

_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK})

_STEP = 0.05
"""Seconds between two looks."""


@contextmanager
def lock(folder: Path, *, shared: bool = False, wait: float = 60.0) -> Iterator[bool]:
    """Keep other writers out of a folder; the end of the process, however it comes, lets them in again.

    Parameters
    ----------
    folder
        It must be there.
    shared
        Whether others may read beside: for reading.
    wait
        Seconds to wait for another one to end.

    Yields
    ------
    bool
        Whether the system keeps others out; False where it knows no such lock.

    Raises
    ------
    StorageFault
        If another one is still at work there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name, lock(Path(name)), lock(Path(name), wait=0):
    ...     pass
    Traceback (most recent call last):
        ...
    xaimri.errors.StorageFault: another process or thread is writing into ...: wait, or give another folder.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # what follows tells of it in its own words
        yield False
        return
    try:
        yield _take(handle, folder, shared, time.monotonic() + wait)
    finally:
        os.close(handle)


def hold(handle: int, *, shared: bool = False) -> bool | None:
    """Take the lock of an open folder: True where it is ours now, False where another one holds it.

    None where the system knows no such lock. It ends when the handle is closed.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as failure:
        return False if failure.errno in _HELD else None
    return True


def _take(handle: int, folder: Path, shared: bool, until: float) -> bool:
    """Take the lock of a folder; return False where the system knows none."""
    while (held := hold(handle, shared=shared)) is False:
        if time.monotonic() >= until:
            raise StorageFault(
                f"another process or thread is writing into {quoted(folder)}: wait, or give another folder."
            )
        time.sleep(_STEP)
    return held is True

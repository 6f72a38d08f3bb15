"""Disks that fill up, and processes that die, at every single change that an operation makes to a folder."""

from __future__ import annotations

import errno
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

from xaimri.errors import StorageFault

CREATING = {"open", "os.mkdir", "os.rename"}
REMOVING = {"os.remove", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Kind = Literal["full", "dead", "killed"]
"""Nothing more can be made; nothing more can be done, as after a kill; the process ends there."""


class Death(BaseException):
    """Nothing can be changed any more."""


class Disk:
    """Lets so many changes below a folder be made, and not the next."""

    def __init__(self, kind: Kind, at: int) -> None:
        self.kind, self.at, self.folder = kind, at, ""
        self.changes, self.failed = 0, False

    @contextmanager
    def below(self, folder: Path) -> Iterator[None]:
        """Watch a folder; the failure ends here, and must be one sentence where the disk is full."""
        global watched
        self.folder, watched = str(folder), self
        install()
        try:
            yield
        except Death:
            assert self.kind == "dead"
        except StorageFault as fault:
            self.check(str(fault))
        else:
            assert not self.failed
        finally:
            watched = None

    def check(self, sentence: str) -> None:
        """See that a full disk is told in one sentence that names no file of ours."""
        assert self.kind == "full"
        assert "No space left" in sentence
        assert "\n" not in sentence
        assert ".partial" not in sentence

    def change(self, event: str) -> None:
        self.changes += 1
        if self.changes < self.at or (self.kind == "full" and event in REMOVING):
            return
        self.failed = True
        if self.kind == "killed":
            os._exit(9)
        raise OSError(errno.ENOSPC, "No space left on device") if self.kind == "full" else Death


watched: Disk | None = None
installed = False


def install() -> None:
    """Have Python tell of every change; that can't be undone, so it is done when it is asked for."""
    global installed
    if not installed:
        sys.addaudithook(hook)
    installed = True


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Hold a change against the disk that is watched."""
    if watched is None or event not in CREATING | REMOVING:
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
        return
    place, within = arguments[0], arguments[-1]
    if event in REMOVING and isinstance(within, int) and within >= 0 and isinstance(place, str | bytes):
        place = Path(os.readlink(f"/proc/self/fd/{within}")) / os.fsdecode(place)  # noqa: PTH115
    if isinstance(place, str | bytes | os.PathLike) and os.fsdecode(place).startswith(watched.folder):
        watched.change(event)


def every_change(kind: Kind, step: int = 1) -> Iterator[Disk]:
    """Yield disks that fail at the first change, at the second, ..., and one that doesn't."""
    for at in count(1, step):
        disk = Disk(kind, at)
        yield disk
        if not disk.failed and disk.changes < at:
            return


def killed(disk: Disk, folder: Path, operation: Callable[[], object]) -> bool:
    """Do something in a process of its own that is killed at a change; tell whether it was."""
    child = os.fork()
    if not child:
        status = 1
        try:
            with disk.below(folder):
                operation()
            status = 0
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    disk.failed = code == 9
    return disk.failed


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have the system write no file beyond a size: a disk that fills up within a file, to the byte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

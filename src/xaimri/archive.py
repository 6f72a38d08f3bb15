"""Written whole or not at all: every file and folder of ours."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from xaimri.errors import InvalidInput, StorageFault
from xaimri.regular_file import path_of

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""What the system says of a disk that takes no more, and names no file with it."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a place to write a file to; when all is well it takes the place of what was there.

    The new file lies beside the old one, hidden and under another name with the same ending, until it is on
    disk; then it is renamed. An error, or the end of the process, leaves the old file as it was.

    Parameters
    ----------
    path
        Where the file is wanted; folders on the way are made.

    Yields
    ------
    Path
        Where to write it.

    Raises
    ------
    InvalidInput
        If the path is a folder or a device, or leads through a file.
    StorageFault
        If the system can't write it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "a", "note.txt")) as new:
    ...         _ = new.write_text("all of it")
    ...     Path(folder, "a", "note.txt").read_text()
    'all of it'
    """
    target = path_of(path)
    with _storage_faults(target):
        if target.exists() and not target.is_file():
            what = "a folder" if target.is_dir() else "no regular file"
            raise InvalidInput(f"`{target}` is {what}: give the name of a file.")
        partial = _folder_near(target.absolute().parent) / _partial_name(target)
        try:
            yield partial
            _sync(partial)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
            _sync_folder(target.parent)
        finally:
            _discard(partial)


@contextmanager
def whole_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write into, which becomes the wanted one when all is well; after an error it is gone.

    What stands in the way is told at once, so that hours of work may lie within.

    Parameters
    ----------
    path
        Where the folder is wanted: it is not there yet, or empty. Folders on the way are made at the end.
    replace
        Write into a folder that holds something, too: files of the same names are replaced, one by one and
        each whole, and the others stay.

    Yields
    ------
    Path
        The folder to write into.

    Raises
    ------
    InvalidInput
        If the folder is there and not empty, or the path is a file or leads through one.
    StorageFault
        If the system can't write it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_folder(Path(folder, "out")) as new:
    ...         _ = (new / "table.csv").write_text("a,b")
    ...     sorted(file.name for file in Path(folder).rglob("*"))
    ['out', 'table.csv']
    """
    target = path_of(path, "folder")
    with _storage_faults(target):
        near = _folder_near(target.absolute())
        empty = near == target.absolute()
        filled = empty and any(near.iterdir())
        if filled and not replace:
            raise InvalidInput(f"`{target}` is there already, and not empty: give a new folder.")
        partial = near / _partial_name(target)
        partial.mkdir()
    try:
        with _storage_faults(target, within=partial):
            yield partial
        with _storage_faults(target):
            _sync_below(partial)
            target.parent.mkdir(parents=True, exist_ok=True)
            if empty:
                _move_entries(partial, target, undo=not filled)
            else:
                partial.replace(target)
            _sync_folder(target.parent)
    finally:
        _discard(partial)


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file (UTF-8) in place of what is there, by `whole_file`."""
    with whole_file(path) as new:
        new.write_text(text, encoding="utf-8", newline="")
    return Path(path)


@contextmanager
def make_folder(folder: Path) -> Iterator[None]:
    """Make a folder to write several files into; where nothing comes into it, it goes again.

    Raises
    ------
    InvalidInput
        If it is a file, or the path leads through one.
    StorageFault
        If the system can't make it.
    """
    with _storage_faults(folder):
        missing = _folder_near(folder.absolute()) != folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if missing:
            with suppress(OSError):
                folder.rmdir()
        raise


def remove_partials(folder: str | Path) -> None:
    """Remove what a process that was killed in `whole_file` or `whole_folder` left in this folder.

    Only where nobody else is writing: what others have begun there goes too.
    """
    for partial in Path(folder).glob(".*.partial*"):
        _discard(partial)


def _partial_name(target: Path) -> str:
    """Return a hidden name that no other writer has, with the same ending, and not too long."""
    return f".{target.stem[:40]}-{token_hex(4)}.partial{target.suffix}"


def _folder_near(place: Path) -> Path:
    """Return the nearest folder that is there: the place itself, or one that it is to lie below."""
    near = next(folder for folder in (place, *place.parents) if folder.exists())
    if not near.is_dir():
        raise InvalidInput(f"`{near}` is a file, not a folder: give another place.")
    return near


def _move_entries(partial: Path, target: Path, *, undo: bool) -> None:
    """Move what a folder holds into another; after an error nothing of it stays there, if that is asked."""
    moved: list[Path] = []
    try:
        for entry in list(partial.iterdir()):
            moved.append(target / entry.name)
            entry.replace(moved[-1])
    except BaseException:
        for entry in moved if undo else ():
            _discard(entry)
        raise
    _sync_folder(target)


def _discard(partial: Path) -> None:
    """Remove what is left of a file or folder, if anything is."""
    with suppress(OSError):
        partial.unlink(missing_ok=True)
        return
    shutil.rmtree(partial, ignore_errors=True)


def _sync_below(folder: Path) -> None:
    """Have all that lies in a folder on disk."""
    for entry in folder.rglob("*"):
        if entry.is_file():
            _sync(entry)
        elif entry.is_dir():
            _sync_folder(entry)
    _sync_folder(folder)


def _sync(file: Path) -> None:
    """Have a file's content on disk before it is renamed."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk, where the system knows such a thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _storage_faults(target: Path, within: Path | None = None) -> Iterator[None]:
    """Say in one sentence that the system can't write; with ``within``, only of what lies in that folder."""
    try:
        yield
    except StorageFault as fault:
        if within is None:
            raise
        raise StorageFault(str(fault).replace(str(within), str(target))) from fault
    except OSError as failure:
        if within is not None and not _is_within(failure, within):
            raise
        reason = failure.strerror or str(failure)
        raise StorageFault(
            f"`{target}` can't be written ({reason}): see that there is room and that you may write there, "
            "or give another place."
        ) from failure


def _is_within(failure: OSError, folder: Path) -> bool:
    """Tell whether it is the disk under this folder that fails, not something else that is done meanwhile."""
    if failure.filename is None:
        return failure.errno in _FULL
    return str(failure.filename).startswith(str(folder))

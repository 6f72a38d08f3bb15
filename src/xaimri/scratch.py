"""Where something is written before it takes its place: a hidden folder of one writer, who holds its lock.

The lock ends with the process, however that ends. So the next writer knows what a killed one left, and takes
it over; what is at work is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from xaimri.folder_lock import hold

MOVES = ".moves"
"""File in a scratch folder that names the entries which are being moved out of it."""


@contextmanager
def scratch_folder(place: Path, name: str) -> Iterator[Path]:
    """Give an empty hidden folder, which is gone at the end.

    Parameters
    ----------
    place
        The folder in which it lies.
    name
        Of what is to be written: scratch folders of one name are found again by it, however many there are.

    Yields
    ------
    Path
        The folder. One that a killed process left is emptied; what was moved out of it by halves goes too.
    """
    folder, handle = _taken(place, name)
    try:
        yield folder
    finally:
        try:
            discard(folder)
        finally:
            if handle is not None:
                os.close(handle)


def move_out(content: Path, *, undo: bool = True) -> None:
    """Move what a folder in a scratch folder holds beside that; nothing of it, if ``undo``, after an error.

    Where the process is killed on the way, the next writer there undoes what was moved.
    """
    scratch = content.parent
    names = sorted(entry.name for entry in content.iterdir())
    if undo:
        moves = scratch / MOVES
        moves.write_text(json.dumps([content.name, *names]), encoding="ascii")
        sync(moves)
        sync_folder(scratch)
    try:
        for name in names:
            (content / name).replace(scratch.parent / name)
    except BaseException:
        _undo(scratch)
        raise
    sync_folder(scratch.parent)


def is_scratch(entry: Path) -> bool:
    """Tell whether this is a scratch folder, by its name."""
    return entry.name.startswith(".") and entry.name.endswith(".partial")


def is_half_moved(entry: Path) -> bool:
    """Tell whether this is a scratch folder out of which entries were being moved."""
    return is_scratch(entry) and (entry / MOVES).is_file()


def remove_dead(place: Path, name: str = "") -> None:
    """Remove the scratch folders of processes that were killed, those of one name alone if it is given.

    Those of writers at work stay.
    """
    own = f".{name[:40]}-" if name else "."
    for folder in [entry for entry in place.glob(".*.partial") if entry.name.startswith(own)]:
        handle = _held(folder)
        if handle is not None:
            _empty(folder)
            discard(folder)
            os.close(handle)


def discard(entry: Path) -> None:
    """Remove a file or folder, if it is there."""
    with suppress(OSError):
        entry.unlink(missing_ok=True)
        return
    shutil.rmtree(entry, ignore_errors=True)


def sync(file: Path) -> None:
    """Have a file's content on disk before it is renamed."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk, where the system knows such a thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _taken(place: Path, name: str) -> tuple[Path, int | None]:
    """Make a scratch folder, or take one over; return the handle that holds its lock, if there are locks."""
    for number in count(1):
        folder = place / f".{name[:40]}-{number}.partial"
        try:
            folder.mkdir()
            made = True
        except FileExistsError:
            made = False
        handle = _held(folder)
        if handle is not None:
            _empty(folder)
            return folder, handle
        if made and _is_lockless(folder):
            return folder, None
    raise AssertionError  # count has no end


def _held(folder: Path) -> int | None:
    """Return a handle that holds a folder's lock; None where another one does, or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    with suppress(OSError):
        if hold(handle) and os.path.samestat(os.fstat(handle), folder.stat()) and folder.is_dir():
            return handle
    os.close(handle)
    return None


def _is_lockless(folder: Path) -> bool:
    """Tell whether the system knows no locks of folders."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return hold(handle) is None
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    """Remove what a killed writer left, and undo what it moved by halves."""
    _undo(folder)
    for entry in list(folder.iterdir()):
        discard(entry)


def _undo(scratch: Path) -> None:
    """Remove what was moved out, unless nothing is left to move: then it is whole."""
    try:
        content, *names = json.loads((scratch / MOVES).read_text(encoding="ascii"))
        left = any((scratch / content).iterdir())
    except (OSError, ValueError):
        return
    if left:
        for name in names:
            if not (scratch / content / name).exists():
                discard(scratch.parent / name)

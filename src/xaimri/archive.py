"""Written whole or not at all: every file and folder of ours."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from xaimri.errors import InvalidInput, StorageFault
from xaimri.regular_file import path_of, quoted
from xaimri.scratch import is_half_moved, is_scratch, move_out, remove_dead, scratch_folder, sync, sync_folder

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""What the system says of a disk that takes no more, and names no file with it."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a place to write a file to; when all is well it takes the place of what was there.

    The new file lies in a hidden folder beside the old one until it is on disk; then it is renamed. An error,
    or the end of the process, leaves the old file as it was. What a killed process left there goes with the
    next writing of the same file.

    Parameters
    ----------
    path
        Where the file is wanted; folders on the way are made, and go again after an error.

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
        with _made(target.absolute().parent) as parent, scratch_folder(parent, target.name) as scratch:
            new = scratch / target.name
            yield new
            sync(new)
            new.replace(target)
            sync_folder(parent)


@contextmanager
def whole_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write into, which becomes the wanted one when all is well; after an error it is gone.

    What stands in the way is told at once, so that hours of work may lie within. What a killed process left
    goes with the next writing of the same folder.

    Parameters
    ----------
    path
        Where the folder is wanted: it is not there yet, or empty. Folders on the way are made, and go
        again after an error.
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
    place = target.absolute()
    with _storage_faults(target):
        there = _folder_near(place) == place
        if there and not replace and not _is_free(place):
            for home in (place, place.parent):
                remove_dead(home, place.name)
            raise _in_the_way(target)
    with ExitStack() as kept:
        with _storage_faults(target):
            home = place if there else kept.enter_context(_made(place.parent))
            new = kept.enter_context(scratch_folder(home, place.name)) / place.name
            filled = there and not all(map(is_scratch, place.iterdir()))
            if filled and not replace:
                raise _in_the_way(target)
            new.mkdir()
        with _storage_faults(target, within=new):
            yield new
        with _storage_faults(target):
            _sync_below(new)
            if not there:
                new.replace(place)
            elif replace or all(map(is_scratch, place.iterdir())):
                move_out(new, undo=not filled)
            else:
                raise _in_the_way(target)
            sync_folder(place.parent)


def write_together(files: Mapping[Path, str | Callable[[Path], object]]) -> None:
    """Write files that belong together, by `whole_file`: text as it is, others by what writes them to a path.

    They are renamed when all of them are written: an error before that leaves all old files as they were.
    """
    with ExitStack() as together:
        places = [together.enter_context(whole_file(path)) for path in files]
        for place, content in zip(places, files.values(), strict=True):
            if isinstance(content, str):
                place.write_text(content, encoding="utf-8", newline="")
            else:
                content(place)


def refuse_foreign(*files: Path, known: Callable[[Path], bool]) -> None:
    """See that no file is there already, or only what this package wrote before, as ``known`` tells.

    Raises
    ------
    InvalidInput
        If there is another one, such as the scan itself, or the system takes no such name.
    """
    for file in files:
        try:
            there = file.exists()
            ours = there and file.is_file() and known(file)
        except OSError as error:
            raise InvalidInput(
                f"{quoted(file)} is no name of a file ({error.strerror}): give a shorter one."
            ) from error
        if there and not ours:
            raise InvalidInput(f"`{file}` is there already, and is no map of xaimri: give another name.")


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file (UTF-8) in place of what is there, by `whole_file`."""
    with whole_file(path) as new:
        new.write_text(text, encoding="utf-8", newline="")
    return Path(path)


@contextmanager
def make_folder(folder: Path) -> Iterator[None]:
    """Make a folder to write several files into; after an error it goes again, if nothing is in it.

    Raises
    ------
    InvalidInput
        If it is a file, or the path leads through one.
    StorageFault
        If the system can't make it.
    """
    with ExitStack() as kept:
        with _storage_faults(folder):
            kept.enter_context(_made(folder.absolute()))
        yield


def remove_partials(folder: str | Path) -> None:
    """Remove what processes that were killed in `whole_file` or `whole_folder` left in this folder."""
    remove_dead(Path(folder))


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """Make a folder and those on the way; after an error, those that were made and are empty go again."""
    near = _folder_near(folder)
    missing = [place for place in (folder, *folder.parents) if place != near and near in place.parents]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        with suppress(OSError):
            for place in missing:
                place.rmdir()
        raise


def _is_free(place: Path) -> bool:
    """Tell whether a folder is empty but for what a killed writer left."""
    entries = list(place.iterdir())
    return all(map(is_scratch, entries)) or any(map(is_half_moved, entries))


def _in_the_way(target: Path) -> InvalidInput:
    return InvalidInput(f"`{target}` is there already, and not empty: give a new folder.")


def _folder_near(place: Path) -> Path:
    """Return the nearest folder that is there: the place itself, or one that it is to lie below."""
    near = next(folder for folder in (place, *place.parents) if folder.exists())
    if not near.is_dir():
        raise InvalidInput(f"`{near}` is a file, not a folder: give another place.")
    return near


def _sync_below(folder: Path) -> None:
    """Have all that lies in a folder on disk."""
    for entry in folder.rglob("*"):
        if entry.is_file():
            sync(entry)
        elif entry.is_dir():
            sync_folder(entry)
    sync_folder(folder)


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

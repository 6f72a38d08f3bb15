"""Where a cohort lies: a folder, or an address of an object store; files are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from xaimri.archive import make_folder, remove_partials, whole_file
from xaimri.cohort.lease import leased, live_leases
from xaimri.cohort.objects import Objects
from xaimri.errors import InvalidInput, MissingExtra, StorageFault, first_line
from xaimri.folder_lock import lock
from xaimri.regular_file import is_address, path_of, quoted

BEFORE = 2.0
"""Seconds to wait for a folder's lock: whoever asks whether a run is at work takes it for a moment, and a
process that a killed run was starting still has it for one."""


@runtime_checkable
class Place(Protocol):
    """A folder of files, wherever it is."""

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        ...

    def tidy(self) -> None:
        """Take away what a writer that was killed left half done."""
        ...

    def busy(self) -> bool:
        """Tell whether somebody writes here."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        ...

    def dataset(self, files: Sequence[str], schema: Any, file_format: Any) -> Any:
        """Return files of a format (one of ``pyarrow.dataset``, such as Parquet) as a data set."""
        ...

    def held(self) -> Any:
        """Return a context in which nobody else writes here; it yields what raises where that has ended."""
        ...


def place_of(address: object) -> Place:
    """Return where an address leads: with ``://`` to an object store, by fsspec; else to a folder.

    Raises
    ------
    MissingExtra
        If fsspec, or what it needs for such an address, is not installed.
    """
    words = os.fsdecode(address) if isinstance(address, str | os.PathLike) else ""
    if isinstance(address, os.PathLike) and is_address(address):
        raise InvalidInput(f"{quoted(address)} is an address that was made a path: give it as text.")
    if "://" not in words or words.startswith("file://"):
        folder = path_of(words.removeprefix("file://") if words else address, "folder")
        return Folder(folder.absolute())  # the process may go to another folder meanwhile
    try:
        import fsspec
    except ImportError as missing:
        raise MissingExtra("fsspec", "cohort", f"the address {words}") from missing
    try:
        files, root = fsspec.core.url_to_fs(words)
    except Exception as fault:  # whatever the package of such addresses raises
        raise InvalidInput(
            f"`{words}` can't be reached ({first_line(fault).rstrip('.')}): check the address, and see that "
            "the package for it is installed."
        ) from fault
    return Objects(files, root.rstrip("/"), words)


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one that it shares with others."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return quoted(self.path)

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise _unread(self.path / name, fault) from fault

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        with whole_file(self.path / name) as new:
            new.write_bytes(content)

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as fault:
            raise StorageFault(
                f"{quoted(self.path / name)} can't be taken away ({fault.strerror or fault}): see that you "
                "may write there."
            ) from fault

    def tidy(self) -> None:
        """Take away what a writer that was killed left half done."""
        for folder in (self.path, *(each for each in self.path.iterdir() if each.is_dir())):
            remove_partials(folder)

    def busy(self) -> bool:
        """Tell whether somebody writes here."""
        try:
            with lock(self.path, shared=True, wait=0) as locked:
                return not locked and bool(live_leases(self))
        except StorageFault:
            return True

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        try:
            with os.scandir(self.path / folder) as entries:
                return sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise _unread(self.path / folder, fault) from fault

    def dataset(self, files: Sequence[str], schema: Any, file_format: Any) -> Any:
        """Return files of a format as a data set of Arrow."""
        from pyarrow import dataset

        paths = [str(self.path / name) for name in files]
        return dataset.dataset(paths, schema=schema, format=file_format)

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Keep others out; the end of the process, however it comes, lets them in again.

        By the system's lock, or by a lease where it knows none, as on some shared drives.
        """
        if os.path.exists(self.path) and not self.path.is_dir():  # noqa: PTH110 - any name will do
            raise InvalidInput(f"{self.name} is a file: give a folder.")
        with make_folder(self.path), lock(self.path, wait=BEFORE) as locked:
            if locked:
                yield lambda: None
            else:
                with leased(self) as check:
                    yield check


def _unread(path: Path, fault: OSError) -> StorageFault:
    return StorageFault(f"{quoted(path)} can't be read ({fault.strerror or fault}): check it.")

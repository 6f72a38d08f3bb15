"""Where a cohort lies: a folder, or an address of an object store; files are written whole or not at all."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from xaimri.archive import make_folder, whole_file
from xaimri.errors import InvalidInput, MissingExtra, StorageFault, first_line
from xaimri.folder_lock import lock
from xaimri.regular_file import path_of, quoted

LEASE = "lease.json"

LASTS = 600.0
"""Seconds that a lease on an object store lasts, if it is not renewed."""


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

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        ...

    def dataset(self, folder: str, schema: Any) -> Any:
        """Return the Parquet files of a folder as a data set of Arrow."""
        ...

    def held(self) -> Any:
        """Return a context in which nobody else writes here; it yields what renews it."""
        ...


def place_of(address: object) -> Place:
    """Return where an address leads: with ``://`` to an object store, by fsspec; else to a folder.

    Raises
    ------
    MissingExtra
        If fsspec, or what it needs for such an address, is not installed.
    """
    words = os.fsdecode(address) if isinstance(address, str | os.PathLike) else ""
    if "://" not in words or words.startswith("file://"):
        return Folder(path_of(words.removeprefix("file://") if words else address, "folder"))
    try:
        import fsspec
    except ImportError as missing:
        raise MissingExtra("fsspec", "cohort", f"the address {words}") from missing
    try:
        files, root = fsspec.core.url_to_fs(words)
    except (ImportError, ValueError) as fault:
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

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        try:
            with os.scandir(self.path / folder) as entries:
                return sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise _unread(self.path / folder, fault) from fault

    def dataset(self, folder: str, schema: Any) -> Any:
        """Return the Parquet files of a folder as a data set of Arrow."""
        from pyarrow import dataset

        files = [str(self.path / folder / name) for name in self.names(folder)]
        return dataset.dataset(files, schema=schema, format="parquet")

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Keep others out; the end of the process, however it comes, lets them in again."""
        if self.path.exists() and not self.path.is_dir():
            raise InvalidInput(f"{self.name} is a file: give a folder.")
        with make_folder(self.path), lock(self.path, wait=0):
            yield lambda: None


@dataclass(frozen=True)
class Objects:
    """A prefix of an object store, by fsspec."""

    files: Any
    root: str
    address: str
    owner: str = field(default_factory=lambda: f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex[:8]}")

    @property
    def name(self) -> str:
        """The address."""
        return f"`{self.address}`"

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        try:
            found: bytes = self.files.cat_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None
        return found

    def write(self, name: str, content: bytes) -> None:
        """Write a file: an object store shows it whole or not at all."""
        try:
            self.files.pipe_file(f"{self.root}/{name}", content)
        except OSError as fault:
            raise StorageFault(
                f"{self.name} can't be written ({first_line(fault)}): see that you may write there."
            ) from fault

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        self.files.invalidate_cache()
        try:
            found = self.files.ls(f"{self.root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        return sorted(each.rstrip("/").rpartition("/")[2] for each in found)

    def dataset(self, folder: str, schema: Any) -> Any:
        """Return the Parquet files of a folder as a data set of Arrow."""
        from pyarrow import dataset, fs

        files = [f"{self.root}/{folder}/{name}" for name in self.names(folder)]
        handler = fs.PyFileSystem(fs.FSSpecHandler(self.files))
        return dataset.dataset(files, schema=schema, format="parquet", filesystem=handler)

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Take the lease, or say who has it; whoever holds it renews it, and after `LASTS` it is free."""
        self._take()
        try:
            yield self._take
        finally:
            if (told := self._lease()) and told["owner"] == self.owner:
                self.files.rm_file(f"{self.root}/{LEASE}")

    def _take(self) -> None:
        told = self._lease()
        if told and told["owner"] != self.owner and told["until"] > time.time():
            raise StorageFault(
                f"another run is writing into {self.name} ({told['owner']}): wait, give another place, or if "
                f"it is dead go on in {told['until'] - time.time():.0f} s."
            )
        content = {"owner": self.owner, "until": time.time() + LASTS}
        self.write(LEASE, json.dumps(content).encode())

    def _lease(self) -> Any:
        content = self.read(LEASE)
        return None if content is None else json.loads(content)


def _unread(path: Path, fault: OSError) -> StorageFault:
    return StorageFault(f"{quoted(path)} can't be read ({fault.strerror or fault}): check it.")

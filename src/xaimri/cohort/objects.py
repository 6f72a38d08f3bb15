"""A cohort on an object store, or wherever else fsspec leads; its faults are one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from xaimri.cohort.lease import leased, live_leases
from xaimri.errors import StorageFault, XaimriError, first_line

WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"})
"""Object stores: a file that is written there is shown whole, or not at all."""


@dataclass(frozen=True)
class Objects:
    """A prefix of an object store, by fsspec.

    Attributes
    ----------
    files
        The file system of fsspec.
    root, address
        Where it lies there, and as it was given.
    """

    files: Any
    root: str
    address: str

    @property
    def name(self) -> str:
        """The address."""
        return f"`{self.address}`"

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        with self._told("read"):
            try:
                found: bytes = self.files.cat_file(f"{self.root}/{name}")
            except FileNotFoundError:
                return None
            return found

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all: where it could be seen by halves, beside it first."""
        path = f"{self.root}/{name}"
        with self._told("written"):
            if self._shows_whole():
                self.files.pipe_file(path, content)
                return
            folder, _, file = path.rpartition("/")
            self.files.makedirs(folder, exist_ok=True)
            beside = f"{folder}/.{file}.new"
            self.files.pipe_file(beside, content)
            self.files.mv(beside, path)

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        with self._told("written"):
            try:
                self.files.rm_file(f"{self.root}/{name}")
            except FileNotFoundError:
                return

    def tidy(self) -> None:
        """Nothing is half done here: the next writing of a file takes the place of what was begun."""

    def busy(self) -> bool:
        """Tell whether somebody writes here, or did until lately."""
        return bool(live_leases(self))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below, sorted; none where it is missing."""
        with self._told("read"):
            self.files.invalidate_cache()
            try:
                found = self.files.ls(f"{self.root}/{folder}".rstrip("/"), detail=False)
            except FileNotFoundError:
                return []
        names = (each.rstrip("/").rpartition("/")[2] for each in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def dataset(self, files: Sequence[str], schema: Any, file_format: Any) -> Any:
        """Return files of a format as a data set of Arrow."""
        from pyarrow import dataset, fs

        paths = [f"{self.root}/{name}" for name in files]
        handler = fs.PyFileSystem(fs.FSSpecHandler(self.files))
        return dataset.dataset(paths, schema=schema, format=file_format, filesystem=handler)

    def held(self) -> AbstractContextManager[Callable[[], None]]:
        """Keep other runs out by a lease; what it yields tells whether that still holds."""
        return leased(self)

    def _shows_whole(self) -> bool:
        own = self.files.protocol
        return not WHOLE.isdisjoint({own} if isinstance(own, str) else own)

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """Tell of a fault in one sentence, whatever package it comes from."""
        try:
            yield
        except XaimriError:
            raise
        except Exception as fault:
            why = first_line(fault).rstrip(".") or type(fault).__name__
            raise StorageFault(
                f"{self.name} can't be {done} ({why}): see that it can be reached, and that you may."
            ) from fault

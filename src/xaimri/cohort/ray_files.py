"""The store as Ray's Parquet writer sees it; imported where Ray is at work, as it needs Arrow at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow
from pyarrow import fs

from xaimri.cohort.ray_parts import write_part
from xaimri.cohort.store import ROWS, Store


class Parts(fs.FileSystemHandler):  # type: ignore[misc]
    """Puts a file under the name of its part when it is whole, whatever Ray calls it, and not before.

    Parameters
    ----------
    store
        Where the rows are.
    notes
        Actor that is told of each part that is written, and of a place that can't be.
    """

    def __init__(self, store: Store, notes: Any) -> None:
        self.store, self.notes = store, notes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parts) and other.store == self.store

    def __hash__(self) -> int:
        return hash(self.store.place.name)

    def get_type_name(self) -> str:
        """Return what kind of file system it is."""
        return "xaimri"

    def normalize_path(self, path: str) -> str:
        """Return a path as it is."""
        return path

    def get_file_info(self, paths: list[str]) -> list[Any]:
        """Say that all is there."""
        return [fs.FileInfo(path, fs.FileType.Directory) for path in paths]

    def get_file_info_selector(self, selector: Any) -> list[Any]:
        """Show no file: none is unfinished."""
        return []

    def create_dir(self, path: str, recursive: bool) -> None:
        """Make nothing: the store makes its folder."""

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        """Return where a file is written to."""
        return pyarrow.PythonFile(_Whole(self._write), mode="w")

    def _write(self, content: bytes) -> None:
        write_part(self.store, self.notes, content)

    def _refused(self, *_: Any) -> Any:
        raise NotImplementedError("files of parts are written only")

    delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _refused
    move = copy_file = open_input_stream = open_input_file = open_append_stream = _refused


def parts_of(store: Store, notes: Any) -> tuple[Any, str]:
    """Return the file system that Ray writes to, and the path there."""
    return fs.PyFileSystem(Parts(store, notes)), ROWS


class _Whole(io.BytesIO):
    """A file in memory, which is handed on when it is closed."""

    def __init__(self, hand_on: Callable[[bytes], None]) -> None:
        super().__init__()
        self._hand_on = hand_on

    def close(self) -> None:
        """Hand the content on, once."""
        if self.closed:
            return
        content = self.getvalue()
        super().close()
        self._hand_on(content)

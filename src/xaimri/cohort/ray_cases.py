"""The cases as a source of Ray's; imported where Ray is at work, as it needs Ray at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from xaimri.cohort.cases import Listed
from xaimri.cohort.ray_parts import packed
from xaimri.cohort.store import Store


class Cases(Datasource):  # type: ignore[misc]
    """Lists a row for each part, under the id of its first case.

    Those of a finished part come in one block and without their images: Ray's checkpoint drops them. Images
    in memory are packed part by part, when Ray takes them.
    """

    def __init__(self, store: Store, listed: Sequence[Listed], finished: set[int]) -> None:
        super().__init__()
        self._store, self._listed, self._finished = store, listed, finished
        wanted = [[part] for part in range(store.parts) if part not in finished]
        self.blocks = [sorted(finished), *wanted] if finished else wanted

    def estimate_inmemory_data_size(self) -> int | None:
        """Say that it is not known."""
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
        """Return a task for each block; Ray asks for them twice, and keeps those that it packs."""
        return [self._task(parts) for parts in self.blocks]

    def table(self, parts: Sequence[int]) -> Any:
        """Return the rows of parts, with their images as they are sent.

        Raises
        ------
        InvalidInput
            If an image can't be sent.
        """
        spans = [[self._listed[place] for place in self._store.bounds(part)] for part in parts]
        images = [
            None if part in self._finished else packed(span, f"the images from `{span[0].about.case}` on")
            for part, span in zip(parts, spans, strict=True)
        ]
        return pyarrow.table(
            {
                "case": [span[0].about.case for span in spans],
                "part": pyarrow.array(parts, pyarrow.int64()),
                "cases": pyarrow.array(images, pyarrow.large_binary()),
            }
        )

    def _task(self, parts: Sequence[int]) -> Any:
        known = BlockMetadata(num_rows=len(parts), size_bytes=None, exec_stats=None, input_files=None)
        return ReadTask(_Listing(self, parts), known)


def cases_of(store: Store, listed: Sequence[Listed], finished: set[int]) -> Cases:
    """Return all cases as a source of Ray's."""
    return Cases(store, listed, finished)


class _Listing:
    """Gives the table of parts, which is made when this is sent."""

    __name__ = "cases"  # by which Ray calls it where it is large

    def __init__(self, cases: Cases, parts: Sequence[int]) -> None:
        self._cases, self._parts = cases, parts

    def __call__(self) -> list[Any]:
        return [self._cases.table(self._parts)]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Given, (self._cases.table(self._parts),)


class _Given:
    """Gives a table back."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __call__(self) -> list[Any]:
        return [self.table]

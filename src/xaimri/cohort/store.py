"""The rows of a cohort as Parquet files, one for each part of its cases: finished where the file is there."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from xaimri.cohort.manifest import Manifest
from xaimri.cohort.place import Place
from xaimri.cohort.rows import Row
from xaimri.cohort.schema import COLUMNS, arrow, schema
from xaimri.explanation import Explanation

ROWS = "rows"
"""The folder of the Parquet files."""

PACKED = ("zstd", 1)
"""How columns are packed: quickly, as maps hardly become smaller."""


@runtime_checkable
class Kept(Protocol):
    """Rows that can be read: what is written of a cohort, or some of it."""

    @property
    def manifest(self) -> Manifest:
        """What was asked of which model and cases."""
        ...

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """Return columns of the rows as a table of Arrow."""
        ...

    def rows(self, columns: Sequence[str] = ...) -> Iterator[Row]:
        """Yield the rows in order, with these columns."""
        ...

    def explained(self, row: Row) -> Explanation:
        """Return the explanation of a row."""
        ...


@dataclass(frozen=True)
class Store:
    """Where a cohort's rows are, and of what they are."""

    place: Place
    manifest: Manifest

    @property
    def parts(self) -> int:
        """How many files all cases make."""
        return -(-self.manifest.count // self.manifest.together)

    def bounds(self, part: int) -> range:
        """Return which cases a part has, by their position."""
        first = part * self.manifest.together
        return range(first, min(first + self.manifest.together, self.manifest.count))

    def finished(self) -> set[int]:
        """Return the parts whose rows are there."""
        names = (
            name.removesuffix(".parquet") for name in self.place.names(ROWS) if name.endswith(".parquet")
        )
        return {int(name.removeprefix("part-")) for name in names if name.removeprefix("part-").isdigit()}

    def write(self, part: int, rows: Sequence[Row]) -> None:
        """Write the rows of a part, whole or not at all."""
        arrow()
        import pyarrow
        from pyarrow import parquet

        columns = {name: [row[name] for row in rows] for name in COLUMNS}
        table = pyarrow.table(columns, schema=schema(self.manifest.precision))
        buffer = io.BytesIO()
        kind, level = PACKED
        parquet.write_table(table, buffer, compression=kind, compression_level=level)
        self.place.write(f"{ROWS}/part-{part:06d}.parquet", buffer.getvalue())

    def dataset(self) -> Any:
        """Return the rows that are there as a data set of Arrow, which reads when it is asked."""
        arrow()
        return self.place.dataset(ROWS, schema(self.manifest.precision))

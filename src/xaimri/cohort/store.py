"""The rows of a cohort as Parquet files, one for each part of its cases: finished where the file is there."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xaimri import array_file
from xaimri.arrays import Array
from xaimri.cohort.manifest import Manifest, least_sure
from xaimri.cohort.part_files import (
    REMEDY,
    dataset_of,
    file_of,
    finished_in,
    packed,
    part_of,
    told_damage,
    unpacked,
)
from xaimri.cohort.place import Place
from xaimri.cohort.rows import Row
from xaimri.cohort.schema import COLUMNS, Precision, arrow, schema
from xaimri.errors import InvalidInput

ROWS = "rows"
"""The folder of the Parquet files."""

OTHER_ROWS = f"{{}} in {{}} holds other rows than that part of the cohort has: {REMEDY}."
"""Says that a file is not what it is called."""

LOOKED_AT = 16
"""Parts at most that are looked at for a case by which the model is known again."""

ARRAYS = "arrays.npz"
"""Beside the rows: the arrays that the methods' records name, where there are any."""


def table_of(rows: Sequence[Row], precision: Precision) -> Any:
    """Return rows as a table of Arrow."""
    arrow()
    import pyarrow

    return pyarrow.table({name: [row[name] for row in rows] for name in COLUMNS}, schema=schema(precision))


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

    def count(self, parts: Iterable[int]) -> int:
        """Return how many cases parts have together."""
        return sum(len(self.bounds(part)) for part in parts)

    def finished(self) -> set[int]:
        """Return the parts whose rows are there."""
        return finished_in(self.place, ROWS, self.parts)

    def failed(self) -> list[str]:
        """Return the cases that have a failure."""
        if not self.finished():
            return []
        from pyarrow import dataset

        chosen = dataset.field("failure").is_valid()
        names = self.table(["case"], chosen)["case"].to_pylist()
        return list(dict.fromkeys(names))

    def least_sure(self, passed: Collection[str] = ()) -> tuple[str, tuple[float, ...]] | None:
        """Return an explained case of which the model was least sure, and its logits; None without one.

        Some parts are looked at, so that a large cohort takes no longer. Cases can be passed over, such as
        those whose image may be another one now.
        """
        there = sorted(self.finished())
        if not there:
            return None
        from pyarrow import array, dataset, string

        parts = there[:: -(-len(there) // LOOKED_AT)]
        with told_damage(self.place, self.files(parts)):
            others = dataset.field("case").isin(array(list(passed), string()))
            explained = dataset.field("failure").is_null() & ~others
            rows = self._dataset_of(parts).to_table(columns=["case", "logits"], filter=explained)
        if not len(rows):
            return None
        row = least_sure(rows["logits"].to_pylist())
        return rows["case"][row].as_py(), tuple(rows["logits"][row].as_py())

    def explained(self) -> int:
        """Return how many rows have no failure."""
        from pyarrow import dataset

        return self.count_rows(dataset.field("failure").is_null())

    def clear(self) -> None:
        """Take all rows away."""
        for part in sorted(self.finished()):
            self.place.remove(file_of(ROWS, part))

    def write(self, part: int, rows: Sequence[Row]) -> None:
        """Write the rows of a part, whole or not at all."""
        self.write_file(part, packed(table_of(rows, self.manifest.precision)))

    def write_file(self, part: int, content: bytes) -> None:
        """Write the Parquet file of a part, whole or not at all."""
        self.place.write(file_of(ROWS, part), content)

    def read(self, part: int) -> Any:
        """Return the rows of a part as a table of Arrow.

        Raises
        ------
        InvalidInput
            If its file is gone or damaged, or holds other rows.
        """
        file = file_of(ROWS, part)
        table = unpacked(self.place, file)
        methods, count = list(self.manifest.methods), len(self.bounds(part))
        known = COLUMNS.keys() <= set(table.column_names)
        cases = table["case"].to_pylist() if known else []
        if not known or table["method"].to_pylist() != methods * count or len(set(cases)) != count:
            raise InvalidInput(OTHER_ROWS.format(file, self.place.name))
        return table

    def write_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Keep the arrays that the methods' records name, whole or not at all."""
        if arrays:
            buffer = io.BytesIO()
            array_file.write(buffer, arrays)
            self.place.write(ARRAYS, buffer.getvalue())

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """The arrays that the methods' records name, by their SHA-256.

        Raises
        ------
        InvalidInput
            If they are damaged.
        """
        content = self.place.read(ARRAYS)
        if content is None:
            return {}
        remedy = "give a folder that a cohort was written to."
        return array_file.read_stream(io.BytesIO(content), f"{ARRAYS} in {self.place.name}", remedy)

    def arrays_of(self, method: str) -> dict[str, Array]:
        """Return the arrays that the record of a method names."""
        told = json.dumps(dict(self.manifest.methods[method]))
        return {sha256: array for sha256, array in self.arrays.items() if sha256 in told}

    def table(self, columns: Sequence[str], chosen: Any = None) -> Any:
        """Return columns of the rows that are there as a table of Arrow, in order; none without a file."""
        with self._reading() as rows:
            if rows is None:
                return schema(self.manifest.precision).empty_table().select(list(columns))
            return rows.to_table(columns=list(columns), filter=chosen)

    def batches(self, columns: Sequence[str], chosen: Any = None) -> Iterator[Any]:
        """Yield columns of the rows that are there, few at a time, in order."""
        with self._reading() as rows:
            if rows is not None:
                self._check_files(rows)  # before a row is taken for one of the cohort's
                yield from rows.to_batches(columns=list(columns), filter=chosen, batch_size=8)

    def count_rows(self, chosen: Any = None) -> int:
        """Return how many rows are there."""
        with self._reading() as rows:
            return 0 if rows is None else int(rows.count_rows(filter=chosen))

    def files(self, parts: Iterable[int]) -> list[str]:
        """Return the names of the files of parts, in order."""
        return [file_of(ROWS, part) for part in sorted(parts)]

    def dataset(self) -> Any:
        """Return the rows that are there as a data set of Arrow, which reads when it is asked."""
        return self._dataset_of(self.finished())

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """Yield the data set of the rows that are there, None without a file; a damaged file is told."""
        parts = self.finished()
        if not parts:
            yield None
            return
        with told_damage(self.place, self.files(parts)):
            rows = self.dataset()
            try:
                yield rows
            except arrow().ArrowException:
                self._check_files(rows)
                raise
            self._check_files(rows)  # when all has been read: so it costs no more

    def _check_files(self, rows: Any) -> None:
        """See that every file has the columns and as many rows as its part of the cohort, once each.

        Raises
        ------
        InvalidInput
            If one is of something else, however it came to be called so.
        """
        methods = len(self.manifest.methods)
        for each in rows.get_fragments():
            name = each.path.replace("\\", "/").rpartition("/")[2]
            if name in self._checked:
                continue
            count = methods * len(self.bounds(part_of(name)))
            if each.metadata.num_rows != count or not COLUMNS.keys() <= set(each.physical_schema.names):
                raise InvalidInput(OTHER_ROWS.format(f"{ROWS}/{name}", self.place.name))
            self._checked.add(name)

    @cached_property
    def _checked(self) -> set[str]:
        return set()

    def _dataset_of(self, parts: Iterable[int]) -> Any:
        arrow()
        files = self.files(parts)
        with told_damage(self.place, files):
            return dataset_of(self.place, files, schema(self.manifest.precision))


@dataclass(frozen=True)
class Snapshot(Store):
    """The rows that are there when they are first asked for, and no others: a run may be writing on."""

    @cached_property
    def _then(self) -> tuple[frozenset[int], Any]:
        parts = frozenset(super().finished())
        return parts, self._dataset_of(parts) if parts else None

    def finished(self) -> set[int]:
        """Return the parts whose rows were there."""
        return set(self._then[0])

    def dataset(self) -> Any:
        """Return the rows that were there as a data set of Arrow."""
        found = self._then[1]
        return super().dataset() if found is None else found

"""The Parquet files of a cohort's parts: their names, how they are packed and read, and which is damaged."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xaimri.cohort.place import Place
from xaimri.cohort.schema import arrow
from xaimri.errors import InvalidInput, StorageFault, first_line

PACKED: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
"""How columns are packed: quickly, as maps hardly become smaller, and so that a flipped bit is seen."""

REMEDY = "remove it, and the same call makes it anew"
"""What to do about a file that can't be used."""


def file_of(folder: str, part: int) -> str:
    """Return the name of a part's file."""
    return f"{folder}/part-{part:06d}.parquet"


def part_of(name: str) -> int:
    """Return the part whose file has a name.

    Examples
    --------
    >>> part_of("part-000012.parquet")
    12
    """
    return int(name.removeprefix("part-").removesuffix(".parquet"))


def finished_in(place: Place, folder: str, parts: int) -> set[int]:
    """Return those of so many parts whose files are in a folder; other files are none of the cohort's."""
    names = set(place.names(folder))
    return {part for part in range(parts) if file_of("", part)[1:] in names}


def packed(table: Any) -> bytes:
    """Return a table of Arrow as the content of a Parquet file; a map's values seldom come again."""
    import pyarrow
    from pyarrow import parquet

    buffer = io.BytesIO()
    words = [field.name for field in table.schema if pyarrow.types.is_string(field.type)]
    parquet.write_table(table, buffer, use_dictionary=words, **PACKED)
    return buffer.getvalue()


def unpacked(place: Place, file: str) -> Any:
    """Return the content of a Parquet file as a table of Arrow.

    Raises
    ------
    InvalidInput
        If it is gone, or damaged.
    """
    arrow()
    from pyarrow import parquet

    content = place.read(file)
    if content is None:
        raise InvalidInput(f"{file} in {place.name} is gone: run the cohort again.")
    with told_damage(place, [file]):
        return parquet.read_table(io.BytesIO(content), page_checksum_verification=True)


def dataset_of(place: Place, files: Sequence[str], schema: Any) -> Any:
    """Return Parquet files as a data set of Arrow; the checksums that they hold are checked."""
    from pyarrow import dataset

    options = dataset.ParquetFragmentScanOptions(page_checksum_verification=True)
    checked = dataset.ParquetFileFormat(default_fragment_scan_options=options)
    return place.dataset(files, schema, checked)


@contextmanager
def told_damage(place: Place, files: Sequence[str]) -> Iterator[None]:
    """Say which file is damaged where Arrow can't read on.

    Raises
    ------
    InvalidInput
        If one is; what else stands against reading is a `StorageFault`.
    """
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError) as fault:
        damaged = _damaged(place, files)
        why = first_line(fault).rstrip(".")
        if damaged is None:
            raise StorageFault(f"the rows in {place.name} can't be read ({why}): check the place.") from fault
        raise InvalidInput(f"{damaged} in {place.name} is damaged ({why}): {REMEDY}.") from fault


def _damaged(place: Place, files: Sequence[str]) -> str | None:
    """Return the first file that is there and can't be read whole."""
    import pyarrow
    from pyarrow import parquet

    for file in files:
        content = place.read(file)
        try:
            if content is not None:
                parquet.read_table(io.BytesIO(content), page_checksum_verification=True)
        except (pyarrow.ArrowException, OSError):
            return file
    return None

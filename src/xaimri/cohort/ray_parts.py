"""The part of a cohort as a table that says which it is, and as the file that it becomes."""

from __future__ import annotations

import json
from typing import Any

from xaimri.cohort.place import Folder
from xaimri.cohort.store import Store
from xaimri.errors import InvalidInput, XaimriError, first_line

PART = b"xaimri_part"
"""Where a table's schema says which part of the cohort it is."""

CHECKPOINT = "checkpoint"
"""The folder of Ray's own record of what is finished; it goes when all is."""

END = b"PAR1"
"""How every whole Parquet file ends."""


def marked(table: Any, part: int, cases: int) -> Any:
    """Return a table of rows that says which part it is, how many cases it has and how many rows."""
    failures = len(table) - table["failure"].null_count
    told = {"part": part, "cases": cases, "rows": len(table), "failures": failures}
    kept = table.schema.metadata or {}
    return table.replace_schema_metadata({**kept, PART: json.dumps(told).encode()})


def packed(what: object, name: str) -> bytes:
    """Return something as it is sent to other processes.

    Raises
    ------
    InvalidInput
        If it can't be sent.
    """
    import ray.cloudpickle as pickle

    try:
        sent: bytes = pickle.dumps(what)
    except Exception as fault:
        raise InvalidInput(
            f"{name} can't be sent to Ray's workers ({first_line(fault)}): give a path, or what can be "
            "pickled."
        ) from fault
    return sent


def arrow_place(store: Store) -> tuple[Any, str]:
    """Return a place as a file system of Arrow, and the path there."""
    from pyarrow import fs

    place: Any = store.place
    if isinstance(place, Folder):
        return fs.LocalFileSystem(), str(place.path.absolute())
    return fs.PyFileSystem(fs.FSSpecHandler(place.files)), place.root


def write_part(store: Store, notes: Any, content: bytes) -> None:
    """Write a whole Parquet file under its part's name; one that is not whole is left out.

    Raises
    ------
    StorageFault
        If the place can't be written.
    """
    import pyarrow
    import ray
    from pyarrow import parquet

    if not content.endswith(END):  # whoever wrote it says why it ends early
        return
    file = parquet.ParquetFile(pyarrow.BufferReader(content))
    told = json.loads(file.schema_arrow.metadata[PART])
    if file.metadata.num_rows != told["rows"]:
        raise RuntimeError(f"Ray cut part {told['part']} in pieces: {file.metadata.num_rows} rows of it")
    if not ray.get(notes.missing.remote([told["part"]])):  # raises where the run has ended
        return
    try:
        store.write_file(told["part"], content)
    except XaimriError as fault:
        notes.stop.remote(fault)
        raise
    ray.get(notes.written.remote(told["part"], told["cases"], told["failures"]))

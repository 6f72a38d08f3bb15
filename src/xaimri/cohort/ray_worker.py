"""What Ray's processes do: read the images of a part, explain them, and note what is done."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from xaimri.cohort.cases import Listed
from xaimri.cohort.ray_parts import marked
from xaimri.cohort.schema import schema
from xaimri.cohort.store import table_of
from xaimri.cohort.work import Read, Work, read_case, refuse_hopeless
from xaimri.errors import XaimriError, first_line
from xaimri.images.intake import Intake

THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says how many threads a process takes, before its libraries are loaded."""

DEATHS = 3
"""Workers that may die while they open the model, before any has opened it."""


class Notes:
    """What is known of a run: parts that are written, their failures, and why it is to stop."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, int]] = {}
        self._late: set[int] = set()
        self._reason: Exception | None = None
        self._begun = self._opened = 0

    def written(self, part: int, cases: int, failures: int) -> None:
        """Note a part whose file is there."""
        self._parts[part] = (cases, failures)

    def stop(self, reason: Exception) -> None:
        """Let every worker leave out what is not begun; the first reason counts."""
        self._reason = self._reason or reason

    def opening(self) -> tuple[int, int]:
        """Note that a worker opens the model; return how many have died at that, and how many opened it."""
        self._begun += 1
        return self._begun - 1 - self._opened, self._opened

    def opened(self) -> None:
        """Note that a worker has opened the model."""
        self._opened += 1

    def missing(self, parts: Sequence[int]) -> list[int]:
        """Return which of these parts are not written."""
        return [part for part in parts if part not in self._parts]

    def late(self, part: int) -> None:
        """Note a part that took too long: only its cases are tried again."""
        self._late.add(part)

    def goes_on(self, part: int | None = None) -> bool:
        """Tell whether there is no reason to stop, or to leave out this part."""
        return self._reason is None and part not in self._late

    def state(self) -> tuple[int, int, Exception | None]:
        """Return how many cases are written, how many of their rows are failures, and why it is to stop."""
        cases = sum(each for each, _ in self._parts.values())
        return cases, sum(each for _, each in self._parts.values()), self._reason


def read_listed(cases: Sequence[Listed], intake: Intake) -> list[Read]:
    """Read the images of cases; what is sent on has each image once."""
    read = [read_case(one, intake) for one in cases]
    return [replace(one, listed=replace(one.listed, image=None)) for one in read]


@contextmanager
def at_most(seconds: float | None, late: Callable[[], object]) -> Iterator[None]:
    """Call a function and end this process if what is in the block takes longer."""
    if seconds is None:
        yield
        return

    def end() -> None:
        late()
        os._exit(1)

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def read_batch(batch: Any, intake: bytes, timeout: float | None) -> Any:
    """Return parts with what their images are read as, in place of where they are."""
    import pyarrow
    import ray.cloudpickle as pickle

    how = pickle.loads(intake)
    read = []
    for each in batch["cases"]:
        cases = pickle.loads(each.as_py())
        with at_most(None if timeout is None else timeout * len(cases), lambda: None):
            read.append(pickle.dumps(read_listed(cases, how)))
    place = batch.column_names.index("cases")
    return batch.set_column(place, "cases", pyarrow.array(read, pyarrow.large_binary()))


def opened(parcel: Sequence[Any], threads: int) -> Work:
    """Open the model that was sent, in a process of so many threads."""
    for name in THREADS:
        os.environ[name] = str(threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    import ray
    import ray.cloudpickle as pickle

    work: Work = pickle.loads(ray.get(parcel[0]))
    return work


class Explaining:
    """Holds the model, and explains part by part."""

    def __init__(
        self,
        parcel: Sequence[Any],
        notes: Any,
        threads: int,
        first: int | None,
        workers: int,
        timeout: float | None,
    ) -> None:
        import ray

        self._ray, self._notes, self._first, self._timeout = ray, notes, first, timeout
        dead, alive = ray.get(notes.opening.remote())
        if not alive and dead >= DEATHS + workers:
            fault = XaimriError(
                f"the {workers} workers die while they open the model: is there memory for it in each? Ask "
                "for fewer."
            )
            ray.get(notes.stop.remote(fault))
            raise fault
        try:
            self._work = opened(parcel, threads)
        except Exception as fault:
            told = XaimriError(f"a worker of Ray can't open the model ({first_line(fault)}): is all there?")
            ray.get(notes.stop.remote(told))
            raise
        notes.opened.remote()

    def __call__(self, batch: Any) -> Any:
        """Return the rows of a part, as a table that says which part it is."""
        import ray.cloudpickle as pickle

        ray, notes = self._ray, self._notes
        (part,) = batch["part"].to_pylist()
        precision = self._work.manifest.precision
        if not ray.get(notes.goes_on.remote(part)):
            return schema(precision).empty_table()
        cases = pickle.loads(batch["cases"][0].as_py())
        try:
            with at_most(self._limit(len(cases)), lambda: ray.get(notes.late.remote(part))):
                rows = self._work.rows(cases, lone_stops=part == self._first)
            if part == self._first:
                refuse_hopeless(rows)
        except MemoryError:
            raise  # its cases are tried alone
        except Exception as fault:
            ray.get(notes.stop.remote(fault))
            return schema(precision).empty_table()
        return marked(table_of(rows, precision), part, len(cases))

    def _limit(self, cases: int) -> float | None:
        """Return how long so many cases may take."""
        return None if self._timeout is None else self._timeout * cases * len(self._work.explainers)


class Alone:
    """Holds the model, and explains one case at a time, of a part that ended its worker."""

    def __init__(self, parcel: Sequence[Any], threads: int) -> None:
        self._work = opened(parcel, threads)

    def ready(self) -> bool:
        """Say that the model is open."""
        return True

    def rows(self, read: Sequence[Read], method: str) -> list[dict[str, Any]]:
        """Return the row of a case by one method."""
        return self._work.only(method).rows(read)

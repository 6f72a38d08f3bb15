"""Cases of parts that ended their worker: each is tried alone, and the one at fault becomes a row."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from xaimri.cohort.cases import Listed
from xaimri.cohort.engine import RayEngine
from xaimri.cohort.isolation import lost_failure
from xaimri.cohort.ray_worker import Alone, read_listed
from xaimri.cohort.sameness import stamp_of
from xaimri.cohort.store import Store
from xaimri.cohort.work import Read, Work
from xaimri.cohort.worker import Lost

STARTS = 120.0
"""Seconds that a process may take to start before it reads: on a drive that is shared, it takes many."""


@dataclass(frozen=True, eq=False)
class AloneRun:
    """How cases are tried alone.

    Attributes
    ----------
    ray, parcel, notes
        Ray; the model that was sent, in a list, as Ray would unpack it; the actor that notes what is done.
    engine
        What a worker takes.
    where
        Options that say where images can be read.
    store, work
        Where rows are written, and what makes the row of a case that was set aside.
    listed
        All cases.
    timeout
        Seconds that reading a case, or explaining it by one method, may take.
    """

    ray: Any
    parcel: Any
    notes: Any
    engine: RayEngine
    where: dict[str, Any]
    store: Store
    work: Work
    listed: Sequence[Listed]
    timeout: float | None

    def parts(self, parts: Sequence[int], workers: int) -> None:
        """Do parts, several at a time; what goes wrong but for a worker's death is raised."""
        left: queue.SimpleQueue[int] = queue.SimpleQueue()
        for part in parts:
            left.put(part)
        faults: list[BaseException] = []

        def work() -> None:
            try:
                one = self._worker()
                while not faults and self.ray.get(self.notes.goes_on.remote()):
                    self._part(left.get_nowait(), one)
            except queue.Empty:
                pass
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(parts)))]
        for each in threads:
            each.start()
        for each in threads:
            while each.is_alive():
                each.join(0.2)  # so that Ctrl-C is heard
        if faults:
            raise faults[0]

    def _worker(self) -> Any:
        actor = self.ray.remote(Alone).options(
            num_cpus=self.engine.threads, num_gpus=self.engine.gpus, max_restarts=-1, max_task_retries=1
        )
        return actor.remote(self.parcel, self.engine.threads)

    def _part(self, part: int, worker: Any) -> None:
        places = self.store.bounds(part)
        rows = [row for place in places for row in self._rows(self.listed[place], worker)]
        self.store.write(part, rows)
        failures = sum(row["failure"] is not None for row in rows)
        self.ray.get(self.notes.written.remote(part, len(places), failures))

    def _rows(self, one: Listed, worker: Any) -> list[dict[str, Any]]:
        """Return the rows of a case; its image is read once, and each method has its turn."""
        reading = self.ray.remote(read_listed).options(num_cpus=0, max_retries=1, **self.where)
        case, methods = one.about.case, tuple(self.work.explainers)
        try:
            read = self._got(reading.remote([one], self.work.model.intake), STARTS)
        except Lost as lost:
            unread = Read(
                replace(one, image=None), lost_failure(case, "read", lost), None, stamp_of(one.image)
            )
            return self.work.rows([unread])
        found = []
        for name in methods:
            try:
                self.ray.get(worker.ready.remote())
                found += self._got(worker.rows.remote(read, name), 0.0, worker)
            except Lost as lost:
                failed = replace(read[0], taken=lost_failure(case, "explain", lost))
                found += self.work.only(name).rows([failed])
        return found

    def _got(self, answer: Any, more: float, worker: Any = None) -> Any:
        """Return what a process answers, which may take so many seconds more than the timeout.

        Raises
        ------
        Lost
            If it died over it, or took too long and was ended.
        """
        errors = self.ray.exceptions
        try:
            return self.ray.get(answer, timeout=None if self.timeout is None else self.timeout + more)
        except errors.GetTimeoutError as late:
            if worker is None:
                self.ray.cancel(answer, force=True)
            else:
                self.ray.kill(worker, no_restart=False)
            raise Lost(f"took more than {self.timeout:g} s", late=True) from late
        except errors.RayTaskError as fault:
            raise fault.cause from fault
        except (errors.RayActorError, errors.WorkerCrashedError, errors.OutOfMemoryError) as gone:
            raise Lost("ended its worker") from gone

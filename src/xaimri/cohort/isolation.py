"""Parts explained in a process of their own: a case that ends it, or hangs, is tried alone and set aside."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from xaimri.cohort.cases import Listed
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.request import Probed, probed
from xaimri.cohort.sameness import image_sha256, stamp_of
from xaimri.cohort.work import Aside, Read, Work
from xaimri.cohort.worker import Lost, Worker
from xaimri.errors import MissingCapability, MissingExtra
from xaimri.explainer import Explainer
from xaimri.failure import Failure, Stage
from xaimri.model import Model

Rows: TypeAlias = list[dict[str, Any]]

SURE = 2
"""Runs that are killed at one place before a case is suspected that can't be explained in another process."""

PATIENCE = 5.0
"""How many times as long as the slowest part before it a part may take, before its cases are tried alone."""


@dataclass
class Bench:
    """What a worker holds: the model and methods, and the case that is tried alone."""

    model: Model
    explainers: Mapping[str, Explainer[Any]]
    alone: Read | None = None

    def work(self, manifest: Manifest) -> Work:
        """Return the work by all methods."""
        return Work(self.model, self.explainers, manifest)


@dataclass
class Isolated:
    """Explains parts of a cohort in another process.

    A part whose cases end the process, or take too long, is gone through case by case, first its image and
    then each method: what ends the process again is a row with its sentence. The part is then done without
    it, so that the other rows are those of a part where it could not be read.

    Attributes
    ----------
    bench
        The model and the methods, which are sent once.
    timeout
        Seconds that reading a case, or explaining it by one method, may take; None for ever.
    slowest
        Seconds of the slowest part that went well.
    """

    bench: Bench
    timeout: float | None = None
    slowest: float = field(default=math.inf, init=False)
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(self.bench)

    def probe(self, one: Listed) -> Probed | None:
        """Return what the model says of a case; None where that can't be, or ended the process."""
        try:
            return self.worker.ask(_probe, one, seconds=self.timeout)
        except Lost:
            return None

    def rows(self, manifest: Manifest, cases: Sequence[Listed], *, lone_stops: bool = False) -> Rows:
        """Return a row for every case and method, case by case."""
        tasks, begun = len(cases) * (1 + len(manifest.methods)), time.monotonic()
        try:
            rows = self.worker.ask(_rows, manifest, cases, {}, lone_stops, seconds=self._limit(tasks))
        except Lost:
            found, aside = self._alone(manifest, cases)
        else:
            took = time.monotonic() - begun
            self.slowest = took if self.slowest == math.inf else max(self.slowest, took)
            return rows
        try:
            most = None if self.timeout is None else self.timeout * tasks
            return self.worker.ask(_rows, manifest, cases, aside, seconds=most)
        except Lost:  # together they are too much
            return [row for rows in found for row in rows]

    def close(self) -> None:
        """End the process."""
        self.worker.close()

    def _alone(self, manifest: Manifest, cases: Sequence[Listed]) -> tuple[list[Rows], Aside]:
        """Try each case alone; return their rows, and what is set aside."""
        aside: dict[tuple[str, str | None], Failure] = {}
        found = []
        for one in cases:
            case, rows = one.about.case, list[dict[str, Any]]()
            try:
                self.worker.ask(_read, manifest, one, seconds=self.timeout)
            except Lost as lost:
                aside[case, None] = lost_failure(case, "read", lost)
            for name in manifest.methods:
                try:
                    if (case, None) not in aside:
                        rows += self.worker.ask(_row, manifest, one, name, seconds=self.timeout)
                        continue
                except Lost as lost:
                    aside[case, name] = lost_failure(case, "explain", lost)
                rows += self._set_aside(manifest, one, name, aside)
            found.append(rows)
        return found, aside

    def _set_aside(self, manifest: Manifest, one: Listed, name: str, aside: Aside) -> Rows:
        """Return the row of what ended the process; its image is not read."""
        failure = aside.get((one.about.case, None)) or aside[one.about.case, name]
        read = Read(one, failure, image_sha256(one.image, failure), stamp_of(one.image))
        return self.bench.work(manifest).only(name).rows([read])

    def _limit(self, tasks: int) -> float | None:
        """Return how long a part may take: what its cases may, or sooner, by what the others took."""
        if self.timeout is None:
            return None
        return min(self.timeout * tasks, max(self.timeout, PATIENCE * self.slowest))


def isolation(
    bench: Bench, timeout: float | None, *, always: bool, retry: bool, deaths: int
) -> Isolated | None:
    """Return what explains in a process of its own; None where that isn't needed, or can't be.

    Parameters
    ----------
    bench, timeout
        As of `Isolated`.
    always, retry
        Whether all cases are explained so, or those that failed.
    deaths
        How many runs were killed before another part was finished.

    Raises
    ------
    MissingCapability, MissingExtra
        If it can't be, and is asked for, or a case seems to have killed two runs.
    """
    if not (always or retry or deaths):
        return None
    try:
        found = Isolated(bench, timeout)
        if not always:  # what can't be opened there is explained here
            found.worker.open()
        return found
    except (MissingCapability, MissingExtra) as fault:
        if always:
            raise
        if deaths < SURE:
            return None
        raise MissingCapability(
            f"{deaths} runs were killed here before they finished another part; a process of its own would "
            f"find the case that is at fault, but {fault}"
        ) from fault


def lost_failure(case: str, stage: Stage, lost: Lost) -> Failure:
    """Return what is told of a case whose worker was lost, alone too."""
    what = "reading" if stage == "read" else "explaining"
    remedy = "give a longer `timeout`" if lost.late else "check the file"
    return Failure(case, stage, f"{what} it {lost}, alone too: {remedy}, or take the case out.")


def _probe(bench: Bench, one: Listed) -> Probed | None:
    return probed(bench.model, one)


def _rows(
    bench: Bench, manifest: Manifest, cases: Sequence[Listed], aside: Aside, lone_stops: bool = False
) -> Rows:
    """Return the rows of a part."""
    work = bench.work(manifest)
    return work.rows(work.read(cases, aside), aside, lone_stops=lone_stops)


def _read(bench: Bench, manifest: Manifest, one: Listed) -> None:
    """Read a case that is tried alone, and hold it."""
    (bench.alone,) = bench.work(manifest).read([one])


def _row(bench: Bench, manifest: Manifest, one: Listed, name: str) -> Rows:
    """Return the row by one method of a case that is tried alone; a new process reads it again."""
    if bench.alone is None or bench.alone.listed.about.case != one.about.case:
        _read(bench, manifest, one)
    assert bench.alone is not None
    return bench.work(manifest).only(name).rows([bench.alone])

"""Which parts of a cohort are to be done, in which process, and their rows one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xaimri.ahead import read_ahead, side_by_side
from xaimri.cohort.cases import Listed
from xaimri.cohort.isolation import Isolated, Rows
from xaimri.cohort.store import Store
from xaimri.cohort.work import Read, Work

SUSPECTS = 3
"""Parts that were at work when a run was killed: two were explained, and the next was read."""


@dataclass(frozen=True)
class Plan:
    """Parts that are to be done.

    Attributes
    ----------
    apart
        In a process of their own, first.
    here
        In this one.
    """

    apart: Sequence[int]
    here: Sequence[int]

    @property
    def all(self) -> Sequence[int]:
        """In the order in which they are done."""
        return [*self.apart, *self.here]


def plan(store: Store, listed: Sequence[Listed], *, isolated: bool, retry_failed: bool, killed: bool) -> Plan:
    """Return what is left to do.

    Parameters
    ----------
    store, listed
        What is finished, and all cases.
    isolated
        Whether all is done in a process of its own.
    retry_failed
        Whether parts with failures are done again: apart, as a failure may end its process.
    killed
        Whether the run before was killed: what it was at is done apart.
    """
    finished = store.finished()
    left = [part for part in range(store.parts) if part not in finished]
    again = list[int]()
    if retry_failed:
        place = {one.about.case: number for number, one in enumerate(listed)}
        again = sorted({place[case] // store.manifest.together for case in store.failed()})
    most = len(left) if isolated else SUSPECTS if killed else 0
    return Plan([*again, *left[:most]], left[most:])


def rows_of_parts(
    store: Store, listed: Sequence[Listed], wanted: Plan, work: Work, apart: Isolated | None
) -> Iterator[tuple[int, Rows]]:
    """Yield each part with its rows; in this process, the next are read and explained beside it."""
    nothing_done = not store.finished()

    def cases_of(part: int) -> list[Listed]:
        return [listed[place] for place in store.bounds(part)]

    def read(part: int) -> list[Read]:
        return work.read(cases_of(part))

    here = wanted.all
    if apart is not None:
        here = wanted.here
        for part in wanted.apart:
            first = nothing_done and part == wanted.all[0]
            yield part, apart.rows(store.manifest, cases_of(part), lone_stops=first)
        apart.close()

    def rows(item: tuple[int, list[Read]]) -> tuple[int, Rows]:
        part, cases = item
        return part, work.rows(cases, lone_stops=nothing_done and part == wanted.all[0])

    yield from side_by_side(read_ahead(here, read), rows, work.at_once)

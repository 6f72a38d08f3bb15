"""One run a place, where no lock of the system keeps others out: leases, which end by themselves.

A run writes a lease of its own, then lists all. Where it stands alone the place is the run's; else it takes
its lease back. Of two at one moment the later listing shows both, so that never both go on; this needs no
more of a store than that a listing shows what was written before. A lease is renewed by a thread, and ends
when that stops: by its time, or at once where its process is seen to be dead.
"""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from xaimri.errors import StorageFault

LEASES = "leases"
"""The folder of the leases."""

LASTS = 600.0
"""Seconds until a lease ends that is not renewed. Clocks of machines may be five sixths of it apart."""

RENEWED = 6
"""How often it is renewed in this time."""

ROUNDS = 8
"""How often runs that begin at one moment try again, at random moments."""

SETTLE = 0.1
"""Seconds between the first two of these, on average; twice as many with each."""

APART = 4
"""How many times as long as asking took they are at least, or runs at a slow store would meet each time."""


@runtime_checkable
class Files(Protocol):
    """What keeps leases."""

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder below; none where it is missing."""
        ...


@dataclass(frozen=True)
class Lease:
    """Who writes at a place, and until when.

    Attributes
    ----------
    host, process
        Where it runs, and its number there.
    machine, born
        What tells this machine since it was started, and the processes that see each other, from others; and
        when the process began, as the system counts: empty where that is not known.
    until
        When it ends, in seconds since 1970.
    held
        Whether the place is its own; before that it asks.
    """

    host: str
    process: int
    machine: str
    born: str
    until: float
    held: bool = False

    @classmethod
    def own(cls) -> Lease:
        """Return one of this process."""
        number = os.getpid()
        return cls(socket.gethostname(), number, _machine(), _born(number), time.time() + LASTS)

    @classmethod
    def of(cls, content: bytes | None) -> Lease | None:
        """Return what is written; None where it is gone or no lease."""
        with suppress(ValueError, TypeError, KeyError):
            told = json.loads(content or b"")
            return cls(
                **{each.name: told[each.name] for each in fields(cls)} | {"until": float(told["until"])}
            )
        return None

    @property
    def over(self) -> bool:
        """Whether it has ended: by its time, or as its process is seen to be dead."""
        if self.until < time.time():
            return True
        return bool(self.machine) and self.machine == _machine() and self.born != _born(self.process)


@contextmanager
def leased(place: Files) -> Iterator[Callable[[], None]]:
    """Keep other runs out of a place; yield what tells whether it is still this run's.

    Raises
    ------
    StorageFault
        If another run is there.
    """
    holder = _Holder(place)
    holder.take()
    ended = threading.Event()
    thread = threading.Thread(target=holder.keep, args=(ended,), name="lease", daemon=True)
    thread.start()
    try:
        yield holder.check
    finally:
        ended.set()
        thread.join()
        with suppress(StorageFault):  # it ends by itself
            holder.leave()


def live_leases(place: Files) -> dict[str, Lease]:
    """Return the leases that have not ended, by the names of their files."""
    found = {name: Lease.of(place.read(f"{LEASES}/{name}")) for name in place.names(LEASES)}
    return {name: one for name, one in found.items() if one is not None and not one.over}


@dataclass
class _Holder:
    """A run that holds a place, or wants to."""

    place: Files
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    lease: Lease = field(default_factory=Lease.own)
    lost: bool = False

    @property
    def _file(self) -> str:
        return f"{LEASES}/{self.key}.json"

    def take(self) -> None:
        """Take the place, or say who has it."""
        others: dict[str, Lease] = {}
        for again in range(ROUNDS):
            begun = time.monotonic()
            self._write(Lease.own())
            others = self._others()
            if not others and not self.lease.over:
                self._write(replace(self.lease, held=True))
                self.check()
                return
            self.leave()
            if any(each.held for each in others.values()):
                break
            took = time.monotonic() - begun
            time.sleep(random.uniform(0, 2 * max(SETTLE * 2**again, APART * took)))
        raise StorageFault(self._taken(others))

    def keep(self, ended: threading.Event) -> None:
        """Renew the lease until the end; where the store can't be reached, another time."""
        while not self.lost and not ended.wait(LASTS / RENEWED):
            with suppress(StorageFault):
                self._write(replace(self.lease, until=time.time() + LASTS))

    def check(self) -> None:
        """See that the place is still this run's."""
        self.lost = self.lost or self.lease.until < time.time()
        if self.lost:
            raise StorageFault(
                f"the run could not renew its lease on {self.place.name} in time, so that another one may be "
                "there now: see that the place can be reached, and give the same command again."
            )

    def leave(self) -> None:
        """Give the place back."""
        self.place.remove(self._file)

    def _write(self, lease: Lease) -> None:
        """Write the lease; what comes too late is not believed, as another run may have come between."""
        self.place.write(self._file, json.dumps(asdict(lease)).encode())
        self.lost = self.lost or (lease.held and self.lease.until < time.time())
        self.lease = lease

    def _others(self) -> dict[str, Lease]:
        """Return the other leases that have not ended; those that have are removed."""
        found = {}
        for name in self.place.names(LEASES):
            if name == f"{self.key}.json":
                continue
            other = Lease.of(self.place.read(f"{LEASES}/{name}"))
            if other is not None and not other.over:
                found[name] = other
            elif other is not None:
                self.place.remove(f"{LEASES}/{name}")
        return found

    def _taken(self, others: dict[str, Lease]) -> str:
        if not others:
            return f"{self.place.name} answers too slowly to be held: see that it can be reached."
        other = max(others.values(), key=lambda each: (each.held, each.until))
        return (
            f"another run is writing into {self.place.name} (process {other.process} on {other.host}): wait, "
            f"give another place, or if it is dead go on in {max(1.0, other.until - time.time()):.0f} s."
        )


def _machine() -> str:
    """Return what tells this machine since its start, and its processes, from others; empty elsewhere."""
    with suppress(OSError):
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _born(process: int) -> str:
    """Return when a process began; empty where there is none."""
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]

"""A lease: of two runs at one moment one gets the place, and a dead one's is none."""

import json
import multiprocessing
import os
import threading
import time
from dataclasses import asdict, replace
from types import SimpleNamespace
from uuid import uuid4

import pytest

import killers
from buckets import bucket
from xaimri.cohort import lease as leases
from xaimri.cohort.lease import LASTS, LEASES, Lease
from xaimri.cohort.place import Folder, place_of
from xaimri.errors import StorageFault

pytest.importorskip("fsspec")


@pytest.fixture
def place():
    return place_of(f"memory://{uuid4().hex}")


@pytest.fixture(scope="module")
def store():
    with bucket() as address:
        yield address


def told(lease):
    return json.dumps(asdict(lease)).encode()


def other(**changes):
    """Return the lease of a run elsewhere."""
    return replace(Lease.own(), host="ward-3", machine="another", held=True, **changes)


def race(address, runs):
    """Have runs begin at one moment; tell how many got the place, how many at a time, and if others know."""
    start, ended = threading.Barrier(runs), threading.Event()
    inside, most, refused = [], [], []

    def run():
        start.wait()
        try:
            with place_of(address).held():
                inside.append(1)
                most.append(len(inside))
                ended.wait(20)
                inside.pop()
        except StorageFault as fault:
            refused.append("another run is writing" in str(fault))
        if len(refused) == runs - 1:
            ended.set()

    threads = [threading.Thread(target=run) for _ in range(runs)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return len(most), max(most, default=0), all(refused)


def test_of_runs_that_begin_at_one_moment_one_gets_the_place(monkeypatch):
    monkeypatch.setattr(leases, "SETTLE", 0.002)
    for number in range(20):
        assert race(f"memory://race{uuid4().hex}", 2 + number % 3) == (1, 1, True)


def test_of_two_that_ask_before_either_looks_one_gets_the_place(monkeypatch):
    monkeypatch.setattr(leases, "SETTLE", 0.002)
    plain, both, first = leases._Holder._others, threading.Barrier(2), threading.local()

    def others(self):
        if hasattr(first, "look"):
            return plain(self)
        first.look = True
        both.wait(20)
        found = plain(self)
        both.wait(20)
        return found

    monkeypatch.setattr(leases._Holder, "_others", others)
    assert race(f"memory://race{uuid4().hex}", 2) == (1, 1, True)


def test_runs_draw_as_far_apart_as_the_store_is_slow(place, monkeypatch):
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)

    def names(self, folder):
        now[0] += 3.0  # the store takes so long
        return plain(self, folder)

    plain = type(place).names
    monkeypatch.setattr(type(place), "names", names)
    monkeypatch.setattr(leases.random, "uniform", lambda low, high: high)
    clock = SimpleNamespace(time=time.time, sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr(leases, "time", clock)
    place.write(f"{LEASES}/a.json", told(replace(other(until=time.time() + 100), held=False)))
    with pytest.raises(StorageFault, match="another run is writing"):
        place.held().__enter__()
    assert slept == [max(24.0, 0.2 * 2**again) for again in range(8)]


@pytest.mark.slow
def test_of_runs_that_begin_at_one_moment_on_s3_one_gets_the_place(store):
    for number in range(6):
        assert race(f"{store}/race{number}", 2 + number % 2) == (1, 1, True)


def test_a_lease_keeps_others_out_until_it_is_given_back(place):
    with place.held() as check:
        (name,) = place.names(LEASES)
        with pytest.raises(StorageFault, match=rf"another run is writing .*process {os.getpid()} on "):
            place.held().__enter__()
        assert place.names(LEASES) == [name]
        assert place.busy()
        check()
    assert place.names(LEASES) == []
    assert not place.busy()
    with place.held():
        pass


def test_the_lease_of_a_run_elsewhere_holds_until_its_time_is_over(place, monkeypatch):
    now = time.time()
    monkeypatch.setattr(
        leases, "time", SimpleNamespace(time=lambda: now, sleep=time.sleep, monotonic=time.monotonic)
    )
    place.write(f"{LEASES}/a.json", told(other(until=now + 100)))
    with pytest.raises(StorageFault, match=r"on ward-3\): wait, give another place, or .* in 100 s"):
        place.held().__enter__()
    place.write(f"{LEASES}/a.json", told(other(until=now - 1)))
    with place.held():
        assert "a.json" not in place.names(LEASES)


def test_the_lease_of_a_process_that_is_dead_is_none(place):
    if not Lease.own().machine:
        pytest.skip("this system doesn't tell which processes live")
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    child.start()
    live = replace(Lease.own(), process=child.pid, born=leases._born(child.pid), held=True)
    place.write(f"{LEASES}/a.json", told(live))
    with pytest.raises(StorageFault, match=f"process {child.pid} on"):
        place.held().__enter__()
    child.kill()
    child.join()
    with place.held():
        pass
    again = replace(Lease.own(), born="1", held=True)  # another process got the number
    place.write(f"{LEASES}/b.json", told(again))
    with place.held():
        pass


def test_what_is_no_lease_stays_and_keeps_nobody_out(place):
    for number, content in enumerate((b"", b"{", b"[]", b'{"until": "soon"}')):
        place.write(f"{LEASES}/{number}.txt", content)
    with place.held():
        assert len(place.names(LEASES)) == 5


def test_a_lease_is_renewed_while_the_run_is_at_work(place, monkeypatch):
    monkeypatch.setattr(leases, "RENEWED", 100_000)
    with place.held() as check:
        (name,) = place.names(LEASES)
        first = Lease.of(place.read(f"{LEASES}/{name}"))
        for _ in range(1000):
            if (now := Lease.of(place.read(f"{LEASES}/{name}"))) != first:
                break
            time.sleep(0.02)
        assert now == replace(first, until=now.until)
        assert now.until > first.until
        check()


def test_a_lease_that_could_not_be_renewed_ends_the_run(place, monkeypatch):
    later = 0.0
    clock = SimpleNamespace(time=lambda: time.time() + later, sleep=time.sleep, monotonic=time.monotonic)
    monkeypatch.setattr(leases, "time", clock)
    with place.held() as check:
        later = LASTS + 1
        with pytest.raises(StorageFault, match="could not renew its lease"):
            check()
        with place_of(place.address).held() as others:
            others()
            with pytest.raises(StorageFault, match="could not renew its lease"):
                check()
        later = 0.0  # what is lost stays lost
        with pytest.raises(StorageFault, match="could not renew its lease"):
            check()


def test_a_lease_that_is_written_too_late_is_not_believed(place, monkeypatch):
    plain, later = type(place).write, 0.0
    clock = SimpleNamespace(time=lambda: time.time() + later, sleep=time.sleep, monotonic=time.monotonic)
    monkeypatch.setattr(leases, "time", clock)

    def slow(self, name, content):
        nonlocal later
        plain(self, name, content)
        later += LASTS + 1

    monkeypatch.setattr(leases, "SETTLE", 0.0)
    monkeypatch.setattr(type(place), "write", slow)
    with pytest.raises(StorageFault, match="answers too slowly"):
        place.held().__enter__()


def test_a_folder_without_locks_has_leases(tmp_path, monkeypatch):
    monkeypatch.setattr("xaimri.folder_lock.hold", lambda *_, **__: None)
    now = time.time()
    clock = SimpleNamespace(time=lambda: now, sleep=time.sleep, monotonic=time.monotonic)
    monkeypatch.setattr(leases, "time", clock)
    with Folder(tmp_path / "run").held() as check:
        assert len(Folder(tmp_path / "run").names(LEASES)) == 1
        with pytest.raises(StorageFault, match=rf"another run is writing .*{LASTS:.0f} s"):
            Folder(tmp_path / "run").held().__enter__()
        assert Folder(tmp_path / "run").busy()
        check()
    assert Folder(tmp_path / "run").names(LEASES) == []
    assert not Folder(tmp_path / "run").busy()


def test_a_folder_is_free_once_its_run_is_killed(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=killers.hold, args=(tmp_path, there))
    child.start()
    there.close()  # so that a child that dies is seen here
    assert here.recv() == "held"
    with pytest.raises(StorageFault, match="another process or thread is writing"):
        Folder(tmp_path).held().__enter__()
    child.kill()
    child.join()
    with Folder(tmp_path).held():
        pass

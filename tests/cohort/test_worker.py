"""A process of its own answers what it is asked, and how it ends is told."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import killers
from xaimri.cohort.worker import Lost, Worker
from xaimri.errors import MissingCapability

pytest.importorskip("loky")


@pytest.fixture
def worker():
    made = Worker({"held": 1})
    yield made
    made.close()


def test_it_answers_and_raises_and_starts_again_after_each_end(worker):
    def ask(held, what):
        if what == "fail":
            raise ValueError("no such thing")
        if what == "end":
            os._exit(7)
        if what == "sleep":
            time.sleep(600)
        held[what] = os.getpid()
        return held

    one = worker.ask(ask, "a")
    assert one["held"] == 1
    assert one["a"] not in (os.getpid(), None)
    with pytest.raises(ValueError, match="no such thing") as fault:
        worker.ask(ask, "fail")
    assert "in ask" in fault.value.__notes__[0]
    assert worker.ask(ask, "b") == {**one, "b": one["a"]}  # it is the same process, with what it holds
    with pytest.raises(Lost, match="ended its process by exit code 7") as lost:
        worker.ask(ask, "end")
    assert not lost.value.late
    other = worker.ask(ask, "a")
    assert other["a"] != one["a"]
    assert "b" not in other
    with pytest.raises(Lost, match=r"took more than 0\.5 s") as lost:
        worker.ask(ask, "sleep", seconds=0.5)
    assert lost.value.late
    assert worker.ask(ask, "a")["a"] != other["a"]


def test_what_cant_be_sent_is_refused_before_anything_is_started():
    with pytest.raises(MissingCapability, match=r"can't be sent to a process of its own \(cannot pickle"):
        Worker(threading.Lock())


def test_a_model_that_doesnt_open_there_is_told(worker):
    with pytest.raises(MissingCapability, match=r"opened in a process of its own \(it is gone\)"):
        Worker(killers.Unopened(killers.fail)).ask(print)
    with pytest.raises(MissingCapability, match="ended by exit code 5, while it opened the model"):
        Worker(killers.Unopened(killers.end)).ask(print)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are told by /proc")
def test_it_ends_with_the_process_that_asks_however_that_ends(tmp_path):
    def hang(_):
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(600)

    asking = os.fork()
    if not asking:
        Worker(None).ask(hang)
    until = time.monotonic() + 300
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)
    while is_alive(pid):
        assert time.monotonic() < until, "it outlives who asked"
        time.sleep(0.05)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

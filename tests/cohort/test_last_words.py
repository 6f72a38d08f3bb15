"""A process that ends without a word says why; one that leaves the block says nothing."""

import os
import signal
from pathlib import Path

import pytest

from children import processes, started

BLOCK = """
import os, signal, sys, time
from xaimri.cohort.last_words import last_words

try:
    with last_words("it ended."):
        {inside}
except KeyboardInterrupt:
    pass
print("after")
"""


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("os._exit(1)", "xaimri: it ended.\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "xaimri: it ended.\n"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "xaimri: it ended.\n"),
        ("pass", ""),
        ("raise KeyboardInterrupt", ""),
    ],
)
def test_what_ends_in_the_block_is_told(inside, said):
    with started(BLOCK.format(inside=inside)) as run:
        out, err = run.communicate(timeout=60)
    assert (err, out) == (said, "" if said else "after\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_the_group_does_not_end_who_tells(number):
    with started(BLOCK.format(inside="print(flush=True); time.sleep(60); os._exit(1)")) as run:
        assert run.stdout.readline() == "\n"
        os.killpg(run.pid, number)
        _, err = run.communicate(timeout=60)
    assert ("xaimri: it ended." in err) == (number == signal.SIGTERM)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found by /proc")
def test_who_tells_may_be_ended_by_somebody():
    below = "open(f'/proc/self/task/{os.getpid()}/children').read().split()"
    ended = f"[os.kill(int(each), 9) or time.sleep(1) for each in {below}]"
    with started(BLOCK.format(inside=ended)) as run:
        assert run.communicate(timeout=60) == ("after\n", "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")
def test_a_child_that_stays_does_not_hold_the_block():
    forked = "child = os.fork() or (time.sleep(60), os._exit(0)); print(child, flush=True)"
    with started(BLOCK.format(inside=forked)) as run:
        child = int(run.stdout.readline())
        assert run.stdout.readline() == "after\n"
        assert child in processes()
        os.kill(child, signal.SIGKILL)
        assert run.communicate(timeout=60) == ("", "")

import pickle
import threading
from contextlib import ExitStack

import pytest

from xaimri.cohort.shares import Shares


class Clock:
    def __init__(self):
        self.now = 5.0

    def __call__(self):
        return self.now


def test_each_has_its_share_of_the_clock():
    clock = Clock()
    shares = Shares(clock)
    with ExitStack() as second:
        with shares.one() as first_spent:
            clock.now += 3  # alone
            spent = second.enter_context(shares.one())
            clock.now += 4  # two at once
        clock.now += 1  # alone again
    assert (first_spent(), spent()) == (3 + 2, 2 + 1)


def test_what_nobody_worked_in_is_nobodys():
    clock = Clock()
    shares = Shares(clock)
    for _ in range(2):
        with shares.one() as spent:
            clock.now += 2
        clock.now += 100
        assert spent() == 2


def test_a_work_that_fails_is_no_longer_at_work():
    clock = Clock()
    shares = Shares(clock)
    with pytest.raises(OSError, match="full"), shares.one():
        raise OSError("full")
    with shares.one() as spent:
        clock.now += 2
    assert spent() == 2


def test_all_together_take_what_passed():
    clock = Clock()
    shares, told, turns = Shares(clock), [], threading.Barrier(3)

    def work():
        with shares.one() as spent:
            turns.wait()
            turns.wait()
        told.append(spent())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    turns.wait()
    clock.now += 6
    turns.wait()
    for thread in threads:
        thread.join()
    assert told == [3, 3]


def test_a_copy_begins_anew():
    with Shares().one():
        copy = pickle.loads(pickle.dumps(Shares()))
        with copy.one() as spent:
            pass
        assert 0 <= spent() < 5

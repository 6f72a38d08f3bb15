"""What is read ahead comes in order, one at a time, and an error where its item would come."""

import threading
import time
from contextvars import ContextVar

import pytest

from xaimri.ahead import read_ahead, side_by_side


def test_items_come_in_order_with_what_they_are_read_as():
    assert list(read_ahead(range(7), lambda n: n * n)) == [(n, n * n) for n in range(7)]
    assert list(read_ahead([], str)) == []


def test_the_next_one_is_read_while_the_first_is_worked_on_and_no_more():
    began = [threading.Event() for _ in range(4)]

    def read(number):
        began[number].set()
        return number

    ahead = read_ahead(range(4), read)
    assert next(ahead) == (0, 0)
    assert began[1].wait(60)
    assert not began[2].is_set()
    assert next(ahead) == (1, 1)
    assert began[2].wait(60)
    assert not began[3].is_set()


def test_an_error_comes_at_its_item_and_stops():
    def read(number):
        if number == 2:
            raise ValueError("the third")
        return number

    ahead = read_ahead(range(5), read)
    assert [next(ahead)[0], next(ahead)[0]] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(ahead)


def test_nothing_is_left_running_where_the_rest_is_not_wanted():
    ahead = read_ahead(range(5), str)
    next(ahead)
    ahead.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("read ahead")]


def test_what_is_made_side_by_side_comes_in_order_and_two_are_at_work_at_once():
    both = threading.Barrier(2)

    def work(number):
        if number in (1, 2):
            both.wait(60)  # passes only where two are at work
        return number * number

    assert list(side_by_side(range(7), work)) == [n * n for n in range(7)]
    assert list(side_by_side([], str)) == []


def test_the_first_is_at_work_alone():
    at_work, seen = [], []

    def work(number):
        at_work.append(number)
        if number == 0:
            time.sleep(0.05)
        seen.append((number, tuple(at_work)))

    list(side_by_side(range(3), work))
    assert seen[0] == (0, (0,))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_item_may_depend_on_what_was_yielded_before(threads):
    known = []

    def items():
        for number in range(6):
            yield number, tuple(known)

    for number, seen in side_by_side(items(), lambda one: one, threads):
        assert seen == tuple(range(max(number - threads + 1, min(number, 1))))
        known.append(number)


def test_an_error_of_one_side_by_side_comes_at_its_item():
    made = side_by_side(range(5), lambda number: 1 // (2 - number))
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)
    assert not [one for one in threading.enumerate() if one.name.startswith("side by side")]


def test_threads_side_by_side_know_what_their_caller_set():
    set_before = ContextVar("set_before", default=0)
    token = set_before.set(3)
    try:
        assert list(side_by_side(range(3), lambda n: n + set_before.get())) == [3, 4, 5]
    finally:
        set_before.reset(token)


def test_a_single_thread_is_the_callers_own_so_that_a_stop_ends_its_work_at_once():
    assert set(side_by_side(range(3), lambda _: threading.current_thread().name, 1)) == {"MainThread"}
    begun = []

    def work(number):
        begun.append(number)
        if number == 1:
            raise KeyboardInterrupt  # as Ctrl-C does, whose signal the main thread alone gets
        return number

    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(range(5), work, 1))
    assert begun == [0, 1]

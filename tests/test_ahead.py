"""What is read ahead comes in order, one at a time, and an error where its item would come."""

import threading

import pytest

from xaimri.ahead import read_ahead


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
    assert began[1].wait(10)
    assert not began[2].is_set()
    assert next(ahead) == (1, 1)
    assert began[2].wait(10)
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

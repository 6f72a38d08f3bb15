"""Rules for paths, lists, arrays, functions and objects: what is kept, and what is refused in which words."""

from pathlib import Path

import numpy as np
import pytest

from xaimri.errors import InvalidInput, shown
from xaimri.kinds import AnyOf, Anything, Entries, Function, Instance, Numeric, PathName, Several, Stream
from xaimri.rules import Name, Number, WholeNumber

FLOATS = Numeric("f", 2, False, "(height, width)")


def test_what_is_allowed_is_kept_as_what_it_is_meant_to_be():
    assert PathName().convert(Path("a"), "path") == Path("a")
    assert Several(WholeNumber()).convert(np.arange(2), "sizes") == [0, 1]
    assert Several(Number(), 2).convert((1, 2), "window") == (1.0, 2.0)
    assert Entries(Number()).convert({}, "weights") == {}
    assert Function(("path",)).convert(len, "subject") is len
    assert Instance(Path).convert(Path(), "path") == Path()
    assert AnyOf((Number(), Several(Number()))).convert([1], "absent") == [1.0]
    assert FLOATS.convert(np.ones((2, 3), np.uint8), "image").dtype == np.float32
    assert FLOATS.convert(np.ones((2, 3)), "image").dtype == np.float64
    assert Numeric("fiub", 2, False, "").convert(np.ones((2, 3), np.uint8), "source").dtype == np.uint8
    walked = iter([1])
    assert Stream().convert(walked, "many") is walked
    assert Anything().convert(walked, "thing") is walked


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        (PathName(), "", "must be a path, got ''"),
        (PathName(), "x" * 5000, "is not too long, got 'xxx"),
        (PathName(), "x" * 300, "is not too long"),
        (PathName(), "a\ud800", "has a name that no file can have"),
        (Several(Name()), {"a"}, "must be a list of names, got a set of 1"),
        (
            Several(Name()),
            np.ones((2, 2)),
            "must be a list of names, got an array of float64 of shape (2, 2)",
        ),
        (Several(Number(), 2), (1, 2, 3), "must be a list of 2 finite numbers, got (1, 2, 3)"),
        (Several(Number()), (0.5, "a"), "`it[1]` must be a finite number, got 'a'"),
        (Entries(Number()), {"a": None}, "`it['a']` must be a finite number, got None"),
        (Function(("path",)), lambda: None, "got a function"),
        (Function(), Path, "got the class Path"),
        (Instance(Path), Path, "must be a Path, got the class Path"),
        (FLOATS, np.ones(2), "must be an array of numbers with the axes (height, width), got an array of"),
        (FLOATS, np.full((2, 2), "a"), "got an array of <U1 of shape (2, 2)"),
        (FLOATS, [[1.0]], "got a list of 1"),
        (Stream(), "ab", "must be a list, got 'ab'"),
        (AnyOf((Number(), Name())), [], "must be a finite number or a name, got []"),
    ],
)
def test_what_is_no_such_thing_is_one_sentence(rule, value, words):
    with pytest.raises(InvalidInput) as refusal:
        rule.convert(value, "it")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.float32(2.5), "2.5"),
        (np.str_("ab"), "'ab'"),
        (np.ones((9, 9)), "an array of float64 of shape (9, 9)"),
        (list(range(400)), "a list of 400"),
        ([np.ones(3)], "a list of 1"),
        ({"a": np.ones(3)}, "a dict of 1"),
        (Path, "the class Path"),
        (lambda: None, "a function"),
        (object(), "an object"),
    ],
)
def test_what_was_given_is_quoted_only_where_that_is_short(value, words):
    assert shown(value) == words
    assert shown(10**5000) == "a number of thousands of digits"

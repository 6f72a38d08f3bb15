"""A function is known again by what it does, and not by its name."""

from functools import partial

import numpy as np

from xaimri.cohort.code import code_digest
from xaimri.metrics import deletion

SCALE = 2.0


def _inner(value):
    return value + 1


def made(source, **around):
    """Return the function `f` of a source, as a notebook's cell would make it."""
    space = {"__name__": "__main__", **around}
    exec(source, space)
    return space["f"]


def test_the_same_code_has_the_same_digest_wherever_it_stands():
    one, other = made("def f(maps):\n    return maps"), made("\n\n# moved\ndef f(maps):\n    return maps")
    assert code_digest(one) == code_digest(other) is not None
    assert code_digest(made("f = lambda x: x in {'a', 'b', 'c'}")) == code_digest(
        made("f = lambda x: x in {'a', 'b', 'c'}")
    )


def test_what_changes_its_values_changes_its_digest():
    def closed(value):
        return lambda maps: value

    pairs = [
        (made("f = lambda x: x + 1"), made("f = lambda x: x + 2")),
        (made("f = lambda x: x.sum()"), made("f = lambda x: x.max()")),
        (made("def f(x, k=1): return k"), made("def f(x, k=2): return k")),
        (made("def f(x, *, k=1): return k"), made("def f(x, *, k=2): return k")),
        (made("def f(x): return [k for _ in x]", k=1), made("def f(x): return [k for _ in x]", k=2)),
        (closed(1), closed(2)),
        (closed(np.zeros(3)), closed(np.ones(3))),
        (
            made("def g(x): return x\ndef f(x): return g(x)"),
            made("def g(x): return -x\ndef f(x): return g(x)"),
        ),
    ]
    for one, other in pairs:
        assert code_digest(one) != code_digest(other)


def test_functions_that_call_each_other_end():
    source = "def g(x): return f(x)\ndef f(x): return g(x)"
    assert code_digest(made(source)) == code_digest(made(source))


def test_xaimri_s_own_are_known_by_its_version_and_what_has_no_code_has_no_digest():
    assert code_digest(deletion) is code_digest(np.add) is code_digest(partial) is None

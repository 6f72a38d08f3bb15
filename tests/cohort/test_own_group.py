"""Processes begun in the block have a group of their own; others stay in that of this process."""

import os
import subprocess
import sys

import pytest

from xaimri.cohort.own_group import own_group

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no groups of processes")


def group_of_new():
    told = [sys.executable, "-c", "import os; print(os.getpgid(0), os.getpid())"]
    found = subprocess.run(told, stdout=subprocess.PIPE, preexec_fn=lambda: None, check=True)
    group, own = found.stdout.split()
    return "own" if group == own else int(group)


def test_in_the_block_alone_they_are_apart():
    here = os.getpgid(0)
    assert group_of_new() == here
    with own_group():
        assert group_of_new() == "own"
        with own_group():
            pass
        assert group_of_new() == "own"
    with pytest.raises(KeyError), own_group():
        raise KeyError
    assert group_of_new() == here
    assert os.getpgid(0) == here

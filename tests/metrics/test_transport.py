"""The earth mover's distance is one number, whoever solves it."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from xaimri.metrics import transport
from xaimri.metrics.transport import heap, mover_distance

needs_pot = pytest.mark.skipif(find_spec("ot") is None, reason="the extra `transport` is not installed")

LOADS = """
import os, sys
import numpy as np
from xaimri.metrics.transport import heap, mover_distance
mover_distance(heap(np.eye(4), 4), heap(np.ones((4, 4)), 4))
assert "ot" in sys.modules and "tensorflow" not in sys.modules and "torch" not in sys.modules
assert os.environ["POT_BACKEND_DISABLE_JAX"] == "mine", os.environ["POT_BACKEND_DISABLE_JAX"]
assert "POT_BACKEND_DISABLE_TENSORFLOW" not in os.environ
"""


@needs_pot
@pytest.mark.parametrize("shape", [(9, 12), (30, 20), (5, 6, 7)])
def test_both_solvers_give_one_number(shape, monkeypatch):
    random = np.random.default_rng(0)
    for number in range(4):
        one = random.random(shape) ** 3
        other = (random.random(shape) > 0.8).astype(float)
        cells = 4 + number
        found = mover_distance(heap(one, cells), heap(other, cells))
        with monkeypatch.context() as patch:
            patch.setattr(transport, "find_spec", lambda _: None)
            assert found == pytest.approx(mover_distance(heap(one, cells), heap(other, cells)), abs=1e-7)


@pytest.mark.parametrize("installed", [pytest.param(True, marks=needs_pot), False])
@pytest.mark.parametrize("step", [(0, 3), (4, 0), (3, 4)])
def test_a_shifted_map_is_as_far_as_it_was_shifted(step, installed, monkeypatch):
    if not installed:
        monkeypatch.setattr(transport, "find_spec", lambda _: None)
    one = np.zeros((12, 12))
    one[1:4, 2:5] = [[1, 2, 1], [0, 3, 0], [2, 2, 5]]
    other = np.roll(one, step, axis=(0, 1))
    assert mover_distance(heap(one, 12), heap(other, 12)) == pytest.approx(float(np.hypot(*step)), abs=1e-6)


@needs_pot
def test_it_is_loaded_without_a_framework_and_leaves_the_environment():
    done = subprocess.run(
        [sys.executable, "-c", LOADS],
        env={**os.environ, "POT_BACKEND_DISABLE_JAX": "mine"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

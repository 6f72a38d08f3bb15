"""Marks, and the folder of real slices.

What needs neither TensorFlow, nor real data, nor minutes, nor thousands of generated inputs is `quick`.
"""

import os
import random
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # it sums otherwise on each kind of processor,
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")  # and so do other numbers of threads
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a graphics card rounds otherwise
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # of the processes that `-n` starts: more threads would wait for each other

settings.load_profile("ci")
"""The same examples in every run, in whatever time; `--hypothesis-profile=default` draws others."""

NOT_QUICK = ("tensorflow", "real", "slow", "fuzz")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as quick what carries none of the other marks."""
    for item in items:
        if not any(item.get_closest_marker(mark) for mark in NOT_QUICK):
            item.add_marker("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Draw what is drawn without a seed, such as a network's first weights, anew from the test's own name."""
    random.seed(item.nodeid)
    np.random.seed(zlib.crc32(item.nodeid.encode()))  # noqa: NPY002 - the one that others draw from


@pytest.fixture(autouse=True)
def _no_framework(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a quick test that loads TensorFlow, which takes as long as hundreds of others."""
    before = "tensorflow" in sys.modules
    yield
    if request.node.get_closest_marker("quick") and not before:
        assert "tensorflow" not in sys.modules, "this test loads TensorFlow: mark it with `tensorflow`"


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real slices and trained networks."""
    folder = Path(os.environ.get("XAIMRI_SHARED", Path(__file__).parents[1].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the real slices are not at {folder}: set XAIMRI_SHARED to the folder that holds them")
    return folder

"""The global random generators: set to a known state, watched, and put back."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def global_seeds(python: int = 0, numpy: int = 0) -> Iterator[None]:
    """Seed Python's and numpy's global generators for a while, and put their states back."""
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(python)
    np.random.seed(numpy)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002


@contextmanager
def unseeded_calls() -> Iterator[list[str]]:
    """List where ``np.random.default_rng`` is called without a seed, as ``file:line``."""
    kept, places = np.random.default_rng, list[str]()

    def watched(seed: Any = None) -> np.random.Generator:
        if seed is None:
            places.append(_caller())
        return kept(seed)

    np.random.default_rng = watched
    try:
        yield places
    finally:
        np.random.default_rng = kept


def _caller() -> str:
    """Return who called, as ``file:line``; wrappers that check types at run time are no callers."""
    for frame in traceback.extract_stack()[::-1]:
        checks = frame.filename.startswith("<") or "typing" in frame.filename
        if frame.filename != __file__ and not checks:
            return f"{Path(frame.filename).name}:{frame.lineno}"
    return "an unknown place"

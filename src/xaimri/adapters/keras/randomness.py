"""Python's generator, which Keras draws from, as the caller left it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def python_random_kept() -> Iterator[None]:
    """Put Python's generator back: Keras draws default seeds from it while layers are made."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)

"""Compare two ways of doing one thing, side by side: alternate them, and state the ratio of the medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def medians(
    ways: Mapping[str, Callable[[], object]],
    rounds: int = 15,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds of each way, run in turn so that noise hits all alike."""
    for way in ways.values() if warm else ():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = clock()
            way()
            seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}

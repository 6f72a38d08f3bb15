"""Calls of every public function with one to three arguments changed, mostly to other values that fit.

As a program it makes so many, and prints what came of them and the slowest:

    python tests/varied.py 20000
"""

from __future__ import annotations

import inspect
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import xaimri
from calls import Call, calls
from odd import ODD, outcome, state
from xaimri.arguments import rule_of
from xaimri.rules import Choice, OrNone

ODDITY = 0.1
"""How often a value is one that nobody should give."""


def images(value: np.ndarray[Any, Any]) -> list[Callable[[], Any]]:
    """Return other arrays that may stand in the place of one."""
    holes = value.astype(np.float64)
    holes.flat[:1] = np.nan
    return [
        lambda: np.full_like(value, 1),
        lambda: holes,
        lambda: value.astype(np.float64) * 1e30,
        lambda: -value.astype(np.float32),
        lambda: (np.abs(value.astype(np.float64)) * 20_000).clip(0, 65_535).astype(np.uint16),
        lambda: (value.astype(np.float64) * 99 % 255).astype(np.uint8),
        lambda: value[::-1],
        lambda: np.asfortranarray(value),
        lambda: value[:1],
        lambda: value[tuple(slice(0, 1) for _ in value.shape)],
        lambda: np.repeat(value, 2, axis=0),
        lambda: value.astype(np.float16),
        lambda: value > value.mean(),
        lambda: value.tolist(),
    ]


def lists(value: Any) -> list[Callable[[], Any]]:
    """Return other lists of the same entries."""
    kind = type(value)
    return [
        lambda: kind(value[:1]), lambda: kind(value[::-1]), lambda: kind([*value, *value[:1]]),
        lambda: list(value), lambda: tuple(value), lambda: kind(value[:-1]),
    ]  # fmt: skip


def fitting(value: Any, chosen: tuple[object, ...], draw: random.Random) -> Any:
    """Return another value of the kind of one."""
    if chosen:
        one = draw.choice(chosen)
        return np.str_(one) if isinstance(one, str) and draw.random() < 0.3 else one
    if isinstance(value, bool):
        return draw.choice([True, False, np.bool_(True)])
    if isinstance(value, int):
        return draw.choice([draw.randrange(12), value + 1, np.int64(value), np.uint8(3), np.array(2)])
    if isinstance(value, float):
        return draw.choice([draw.random(), np.float32(draw.random()), 0.0, 1, 0.5, value / 2, value * 3])
    if isinstance(value, np.ndarray):
        return draw.choice(images(value))()
    if isinstance(value, list | tuple) and value:
        return draw.choice(lists(value))()
    if isinstance(value, str):
        return draw.choice([value, np.str_(value), value.upper()])
    return value if value is not None else draw.choice([None, 0, 1, 0.5, "a", np.int64(1)])


def choices(name: str, call: Call, parameter: str) -> tuple[object, ...]:
    """Return what a parameter lets choose from."""
    owner: Any = call.function
    if hasattr(owner, "__signature__"):
        owner = getattr(xaimri, name)
    if not inspect.isclass(owner) and parameter not in inspect.signature(inspect.unwrap(owner)).parameters:
        return ()
    rule = rule_of(getattr(owner, "__func__", owner), parameter)
    rule = rule.rule if isinstance(rule, OrNone) else rule
    return rule.choices if isinstance(rule, Choice) else ()


@dataclass(frozen=True)
class Ended:
    """How one call ended."""

    name: str
    changed: dict[str, Any]
    kind: str
    said: str
    seconds: float


def varied(folder: Path, count: int, seed: int = 0) -> Iterator[Ended]:
    """Yield so many calls; each function has its turn."""
    everything = list(calls(folder).items())
    known = {(name, each): choices(name, call, each) for name, call in everything for each in call.arguments}
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        name, call = everything[number % len(everything)]
        names = list(call.arguments)
        changed = {}
        for parameter in draw.sample(names, min(len(names), draw.randint(1, 3))):
            odd = draw.random() < ODDITY
            fits = fitting(call.arguments[parameter], known[name, parameter], draw)
            changed[parameter] = draw.choice(list(ODD.values()))() if odd else fits
        given = {**call.arguments, **changed}
        before, began = state(given), time.perf_counter()
        kind, said = outcome(partial(call.given, **changed), "metrics.", seconds=240, warned="ignore")
        seconds = time.perf_counter() - began
        if kind != "fault" and state(given) != before:
            kind, said = "fault", "changes what it is given, or the state of the process"
        yield Ended(name, changed, kind, said, seconds)


def main() -> None:
    """Print what came of so many calls, and every fault as a line of JSON."""
    import matplotlib as mpl
    from PIL import Image

    mpl.use("Agg")
    Image.Image.show = lambda *_, **__: None  # type: ignore[method-assign]
    ended: Counter[str] = Counter()
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for each in varied(Path(folder), int(sys.argv[1]), int([*sys.argv, "0"][2])):
            ended[each.kind] += 1
            slowest = max(slowest, (each.seconds, each.name))
            if each.kind == "fault":
                changed = {name: repr(value)[:80] for name, value in each.changed.items()}
                print(json.dumps([each.name, changed, each.said]), flush=True)
        os.chdir("/")
    print(f"{ended.total()} calls; slowest {slowest[0]:.1f} s, {slowest[1]}", file=sys.stderr)
    print(json.dumps(ended))


if __name__ == "__main__":
    main()

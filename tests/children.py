"""Scripts in a process of their own, and what is left of the processes that they begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import xaimri


@contextmanager
def started(script: str, *arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a script as a shell does, at the head of a group of processes; a test that fails ends them."""
    piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    source = str(Path(xaimri.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": source},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
        **piped | options,
    ) as process:
        try:
            yield process
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def processes() -> dict[int, tuple[str, int, str]]:
    """Return name, parent and begin of every process that has not ended, by its number."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
            words = rest.split()
            if words[0] not in "ZX":
                found[int(stat.parent.name)] = (name, int(words[1]), words[19])
    return found


def below(parent: int) -> dict[int, tuple[str, int, str]]:
    """Return the processes that a process began, and those that they began."""
    there = processes()
    own = {number: told for number, told in there.items() if told[1] == parent}
    for number in list(own):
        own |= below(number)
    return own


def left_of(those: dict[int, tuple[str, int, str]], seconds: float = 300.0) -> list[str]:
    """Return which of these processes are there still, when so many seconds have gone by at most."""
    until = time.monotonic() + seconds
    while True:
        there = processes()
        left = [told[0] for number, told in those.items() if there.get(number, ("", 0, ""))[2] == told[2]]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)

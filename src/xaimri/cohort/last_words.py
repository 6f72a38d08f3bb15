"""A sentence for where this process ends without one: a library may end it, and Python is not asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

OVER = b"over\n"
"""What is written where nothing is to be said: a line, as a child of this process may keep the pipe open."""

TELLER = """
import signal, sys
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if not sys.stdin.buffer.readline():
    sys.stderr.write(f"xaimri: {sys.argv[1]}\\n")
"""
"""Waits until this process has ended, or says that the block has."""


@contextmanager
def last_words(words: str) -> Iterator[None]:
    """Say something on standard error if this process ends in the block, and does not leave it.

    A process of its own waits for that, and no Ctrl-C or SIGTERM ends it before.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", TELLER, words],
        bufsize=0, stdin=subprocess.PIPE, start_new_session=True,
    ) as teller:  # fmt: skip
        assert teller.stdin is not None
        try:
            yield
        finally:
            with suppress(BrokenPipeError):  # somebody ended it
                teller.stdin.write(OVER)

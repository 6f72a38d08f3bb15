"""What a command says where Ctrl-C or SIGTERM stops it: one sentence, and what is written stays."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes of a command that Ctrl-C, or SIGTERM, stopped."""

GOES_ON = "the run was stopped: the same command goes on."
"""What is said of a command that keeps how far it was."""

ENDED = "the command was stopped before its end; files that it had finished stay."
"""What is said of any other."""


class Commands(TyperGroup):
    """The commands, each of which says that it was stopped."""

    def invoke(self, ctx: Any) -> Any:
        """Call the command that was asked for."""
        with told_of_stops(ENDED):
            return super().invoke(ctx)


@contextmanager
def told_of_stops(words: str = GOES_ON) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C and SIGTERM end in one sentence: what is written stays.

    Yields what stops here and now if one of them came before: where Python cleans up it swallows what a
    signal raises, so a long run asks between its parts. What fails after one is its doing.
    """
    caught: list[int] = []

    def stop(number: int, _: object) -> None:
        caught.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if caught:
            raise KeyboardInterrupt

    with ExitStack() as before:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as of a job in the background
                    before.callback(signal.signal, number, signal.signal(number, stop))
        try:
            yield check
        except (KeyboardInterrupt, Exception) as fault:
            if not caught and isinstance(fault, Exception):
                raise
            typer.echo(f"\nxaimri: {words}", err=True)
            raise typer.Exit(TERMINATED if signal.SIGTERM in caught else INTERRUPTED) from None

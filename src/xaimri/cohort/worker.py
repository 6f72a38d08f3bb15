"""A process of its own that holds the model: it may die, hang or fill its memory, and the run goes on."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from xaimri.errors import MissingCapability, MissingExtra, XaimriError, first_line

AnswerT = TypeVar("AnswerT")

STARTS = (
    "the process that explains ended by {}, while it opened the model: see that the model opens in a new "
    "interpreter, and that there is memory for it twice."
)
"""Says that there is no worker."""


UNOPENED = (
    "the model, or a method, can't be opened in a process of its own ({}): define it in a module that is "
    "installed, or name the model by its file or bundle."
)
"""Says that a new interpreter doesn't know what this one does."""


class Lost(Exception):  # noqa: N818 - an ending, not an error of ours
    """The worker is gone: it ended, by a signal or by itself, or took too long and was ended.

    Attributes
    ----------
    late
        Whether it took too long.
    """

    def __init__(self, how: str, *, late: bool = False) -> None:
        super().__init__(how)
        self.late = late


class Worker:
    """A process that does one thing after another with what it was given; started when it is needed.

    It is a new interpreter, not a fork, so TensorFlow runs in it. What it was given is opened in it once, and
    again after each death.

    Parameters
    ----------
    held
        What every question is asked of, such as a model; it is pickled.

    Raises
    ------
    MissingExtra
        If loky is not installed.
    MissingCapability
        If ``held`` can't be pickled.
    """

    def __init__(self, held: object) -> None:
        self._sent = pickled(held)
        self._process: Any = None
        self._line: Connection | None = None
        self._held: Connection | None = None

    def ask(self, question: Callable[..., AnswerT], *given: object, seconds: float | None = None) -> AnswerT:
        """Return ``question(held, *given)``, as it is answered there.

        Raises
        ------
        Lost
            If the process died over it, or took more than so many seconds.
        Exception
            What the question itself raised.
        """
        line = self._opened()
        try:
            line.send_bytes(pickled((question, given)))
            if not wait([line, self._process.sentinel], seconds):
                self.close()
                raise Lost(f"took more than {seconds:g} s", late=True)
            fine, found = pickle.loads(line.recv_bytes())
        except (EOFError, OSError) as gone:
            raise Lost(f"ended its process by {self._end()}") from gone
        if not fine:
            raise found
        answer: AnswerT = found
        return answer

    def open(self) -> None:
        """Start the process, which a question does too.

        Raises
        ------
        MissingCapability
            If it can't open what it was given.
        """
        self._opened()

    def close(self) -> None:
        """End the process, whatever it does."""
        process, line = self._process, self._line
        self._process = self._line = None
        if process is not None:
            if process.is_alive():
                with suppress(OSError):
                    os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            process.join()
        for each in (line, self._held):
            if each is not None:
                each.close()

    def _opened(self) -> Connection:
        """Return the line to a process that has opened what it was given."""
        if self._line is not None:
            return self._line
        context = _context()
        self._line, theirs = context.Pipe()
        alive, held = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(theirs, alive, self._sent), daemon=True)
        self._process.start()
        self._held = held  # closed by the end of this process, however it comes, which ends the other
        theirs.close()
        alive.close()
        try:
            fault = pickle.loads(self._line.recv_bytes())
        except (EOFError, OSError) as gone:
            raise MissingCapability(STARTS.format(self._end())) from gone
        if fault is not None:
            self.close()
            if isinstance(fault, XaimriError):
                raise fault
            raise MissingCapability(UNOPENED.format(first_line(fault).rstrip("."))) from fault
        return self._line

    def _end(self) -> str:
        """Return how the process ended, in words."""
        self._process.join(5)
        code = self._process.exitcode
        self.close()
        if code is None or code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return name + (", as where memory runs out" if name == "SIGKILL" else "")
        return f"signal {-code}"


def pickled(held: object) -> bytes:
    """Return what another process can open, functions of a script or a notebook among it.

    Raises
    ------
    MissingCapability
        If it can't be pickled.
    """
    _context()
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps(held)
    except XaimriError:
        raise
    except Exception as fault:
        raise MissingCapability(
            f"the model, its methods or cases can't be sent to a process of its own ({first_line(fault)}): "
            "name the model by its file or bundle, and cases by their files."
        ) from fault
    return packed


def _context() -> Any:
    """Return what starts a new interpreter that doesn't run the caller's script again."""
    try:
        from loky.backend import get_context
    except ImportError as missing:
        raise MissingExtra("loky", "cohort", "a process of its own") from missing
    return get_context("loky")


def _serve(line: Connection, alive: Connection, sent: bytes) -> None:
    """Answer questions until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is told by who asks
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    _be_first_to_go()
    try:
        held = pickle.loads(sent)
    except Exception as fault:
        line.send_bytes(pickle.dumps(_sendable(fault)))
        return
    with suppress(EOFError, OSError):
        line.send_bytes(pickle.dumps(None))
        while True:
            question, given = pickle.loads(line.recv_bytes())
            try:
                answer = pickle.dumps((True, question(held, *given)), pickle.HIGHEST_PROTOCOL)
            except Exception as fault:
                answer = pickle.dumps((False, _sendable(fault)))
            line.send_bytes(answer)
            del question, given, answer


def _sendable(fault: Exception) -> Exception:
    """Return an error that reaches the other process, with its traceback as a note."""
    fault.add_note("".join(traceback.format_exception(fault)))
    try:
        pickle.loads(pickle.dumps(fault))
    except Exception:
        return RuntimeError(f"{type(fault).__name__}: {fault}")
    return fault


def _end_with(alive: Connection) -> None:
    """End this process when the one that asks has ended, whatever is at work here."""
    with suppress(EOFError, OSError):
        alive.recv_bytes()
    os._exit(1)


def _be_first_to_go() -> None:
    """Where memory runs out, let the system end this process rather than the one that keeps the rows."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")

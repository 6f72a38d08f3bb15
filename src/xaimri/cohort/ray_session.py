"""Ray for as long as a run lasts: started quietly where it is not there, and ended only then."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from xaimri.cohort.engine import RayEngine
from xaimri.cohort.last_words import last_words
from xaimri.cohort.own_group import own_group
from xaimri.errors import Cancelled, InvalidInput, MissingExtra, first_line

LOGS = ("ray", "ray.data")
"""Loggers that tell on standard error what rows and sentences tell."""

FLOOR = (2, 56)
"""Release of Ray from which on it is used; those before wait for ever where workers take all processors."""

ANSWERS = 10.0
"""Seconds that the head of a cluster may take to answer."""

LOST = (
    "the run ended too early: a process of Ray's was lost (is there memory for all workers?), or this one "
    "was killed. What is written stays, and the same call goes on."
)
"""Is said where Ray's library ends this process, as it does when its head is gone."""

SETS_HANDLER = "set_sigterm_handler"
"""Ray's function that says what SIGTERM does."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing of a hospital's is told to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "A worker died or was killed|so the task will be retried",
}
"""How Ray is set before it is loaded."""


def ray_package() -> Any:
    """Return Ray with its data sets.

    Raises
    ------
    MissingExtra
        If it is not installed, or too old.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    wanted = MissingExtra(f"ray>={FLOOR[0]}.{FLOOR[1]}", "cohort", 'engine="ray"')
    try:
        import ray
        import ray.data
    except ImportError as missing:
        raise wanted from missing
    if tuple(int(number) for number in ray.__version__.split(".")[:2]) < FLOOR:
        raise wanted
    return ray


@contextmanager
def ray_session(engine: RayEngine) -> Iterator[Any]:
    """Yield Ray, connected as is asked; it ends with the run, unless it was there before.

    Raises
    ------
    InvalidInput
        If there is no cluster at the address.
    """
    ray = ray_package()
    with _quiet(), last_words(LOST):
        if ray.is_initialized():
            yield ray
            return
        try:
            with _own_signals(), own_group():
                _connect(ray, engine)
            yield ray
        finally:
            ray.shutdown()


def workers_of(ray: Any, engine: RayEngine, parts: int) -> int:
    """Return how many processes hold the model: no more than there are parts.

    Raises
    ------
    InvalidInput
        If no machine has what a worker takes: Ray would wait for one without end.
    """
    machines = [each["Resources"] for each in ray.nodes() if each["Alive"]]
    for kind, name, each in (("GPU", "gpus", engine.gpus), ("CPU", "threads", engine.threads)):
        most = max((has.get(kind, 0) for has in machines), default=0)
        if each > most:
            raise InvalidInput(
                f"`{name}` is {each:g}, and no machine of Ray's has more than {most:g}: ask for fewer"
                f"{', or for none' if kind == 'GPU' else ''}."
            )
    if engine.workers is not None:
        return min(engine.workers, parts)
    rooms = [
        min(has.get("CPU", 0) // engine.threads, has.get("GPU", 0) // engine.gpus if engine.gpus else parts)
        for has in machines
    ]
    return max(1, min(int(sum(rooms)), parts))


def _connect(ray: Any, engine: RayEngine) -> None:
    told: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if engine.address is None:
        wanted = (engine.workers or 1) * engine.threads
        here = max(os.cpu_count() or 1, wanted) + 1  # for what drops finished parts
        told |= {"address": "local", "num_cpus": here, "include_dashboard": False}
    else:
        told["address"] = engine.address
    try:
        _knock(told["address"])
        with _no_stderr():  # on which its libraries tell how they are set
            ray.init(**told)
    except (OSError, ValueError, RuntimeError) as fault:
        raise InvalidInput(
            f"Ray can't be reached at {engine.address or 'this machine'} ({first_line(fault)}): check the "
            "address, and that it runs there in the same version."
        ) from fault


def _knock(address: str) -> None:
    """See that somebody listens at an address: Ray itself would try for minutes."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError("it has no port")
    with socket.create_connection((host.strip("[]"), int(port)), ANSWERS):
        pass


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Let nothing reach standard error, not from libraries either."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - no path
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep SIGTERM and Ctrl-C until Ray has started; a second Ctrl-C does not wait.

    Ray's library is left half built, and ends this process at its end by a crash, where a signal raises while
    it starts. And where Python has just begun a process, it swallows what a signal raises.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: Any) -> None:
        if came.count(number) and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(number)

    try:
        with _without_handler(), ExitStack() as before:
            for number in (signal.SIGTERM, signal.SIGINT):
                if signal.getsignal(number) not in (None, signal.SIG_IGN):  # not of Python, or not heard
                    before.callback(signal.signal, number, signal.signal(number, note))
            yield
    except SystemExit:  # by which a Ray that set a handler all the same ends the process
        came.append(signal.SIGTERM)
    finally:
        for each in dict.fromkeys(came):
            signal.raise_signal(each)
    if signal.SIGTERM in came:
        raise Cancelled("SIGTERM ended Ray while it started: the same call goes on.")


@contextmanager
def _without_handler() -> Iterator[None]:
    """Let Ray set no handler of SIGTERM of its own."""
    from ray._private import utils

    before = vars(utils).get(SETS_HANDLER)
    if before is None:  # a later release, which calls it otherwise
        yield
        return
    setattr(utils, SETS_HANDLER, lambda _: None)
    try:
        yield
    finally:
        setattr(utils, SETS_HANDLER, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray's own words off standard error."""
    loggers = [logging.getLogger(name) for name in LOGS]
    levels = [each.level for each in loggers]
    try:
        for each in loggers:
            each.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)

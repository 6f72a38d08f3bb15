"""Whether TensorFlow still answers in this process. Importing this loads no framework."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from typing import Any

from xaimri.errors import MissingCapability

FORKED = (
    "this process was forked from one in which TensorFlow had run, and TensorFlow would wait here for ever: "
    'start workers by `multiprocessing.get_context("spawn")`, or by joblib\'s "loky".'
)

_threads_lost = False


def check_process() -> None:
    """See that TensorFlow's threads, which a fork does not copy, live in this process."""
    if _threads_lost:
        raise MissingCapability(FORKED)


@dataclass(frozen=True)
class Parcel:
    """A network on its way to another process, opened there only if it can run."""

    network: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (pickle.dumps(self.network),)


def _opened(pickled: bytes) -> Parcel:
    check_process()
    return Parcel(pickle.loads(pickled))


def _has_run() -> bool:
    """Tell whether TensorFlow has started its threads: their number can't be set from then on."""
    threading = sys.modules["tensorflow"].config.threading
    count = threading.get_inter_op_parallelism_threads()
    try:
        threading.set_inter_op_parallelism_threads(count + 1)
    except RuntimeError:
        return True
    threading.set_inter_op_parallelism_threads(count)
    return False


def _note_fork() -> None:
    global _threads_lost
    _threads_lost = _threads_lost or ("tensorflow" in sys.modules and _has_run())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)

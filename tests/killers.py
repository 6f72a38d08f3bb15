"""Images and models that end their process, hang, or take all memory: what a cohort must outlive."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = (6, 8)


def fill_memory() -> None:
    np.ones(2**50)


def segfault() -> None:
    faulthandler.disable()  # whose pages would hide what a run of the tests has to say
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    """Hang, and leave a file where a test asks to be told."""
    if "XAIMRI_HANGS" in os.environ:
        Path(os.environ["XAIMRI_HANGS"]).touch()
    time.sleep(600)


WAYS: dict[str, Callable[[], object]] = {
    "segfault": segfault,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(3),
    "sys.exit": lambda: sys.exit(4),
    "hang": hang,
    "memory": fill_memory,
}
"""What a case does to the process that it is in."""

TOLD = {
    "segfault": "it ended its process by SIGSEGV, alone too: check the file, or take the case out.",
    "killed": "it ended its process by SIGKILL, as where memory runs out, alone too: check the file, or take "
    "the case out.",
    "exit": "it ended its process by exit code 3, alone too: check the file, or take the case out.",
    "sys.exit": "it ended its process by exit code 4, alone too: check the file, or take the case out.",
    "hang": "it took more than 2 s, alone too: give a longer `timeout`, or take the case out.",
    "memory": "takes more memory than there is: give the run more, or take the case out.",
}
"""How the rows' sentences end."""


@dataclass
class Deadly:
    """A model of two classes to which some images do something: those that begin with its number."""

    once: Path | None = None
    """A file that is made before: what is there already lets the image pass."""

    def __call__(self, images: Any) -> Any:
        for image in np.asarray(images):
            number = round(float(image.reshape(-1)[0]))
            if number >= 100 and not (self.once is not None and self.once.exists()):
                if self.once is not None:
                    self.once.touch()
                list(WAYS.values())[number - 100]()
        ill = np.clip(np.asarray(images, float)[:, 1:].mean(axis=(1, 2, 3)), 0.05, 0.95)
        return np.stack([1 - ill, ill], axis=1)


@dataclass(frozen=True)
class Unreadable:
    """An image that does something when it is read."""

    way: str

    def __array__(self, *_: Any, **__: Any) -> Any:
        WAYS[self.way]()
        return np.zeros(SHAPE)


def image(seed: int, way: str | None = None) -> Any:
    """Return an image, or one that does something when it is explained."""
    found = np.random.default_rng(seed).random(SHAPE)
    found[0, 0] = 0.5 if way is None else 100 + list(WAYS).index(way)
    return found


class Unopened:
    """What can be packed, and not be opened."""

    def __init__(self, way: Callable[[], object]) -> None:
        self.way = way

    def __reduce__(self) -> Any:
        return self.way, ()


def fail() -> None:
    raise FileNotFoundError("it is gone")


def end() -> None:
    os._exit(5)


def hold(folder: Path, told: Any) -> None:
    """Keep others out of a folder until this process is killed."""
    from xaimri.cohort.place import Folder

    with Folder(folder).held():
        told.send("held")
        time.sleep(600)

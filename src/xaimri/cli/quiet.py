"""TensorFlow's greetings: what its libraries print on standard error while they are loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


def silence_tensorflow() -> None:
    """Let TensorFlow be loaded without a word; its warnings about processors help nobody here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds TensorFlow as Python does, and has it loaded in silence."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Return TensorFlow's own specification with another loader; None for everything else."""
        if fullname != "tensorflow":
            return None
        found = PathFinder.find_spec(fullname)
        if found is not None and found.loader is not None:
            found.loader = _Silent(found.loader)
        return found


class _Silent(Loader):
    """A loader that keeps standard error closed while another one works."""

    def __init__(self, own: Loader) -> None:
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Make the module as its own loader does."""
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code in silence."""
        with _closed_errors():
            self.own.exec_module(module)


@contextmanager
def _closed_errors() -> Iterator[None]:
    """Lead the process's standard error nowhere, also what is written past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)

"""The ``shap`` package's own code, run so that it touches nothing outside: no generator, no warning."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import FunctionType
from typing import Any

import numpy as np

from xaimri.errors import MissingExtra


def import_part(module: str, purpose: str) -> Any:
    """Import a module of the package, silently; it takes seconds the first time.

    Raises
    ------
    MissingExtra
        If the package is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(f"shap.{module}")
    except ImportError as missing:
        raise MissingExtra("shap", "shap", purpose) from missing


@contextmanager
def silence() -> Iterator[None]:
    """Keep the package's own warnings, and those of its compiler, to itself; a model's still come through."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(shap|numba)\b")
        yield


class _Seeded(np.random.RandomState):
    """A generator that is seeded for good: code that is run again draws on, not the same once more."""

    def seed(self, seed: object = None) -> None:
        """Leave the generator as it is."""


class _Numpy:
    """numpy with a random generator of its own."""

    def __init__(self, seed: int) -> None:
        self.random = _Seeded(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def isolate(function: Any, seed: int, modules: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Return the same code with a world of its own: another ``np.random``, and other imports if asked.

    The package draws from numpy's global generator. Saving its state and putting it back would rewind
    whatever other threads draw meanwhile; the copy draws from a generator that nobody else has.

    Parameters
    ----------
    function
        A function that names numpy ``np``, as the package does throughout.
    seed
        Of ``np.random``, which gives what numpy's global generator does after ``np.random.seed(seed)``. The
        copy can't seed it again: called twice, it draws on.
    modules
        What ``import NAME`` gives inside the function.

    Examples
    --------
    >>> def draw():
    ...     return np.random.randn()
    >>> isolate(draw, seed=3)() == np.random.RandomState(3).randn()
    True
    """
    given = dict(modules or {})

    def imported(name: str, *rest: Any, **options: Any) -> Any:
        top = name.partition(".")[0]
        return given[top] if top in given else builtins.__import__(name, *rest, **options)

    world = {
        **function.__globals__,
        "np": _Numpy(seed),
        "__builtins__": {**vars(builtins), "__import__": imported},
    }
    copy = FunctionType(
        function.__code__, world, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy

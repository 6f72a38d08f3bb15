"""Imports that wait until a test needs them: collecting the tests loads neither Keras nor TensorFlow."""

import builtins
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

ASKED_BY_PYTEST = {"__bases__", "__test__", "__wrapped__", "_mock_name"}
"""What pytest looks for in everything that a module holds."""


class Awaited:
    """Stand in for a module, or for one name of a module, that is imported on first use."""

    __slots__ = ("_module", "_name")

    def __init__(self, module: str, name: str | None = None) -> None:
        object.__setattr__(self, "_module", module)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        if name == "__dict__":  # which monkeypatch keeps
            return vars(_real(self))
        if name in ASKED_BY_PYTEST:
            raise AttributeError(name)
        return getattr(_real(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_real(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_real(self), name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return _real(self)(*arguments, **options)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, _real(self))

    def __repr__(self) -> str:
        return f"<{self._module}, not imported before it is used>"


def _real(awaited: Awaited) -> Any:
    """Import what a stand-in stands for."""
    module = import_module(awaited._module)
    if awaited._name is None:
        return module
    if hasattr(module, awaited._name):
        return getattr(module, awaited._name)
    return import_module(f"{awaited._module}.{awaited._name}")  # `from keras import layers`


@contextmanager
def on_first_use() -> Iterator[None]:
    """Let every import in the block wait until something of it is used."""

    def awaited(
        module: str,
        scope: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        names: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> object:
        if names:
            return SimpleNamespace(**{name: Awaited(module, name) for name in names})
        return Awaited(module)

    kept = builtins.__import__
    builtins.__import__ = awaited  # type: ignore[assignment]
    try:
        yield
    finally:
        builtins.__import__ = kept

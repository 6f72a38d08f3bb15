"""The kinds of model that become a classifier, each by an adapter; other packages add theirs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from xaimri.adapters.options import DEFAULTS, Options
from xaimri.arguments import check_arguments
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput

GROUP = "xaimri.adapters"
"""The entry points by which other packages add adapters."""

Wrap: TypeAlias = Callable[..., Classifier]
"""Makes a classifier of a model; what else it takes by name are the options that a caller may give."""


@dataclass(frozen=True)
class Adapter:
    """A row of the table: how one kind of model becomes a classifier.

    Attributes
    ----------
    package
        The package whose models it takes; a word for those that are of none.
    claims
        Tells whether a model is of this kind, without importing its framework.
    load
        Imports what wraps a model, once one is claimed.
    beside
        What can't take an option, and what to do instead, with ``{kind}`` for the model's type.
    """

    package: str
    claims: Callable[[object], bool]
    load: Callable[[], Wrap]
    beside: str

    def wrap(self, model: object, options: Options) -> Classifier:
        """Return the model as a classifier.

        Raises
        ------
        InvalidInput
            If an option is given that this kind of model doesn't take.
        """
        given = {k: v for k, v in options.items() if v is not None and not _is_default(k, v)}
        make = self.load()
        foreign = [f"`{name}`" for name in given if not _takes(make, name)]
        if foreign:
            beside = self.beside.format(kind=type(model).__name__)
            raise InvalidInput(f"{' and '.join(foreign)} can't stand beside {beside}.")
        return make(model, **given)


def packages_of(model: object) -> tuple[str, ...]:
    """Return the packages of a model's class and its bases, the nearest first; Python's own left out."""
    named = (base.__module__.partition(".")[0] for base in type(model).__mro__)
    return tuple(dict.fromkeys(name for name in named if name not in sys.stdlib_module_names))


@check_arguments()
def is_saved_model(path: str | PathLike[str]) -> bool:
    """Tell whether a folder is a TensorFlow SavedModel."""
    return (Path(path) / "saved_model.pb").is_file()


@check_arguments()
def is_preset(path: str | PathLike[str]) -> bool:
    """Tell whether a folder is a preset of KerasHub with a task, as ``task.save_to_preset`` writes it."""
    return (Path(path) / "task.json").is_file() and (Path(path) / "config.json").is_file()


def others() -> tuple[Adapter, ...]:
    """Return the adapters of other packages: an entry's name is the package whose models it takes."""
    beside = "a {{kind}}: the adapter of `{}` does not take that"
    return tuple(
        Adapter(e.name, partial(_is_of, e.name), e.load, beside.format(e.name))
        for e in entry_points(group=GROUP)
    )


def adapter_of(model: object) -> Adapter | None:
    """Return the first row that claims a model; None where no row does."""
    return next((row for row in _rows(model) if row.claims(model)), None)


def _rows(model: object) -> Iterator[Adapter]:
    """Yield our own rows first: what is installed beside is looked up only for a model that none claims."""
    yield from ADAPTERS
    if packages_of(model):
        yield from others()
    yield FUNCTION


def _is_default(name: str, value: object) -> bool:
    return name in DEFAULTS and isinstance(value, str) and value == DEFAULTS[name]


def _takes(make: Wrap, option: str) -> bool:
    """Tell whether what wraps a model takes an option by name."""
    named = inspect.signature(make).parameters
    return option in named or any(p.kind is p.VAR_KEYWORD for p in named.values())


def _is_of(package: str, model: object) -> bool:
    return package in packages_of(model)


def _is_path(model: object) -> bool:
    return isinstance(model, str | PathLike)


def _is_saved_model(model: object) -> bool:
    return isinstance(model, str | PathLike) and is_saved_model(model)


def _is_preset(model: object) -> bool:
    return isinstance(model, str | PathLike) and is_preset(model)


def _is_classifier(model: object) -> bool:
    return isinstance(model, Classifier) and not isinstance(model, type)


def _saved_model() -> Wrap:
    from xaimri.adapters.keras.saved_model import SavedModel

    return SavedModel


def _preset() -> Wrap:
    from xaimri.adapters.keras.saved import open_task

    return open_task


def _saved_network() -> Wrap:
    from xaimri.adapters.keras.saved import open_network

    return open_network


def _network() -> Wrap:
    from xaimri.adapters.keras.classifier import KerasClassifier

    return KerasClassifier


def _itself() -> Wrap:
    return _as_it_is


def _as_it_is(model: Classifier) -> Classifier:
    return model


def _function() -> Wrap:
    from xaimri.adapters.function import FunctionClassifier

    return FunctionClassifier


ADAPTERS: tuple[Adapter, ...] = (
    Adapter(
        "SavedModel", _is_saved_model, _saved_model, "a SavedModel: export the network with that part fixed"
    ),
    Adapter("preset", _is_preset, _preset, "a preset of KerasHub"),
    Adapter("path", _is_path, _saved_network, "a saved network"),
    Adapter("keras", partial(_is_of, "keras"), _network, "a Keras network"),
    Adapter("tf_keras", partial(_is_of, "tf_keras"), _network, "a network of Keras 2"),
    Adapter("xaimri", _is_classifier, _itself, "a {kind}, which has its own: set them where it is made"),
)
"""The rows of our own; those of other packages come next, and `FUNCTION` is the last."""

FUNCTION = Adapter("function", callable, _function, "a function: fix them inside it")
"""Takes what is left and can be called."""

"""Options that stand together in one call: those of the model open it, the rest are the method's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from xaimri.adapters.options import ModelLike
from xaimri.errors import InvalidInput, shown
from xaimri.explainers import build, settings_of
from xaimri.images.window import Window
from xaimri.methods import Methods, listed_methods
from xaimri.model import OPTIONS, Model, open_model


def open_with(
    model: ModelLike, options: Mapping[str, Any], methods: Methods = ()
) -> tuple[Model, dict[str, Any]]:
    """Open a model with those of the options that are a model's, and hand back the rest: a method's settings.

    Raises
    ------
    InvalidInput
        If an option could be the model's or the method's, is neither, or can't be used.

    Examples
    --------
    >>> model, settings = open_with(lambda x: x, {"classes": ["no", "yes"], "samples": 100}, "lime")
    >>> model.classes, settings
    (('no', 'yes'), {'samples': 100})
    """
    given = {name: value for name, value in options.items() if name in OPTIONS}
    settings = {name: value for name, value in options.items() if name not in OPTIONS}
    known = {each: settings_of(each) for each in listed_methods(methods) if isinstance(each, str)}
    for method, its in known.items():
        if "window" in its:
            _check_window(given.get("window"), method)
    _check_spelling([name for name in settings if not any(name in its for its in known.values())])
    return open_model(model, **given), settings


def _check_window(window: object, method: str) -> None:
    """Refuse a window that could be one of intensities, or the method's own."""
    if window is None or isinstance(window, Window):
        return
    raise InvalidInput(
        f"`window` beside {method!r} could be one of intensities, or the method's own: write "
        f"xaimri.{type(build(method)).__name__}(window={shown(window)}) for its own, or window="
        "xaimri.Window(low, high) for intensities."
    )


def _check_spelling(unknown: Sequence[str]) -> None:
    """Refuse what is nearly the name of a model's option, and no setting."""
    for name in unknown:
        near = get_close_matches(name, OPTIONS, 1, cutoff=0.7)
        if near:
            raise InvalidInput(
                f"`{name}` is no option of a model and no setting of a method: did you mean `{near[0]}`?"
            )

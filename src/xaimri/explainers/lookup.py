"""Methods by name: built with settings, read from a record, or asked what settings they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.explainer import Explainer
from xaimri.names import known_name
from xaimri.settings import Setting
from xaimri.settings import setting_of as _setting_of

KNOWN: dict[str, type[Explainer[Any]]] = {}
"""The methods of the table, which the package fills in: so a method that wraps another one can look it up."""


def build(method: object, settings: Mapping[str, Any] | None = None) -> Explainer[Any]:
    """Return the explainer of this name with these settings; an explainer comes back as it is.

    Raises
    ------
    InvalidInput
        If the name or a setting is unknown, or settings stand beside an explainer.

    Examples
    --------
    >>> build("gradcam", {"relu": False})
    GradCAM(layer=None, relu=False)
    """
    given = dict(settings or {})
    if isinstance(method, Explainer):
        if given:
            raise InvalidInput(
                f"settings ({', '.join(map(repr, given))}) stand beside an explainer that has its own: "
                f"set them in {type(method).__name__}(...)."
            )
        return method
    if not isinstance(method, str):
        made = f": make one, {method.__name__}()" if isinstance(method, type) else ""
        raise InvalidInput(
            f"`method` must be the name of a method or an explainer, got {shown(method)}{made}."
        )
    known = settings_of(method)
    for name in given:
        if name not in known:
            has = f"it has {', '.join(map(repr, known))}" if known else "it has none"
            raise InvalidInput(f"{shown(method)} has no setting {shown(name)}: {has}.")
    return _kind(method)(**given)


def settings_of(method: str) -> tuple[str, ...]:
    """Return the names of a method's settings."""
    return tuple(f.name for f in fields(_kind(method)))  # type: ignore[arg-type]


def setting_of(method: str, name: str) -> Setting:
    """Return the rule, the words and the unit of one setting of a method.

    Raises
    ------
    InvalidInput
        If there is no such method or setting.

    Examples
    --------
    >>> found = setting_of("lime", "samples")
    >>> found.rule.allowed, found.unit, found.parse("300")
    ('a whole number of at least 2 or "auto"', 'images', 300)
    """
    return _setting_of(_kind(method), name)


def from_record(record: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> Explainer[Any]:
    """Rebuild the explainer that wrote a record, such as ``explanation.method``."""
    return _kind(str(record.get("name"))).from_record(record, arrays)


def as_explainer(method: object, name: str = "method") -> Explainer[Any]:
    """Return an explainer from itself, its name or its record; ``name`` is what an error calls it."""
    if isinstance(method, Mapping):
        return from_record(method, method.get("arrays"))
    if isinstance(method, str | Explainer):
        return build(method)
    raise InvalidInput(f"`{name}` must be a method or its name, got {shown(method)}.")


def _kind(name: str) -> type[Explainer[Any]]:
    if name in KNOWN:
        return KNOWN[name]
    from importlib.metadata import entry_points

    others = {entry.name: entry for entry in entry_points(group="xaimri.explainers")}
    if name in others:
        loaded: type[Explainer[Any]] = others[name].load()
        return loaded
    return _kind(known_name(name, [*KNOWN, *others], "method"))

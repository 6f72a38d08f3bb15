"""The methods that a caller names, made with the settings that stand beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from xaimri.errors import InvalidInput, shown
from xaimri.explainer import Explainer
from xaimri.explainers import build, settings_of

Method: TypeAlias = str | Explainer[Any]
"""A method by name, or an explainer."""

Methods: TypeAlias = Mapping[str, Method] | Iterable[Method] | Method
"""One method or several; in a mapping under names of the caller's own."""


def build_all(methods: Methods, settings: Mapping[str, Any] | None = None) -> list[Explainer[Any]]:
    """Return the explainers in order, each made by name with those of the settings that it has.

    Raises
    ------
    InvalidInput
        If there is no method, a name is unknown, or none of them has a setting.

    Examples
    --------
    >>> build_all(["gradcam", "lime"], {"relu": False})[0]
    GradCAM(layer=None, relu=False)
    """
    listed = listed_methods(methods)
    given = dict(settings or {})
    known = {each: settings_of(each) for each in listed if isinstance(each, str)}
    for name in given:
        if not any(name in its for its in known.values()):
            raise InvalidInput(_unknown(name, listed, [one for its in known.values() for one in its]))
    return [
        build(each, {k: v for k, v in given.items() if k in known[each]})
        if isinstance(each, str)
        else build(each)
        for each in listed
    ]


def build_one(method: object, settings: Mapping[str, Any] | None = None) -> Explainer[Any]:
    """Return the explainer of one method; several are for `xaimri.compare`.

    Raises
    ------
    InvalidInput
        As `build_all`, and if it is not one.
    """
    return build_all(check_one_method(method), settings)[0]


def check_one_method(method: object) -> Method:
    """Return a method, or say that this is none, or several."""
    if isinstance(method, str | Explainer):
        return method
    made = f": make one, {method.__name__}()" if isinstance(method, type) else ""
    raise InvalidInput(
        "`method` must be the name of a method or an explainer (xaimri.compare takes several), got "
        f"{shown(method)}{made}."
    )


def build_named(methods: Methods, settings: Mapping[str, Any] | None = None) -> dict[str, Explainer[Any]]:
    """Return the explainers under the caller's names, or else their own, no two alike.

    Raises
    ------
    InvalidInput
        As `build_all`, and if two have one name.
    """
    built = build_all(methods, settings)
    names = list(map(str, methods)) if isinstance(methods, Mapping) else [each.name for each in built]
    named = dict(zip(names, built, strict=True))
    if len(named) < len(built):
        raise InvalidInput(
            "two explainers have one name: give a mapping from names of your own, such as "
            '{"few": LIME(samples=100), "many": LIME(samples=1000)}.'
        )
    return named


def listed_methods(methods: Methods) -> list[Method]:
    """Return one method or several as a list."""
    if isinstance(methods, Mapping):
        listed = list(methods.values())
    elif isinstance(methods, str | Explainer):
        listed = [methods]
    else:
        walked = isinstance(methods, Iterable) and getattr(methods, "shape", None) != ()
        listed = list(methods) if walked else []
        wrong: list[object] = [one for one in listed if not isinstance(one, str | Explainer)]
        if wrong:
            raise InvalidInput(f"`methods` must hold names of methods or explainers, got {shown(wrong[0])}.")
    if not listed:
        raise InvalidInput('`methods` must be a list of methods, such as ["gradcam", "lime"].')
    return listed


def held_methods(methods: Methods) -> Mapping[str, Method] | list[Method]:
    """Return the methods so that they can be gone through again, which an iterator can't be."""
    return methods if isinstance(methods, Mapping) else listed_methods(methods)


def _unknown(name: str, methods: list[Method], settings: list[str]) -> str:
    """Say that no method has such a setting, and which it may have been."""
    made = next((type(each).__name__ for each in methods if not isinstance(each, str)), None)
    if made is not None and len(methods) == 1:
        return (
            f"the setting {name!r} stands beside an explainer that has its own: set it where that is made, "
            f"as {made}({name}=...)."
        )
    words = [repr(each) if isinstance(each, str) else type(each).__name__ for each in methods]
    named = ", ".join(words[:5]) + (", ..." if len(words) > 5 else "")
    begin = (
        f"{named} has no setting {name!r}" if len(methods) == 1 else f"none of {named} has a setting {name!r}"
    )
    near = get_close_matches(name, settings, 1)
    if near:
        return f"{begin}: did you mean {near[0]!r}?"
    if made is not None:
        return f"{begin}: what belongs to an explainer is set where it is made, as {made}({name}=...)."
    has = ", ".join(map(repr, dict.fromkeys(settings))) or "none"
    return f"{begin}: {'it has' if len(methods) == 1 else 'they have'} {has}."

"""Arguments of public functions are held to what their annotations say, before anything is done with them.

So a number of NumPy counts as the number, its words as words; and what is no such thing is told in one short
sentence that names the argument, says what it must be, and quotes what was given only where that is short.

>>> @check_arguments(steps=WholeNumber(1))
... def walk(steps: int, slowly: bool = False) -> int:
...     return steps
>>> walk(np.int64(3))
3
>>> walk(3, slowly="yes")
Traceback (most recent call last):
...
xaimri.errors.InvalidInput: `slowly` must be True or False, got 'yes'.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from functools import cache, reduce, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import numpy as np
from jaxtyping import AbstractArray

from xaimri.errors import InvalidInput
from xaimri.kinds import AnyOf, Anything, Entries, Function, Instance, Numeric, PathName, Several, Stream
from xaimri.rules import SEED, Choice, Flag, Name, Number, OrNone, Rule, WholeNumber
from xaimri.settings import SETTING

F = TypeVar("F", bound=Callable[..., Any])

PLAIN: Mapping[object, Rule] = {
    bool: Flag(), int: WholeNumber(), float: Number(), str: Name(), Path: PathName(), os.PathLike: PathName(),
}  # fmt: skip
"""Rules of types that stand for themselves."""

PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
"""Kinds of parameters that are given by their place."""

LISTS = (list, Sequence, Collection)
"""Types that have an order and a length."""


def check_arguments(**rules: Rule) -> Callable[[F], F]:
    """Hold the arguments of a function to rules: those given here, and else what the annotations say.

    An annotation that allows anything, or whose type is not loaded, leaves the argument to the function.

    Raises
    ------
    InvalidInput
        From the function: if an argument is no such thing, or there is none of that name.
    """

    def decorate(function: F) -> F:
        known = inspect.signature(function).parameters
        placed = [name for name, each in known.items() if each.kind in PLACED]
        open_ended = any(each.kind is each.VAR_KEYWORD for each in known.values())
        held: dict[str, Rule | None] = {
            name: None if isinstance(rule, Anything) else rule for name, rule in rules.items()
        }

        def kept(name: str, value: object) -> object:
            if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biufU":
                value = value[()]  # a number, or a word
            if name not in held:
                held[name] = rule_of(function, name) if name in known else None
            rule = held[name]
            return value if rule is None else rule.convert(value, name)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not open_ended:
                _refuse_unknown(function.__qualname__, known, kwargs)
            first = [kept(name, value) for name, value in zip(placed, args, strict=False)]
            named = {name: kept(name, value) for name, value in kwargs.items()}
            return function(*first, *args[len(first) :], **named)

        return cast(F, checked)

    return decorate


def check_fields(record: object) -> None:
    """Hold the fields of a frozen dataclass that have no setting's rule to their annotations."""
    kind = type(record)
    for each in fields(cast(Any, record)):
        rule = None if SETTING in each.metadata else rule_of(cast(Any, kind), each.name)
        if rule is not None:
            object.__setattr__(record, each.name, rule.convert(getattr(record, each.name), each.name))


@cache
def rule_of(owner: Callable[..., Any], name: str) -> Rule | None:
    """Return the rule that an annotation of a function or a dataclass stands for, if it is one."""
    for each in owner.__mro__ if isinstance(owner, type) else (inspect.unwrap(owner),):
        annotation = inspect.get_annotations(each).get(name)
        if annotation is None:
            continue
        parameter = None if isinstance(each, type) else inspect.signature(each).parameters[name]
        if parameter is not None and parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            return None
        space = vars(sys.modules[each.__module__])
        try:
            rule = _rule(eval(annotation, space) if isinstance(annotation, str) else annotation)
        except (NameError, AttributeError):  # a type that is imported for type checkers only
            return None
        return SEED if name == "seed" and rule == WholeNumber() else rule
    return None


def _rule(kind: Any) -> Rule | None:
    """Return the rule for a type; None where it allows anything, or all that could be said is too much."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in PLAIN or origin in PLAIN:
        return PLAIN[kind if kind in PLAIN else origin]
    if origin is Literal:
        return Choice(inner)
    if origin in (Union, UnionType):
        return _union([one for one in inner if one is not NoneType], NoneType in inner)
    if origin in LISTS or origin is tuple:
        return _list(inner, origin is tuple and Ellipsis not in inner)
    if origin is Mapping or kind is Mapping:
        return Entries(_rule(inner[-1]) or Anything() if inner else Anything())
    if origin is Iterable:
        return Stream()
    if origin is Callable:
        return Function()
    if isinstance(kind, type) and issubclass(kind, AbstractArray):
        return _array(kind)
    if kind is np.ndarray:
        return Numeric("fiubc", 0, True, "(...)")
    kind = origin or kind
    return Instance(kind) if isinstance(kind, type) and kind not in (object, Any) else None


def _union(kinds: Sequence[Any], empty: bool) -> Rule | None:
    """Return the rule for one of several types; numbers and paths count once."""
    if float in kinds:
        kinds = [one for one in kinds if one is not int]
    if any(PLAIN.get(get_origin(one) or one) == PathName() for one in kinds):
        kinds = [one for one in kinds if one is not str]
    rules = [_rule(one) for one in kinds]
    if None in rules:
        return None
    several = tuple(dict.fromkeys(cast("list[Rule]", rules)))
    rule = several[0] if len(several) == 1 else AnyOf(several)
    return OrNone(rule) if empty else rule


def _list(inner: Sequence[Any], fixed: bool) -> Rule:
    """Return the rule for a list or a tuple."""
    each = reduce(lambda one, other: one if one == other else Any, inner if fixed else inner[:1])
    return Several(_rule(each) or Anything(), len(inner) if fixed else None)


def _array(kind: Any) -> Rule:
    """Return the rule for an array with named axes."""
    words = kind.dim_str.split()
    open_ends = [one for one in words if one.startswith("*") or one == "..."]
    types = set(kind.dtypes if isinstance(kind.dtypes, Iterable) else ())
    letters = "f" if "float32" in types else "iu" if "int64" in types else "b" if "bool" in types else "fiub"
    if "float32" in types and "int64" in types:
        letters = "fiub"
    axes = ", ".join(words) + ("," if len(words) == 1 else "")
    return Numeric(letters, len(words) - len(open_ends), bool(open_ends), f"({axes})")


def _refuse_unknown(function: str, known: Mapping[str, inspect.Parameter], given: Iterable[str]) -> None:
    """Say that a function has no such argument."""
    for name in given:
        if name not in known or known[name].kind is inspect.Parameter.POSITIONAL_ONLY:
            names = [
                each.name
                for each in known.values()
                if each.kind is not each.POSITIONAL_ONLY and each.name not in ("self", "cls")
            ]
            near = get_close_matches(name, names, 1)
            has = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(names) or 'none'}."
            called = function.removesuffix(".__init__").rpartition(".")[2]
            raise InvalidInput(f"{re.sub('^_+', '', called)} has no argument `{name[:40]}`: {has}")

"""A setting: the rule for what it may hold, its meaning and its unit, all beside its field.

>>> from dataclasses import dataclass
>>> from xaimri.rules import WholeNumber
>>> @document
... @dataclass(frozen=True)
... class Walk:
...     '''A walk.'''
...
...     steps: int = setting(100, WholeNumber(2), doc="How many steps to take.", unit="steps")
...
...     def __post_init__(self) -> None:
...         check(self)
>>> Walk(steps=1)
Traceback (most recent call last):
...
xaimri.errors.InvalidInput: `steps` must be a whole number of at least 2, got 1.
>>> setting_of(Walk, "steps").parse("200")
200
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, cast

from xaimri.errors import InvalidInput, shown
from xaimri.rules import Rule

T = TypeVar("T")
Kind = TypeVar("Kind", bound=type)

SETTING = "setting"
"""Under which a field's metadata hold its :class:`Setting`."""

SECTION = re.compile(r"^\w[\w ]*\n-{3,}$", re.MULTILINE)
"""The heading of a part of a numpydoc docstring."""


@dataclass(frozen=True)
class Setting:
    """What is known of a setting: its rule, what it does, and its unit.

    Attributes
    ----------
    rule
        What it may hold.
    doc
        What it does, in sentences; the first is enough for a list.
    unit
        Of a number, such as ``"images"`` or ``"pixels"``.
    """

    rule: Rule
    doc: str = ""
    unit: str = ""

    @property
    def summary(self) -> str:
        """What it does, up to the first full stop, colon or semicolon."""
        return re.split(r"[.:;](?:\s|$)", self.doc, maxsplit=1)[0]

    def parse(self, words: str, name: str = "it") -> object:
        """Return the value that is written so on a command line: as JSON, or else the words themselves.

        Raises
        ------
        InvalidInput
            If the rule does not allow it.
        """
        try:
            value: object = json.loads(words)
        except ValueError:
            value = words
        return self.rule.convert(value, name)


def setting(default: T, rule: Rule, *, doc: str = "", unit: str = "") -> T:
    """Return a dataclass field with this default and the rule for it; see :class:`Setting`."""
    return field(default=default, metadata={SETTING: Setting(rule, doc, unit)})


def metadata(rule: Rule, *, doc: str = "", unit: str = "") -> Mapping[str, Setting]:
    """Return what ``field(metadata=...)`` needs, for a setting that has no default."""
    return {SETTING: Setting(rule, doc, unit)}


def check(settings: object) -> None:
    """Hold every setting of a frozen dataclass to its rule, and keep what the rule makes of it."""
    for each in fields(cast(Any, settings)):
        if SETTING in each.metadata:
            kept = each.metadata[SETTING].rule.convert(getattr(settings, each.name), each.name)
            object.__setattr__(settings, each.name, kept)


def settings_in(kind: type) -> dict[str, Setting]:
    """Return those settings of a class that have a rule, by name and in order."""
    inherited: Mapping[str, Any] = getattr(kind, "__dataclass_fields__", {})
    own = {name: value for name, value in vars(kind).items() if isinstance(value, Field)}
    given = {**inherited, **own}  # `own` is empty once @dataclass has run
    return {name: each.metadata[SETTING] for name, each in given.items() if SETTING in each.metadata}


def setting_of(kind: type, name: str) -> Setting:
    """Return what is known of one setting of a class.

    Raises
    ------
    InvalidInput
        If the class has no such setting, or no rule for it.
    """
    known = settings_in(kind)
    if name not in known:
        has = f"it has {', '.join(map(repr, known))}" if known else "it has none"
        raise InvalidInput(f"{kind.__name__} tells no rule for a setting {shown(name)}: {has}.")
    return known[name]


def document(kind: Kind) -> Kind:
    """Write the settings into the docstring of a class, as the section ``Parameters``; return the class.

    A docstring that has this section already, and a class that has no docstring, stay as they are.
    """
    told = {name: each for name, each in settings_in(kind).items() if each.doc}
    text = inspect.cleandoc(kind.__doc__ or "")
    if not text or not told or re.search(r"^Parameters\n-{3,}$", text, re.MULTILINE):
        return kind
    section = "\n".join(["Parameters", "-" * 10, *(_entry(name, each) for name, each in told.items())])
    heading = SECTION.search(text)
    end = heading.start() if heading else len(text)
    kind.__doc__ = f"{text[:end].rstrip()}\n\n{section}\n\n{text[end:]}"
    return kind


def _entry(name: str, told: Setting) -> str:
    lines = textwrap.wrap(told.doc, 100, break_long_words=False, break_on_hyphens=False)
    unit = f", in {told.unit}" if told.unit else ""
    return "\n    ".join([f"{name} : {told.rule.allowed}{unit}", *lines])

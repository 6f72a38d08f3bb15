"""Rules for what is more than a number or a word: paths, lists, arrays, functions and objects."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass

import numpy as np

from xaimri.errors import InvalidInput, shown
from xaimri.rules import Name, Number, Rule, WholeNumber

LONGEST = (4095, 255)
"""Bytes of a path, and of one name in it, that systems of files take."""


@dataclass(frozen=True)
class Anything(Rule):
    """What a function checks itself, with more to say than a rule has."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a thing"

    def convert(self, value: object, name: str, /) -> object:
        """Return the value as it is."""
        return value


@dataclass(frozen=True)
class PathName(Rule):
    """The path of a file or a folder."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a path"

    def convert(self, value: object, name: str, /) -> object:
        """Return the path as it is."""
        if not isinstance(value, str | os.PathLike) or os.fspath(value) in ("", b""):
            raise self.refusal(value, name)
        try:
            whole = os.fsencode(value)
        except UnicodeEncodeError:
            raise self.nameless(value, name) from None
        if len(whole) > LONGEST[0] or any(len(part) > LONGEST[1] for part in whole.split(os.sep.encode())):
            raise InvalidInput(f"`{name}` must be {self.allowed} that is not too long, got {shown(value)}.")
        if b"\0" in whole:
            raise self.nameless(value, name)
        return str(value) if isinstance(value, str) else value

    def nameless(self, value: object, name: str) -> InvalidInput:
        """Return the error of a path with letters that are in no name."""
        return InvalidInput(
            f"`{name}` has a name that no file can have, got {shown(value)}: give another one."
        )


@dataclass(frozen=True)
class Several(Rule):
    """A list, a tuple or an array of one axis, whose entries have a rule of their own; in a fixed order.

    ``count`` is how many there must be; None leaves it open.
    """

    each: Rule
    count: int | None = None

    @property
    def allowed(self) -> str:
        """What may be given."""
        plain = isinstance(self.each, Name | Instance) or self.each in (WholeNumber(), Number())
        held = self.each.allowed.removeprefix("an ").removeprefix("a ") + "s" if plain else "entries"
        return f"a list of {held}" if self.count is None else f"a list of {self.count} {held}"

    def convert(self, value: object, name: str, /) -> object:
        """Return what was given, or, where an entry is kept as something else, a list of what is kept."""
        if isinstance(value, str | bytes | bytearray | Set | Mapping) or not isinstance(value, Collection):
            raise self.refusal(value, name)
        if isinstance(value, np.ndarray) and value.ndim != 1:
            raise self.refusal(value, name)
        given = list(value)
        if self.count is not None and len(given) != self.count:
            raise self.refusal(value, name)
        kept = [self.each.convert(one, f"{name}[{place}]") for place, one in enumerate(given)]
        if not isinstance(value, list | tuple | np.ndarray):
            return value  # a data set, or another sequence that is more than its entries
        return tuple(kept) if isinstance(value, tuple) else kept


@dataclass(frozen=True)
class Entries(Rule):
    """A mapping, whose values have a rule of their own."""

    each: Rule

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a dict"

    def convert(self, value: object, name: str, /) -> object:
        """Return the mapping as it is."""
        if not isinstance(value, Mapping):
            raise self.refusal(value, name)
        for key, one in value.items():
            self.each.convert(one, f"{name}[{shown(key)}]")
        return value


@dataclass(frozen=True)
class Stream(Rule):
    """Whatever can be gone through, but for words; its entries are looked at where it is used."""

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a list"

    def convert(self, value: object, name: str, /) -> object:
        """Return it as it is."""
        if isinstance(value, str | bytes | bytearray) or not isinstance(value, Iterable):
            raise self.refusal(value, name)
        return value


@dataclass(frozen=True)
class Function(Rule):
    """Whatever can be called, with what stands in ``of``, one after the other; no class."""

    of: tuple[str, ...] | None = None

    @property
    def allowed(self) -> str:
        """What may be given."""
        return "a function" if self.of is None else f"a function of ({', '.join(self.of)})"

    def convert(self, value: object, name: str, /) -> Callable[..., object]:
        """Return it as it is."""
        if not callable(value) or isinstance(value, type):
            raise self.refusal(value, name)
        try:
            if self.of is not None:
                inspect.signature(value).bind(*self.of)
        except TypeError:
            raise self.refusal(value, name) from None
        except ValueError:  # built in: what it takes can't be told
            return value
        return value


@dataclass(frozen=True)
class Instance(Rule):
    """An object of a class, or one that has what a protocol asks for; never a class itself."""

    kind: type

    @property
    def allowed(self) -> str:
        """What may be given."""
        article = "an" if self.kind.__name__[0] in "AEIOU" else "a"
        return f"{article} {self.kind.__name__}"

    def convert(self, value: object, name: str, /) -> object:
        """Return the object as it is."""
        if isinstance(value, type) or not isinstance(value, self.kind):
            raise self.refusal(value, name)
        return value


@dataclass(frozen=True)
class Numeric(Rule):
    """An array of numbers: ``axes`` of it, or at least as many where it is ``open``.

    ``letters`` are the kinds of NumPy's types that are taken as they are; where they hold an ``f``, whole
    numbers are kept in single precision.
    """

    letters: str
    axes: int
    open: bool
    words: str

    @property
    def allowed(self) -> str:
        """What may be given."""
        held = {"f": "numbers", "b": "True and False"}.get(self.letters[0], "whole numbers")
        return f"an array of {held} with the axes {self.words}"

    def convert(self, value: object, name: str, /) -> object:
        """Return the array."""
        if not isinstance(value, np.ndarray):
            raise self.refusal(value, name)
        fits = value.ndim >= self.axes if self.open else value.ndim == self.axes
        if not fits or value.dtype.kind not in self.letters + ("iu" if "f" in self.letters else ""):
            raise self.refusal(value, name)
        return value.astype(np.float32) if self.letters == "f" and value.dtype.kind in "iu" else value


@dataclass(frozen=True)
class AnyOf(Rule):
    """What one of several rules allows, the first that does."""

    rules: tuple[Rule, ...]

    @property
    def allowed(self) -> str:
        """What may be given."""
        return " or ".join(each.allowed for each in self.rules)

    def convert(self, value: object, name: str, /) -> object:
        """Return what the first rule that allows the value makes of it."""
        for each in self.rules:
            try:
                return each.convert(value, name)
            except InvalidInput:
                continue
        raise self.refusal(value, name)

"""What is known of a model: sentences, each with the file that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Fact:
    """A sentence of a card.

    Attributes
    ----------
    text
        The sentence.
    source
        The file that it is read from, or who states it.
    """

    text: str
    source: str


Facts: TypeAlias = Mapping[str, tuple[Fact, ...]]
"""Facts by their names, as the items of `xaimri.card.items` ask for them."""


def joined(*found: Mapping[str, Iterable[Fact]]) -> dict[str, tuple[Fact, ...]]:
    """Return the facts of several files together, in order."""
    names = dict.fromkeys(name for each in found for name in each)
    return {name: tuple(fact for each in found for fact in each.get(name, ())) for name in names}


def told(source: str, sentences: Mapping[str, Iterable[str]]) -> dict[str, tuple[Fact, ...]]:
    """Return sentences of one file as facts; what has none is left out."""
    made = {name: tuple(Fact(text, source) for text in texts) for name, texts in sentences.items()}
    return {name: facts for name, facts in made.items() if facts}


def figure(estimate: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval in words, as reports keep it.

    Examples
    --------
    >>> figure({"value": 0.8, "low": 0.7, "high": 0.9}), figure({"value": 1, "low": None, "high": None})
    ('0.80 [0.70, 0.90]', '1.00 (no interval)')
    >>> figure({"value": None})
    'not estimable'
    """
    if estimate is None or estimate.get("value") is None:
        return "not estimable"
    if estimate.get("low") is None or estimate.get("high") is None:
        return f"{estimate['value']:.2f} (no interval)"
    return f"{estimate['value']:.2f} [{estimate['low']:.2f}, {estimate['high']:.2f}]"


def counted(count: int, word: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "subject"), counted(1200, "case")
    ('1 subject', '1,200 cases')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"

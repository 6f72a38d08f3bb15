"""A card as Markdown: words of others are written so that they are words, not marks or tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import TypeAlias

from xaimri.card.fact import Fact
from xaimri.card.items import Checklist, Item

MISSING = "not reported"
"""Stands where nothing is known."""

Sections: TypeAlias = Sequence[tuple[str, Sequence[tuple[Item, tuple[Fact, ...]]]]]
"""Headings, and under each its items with what is known."""

_MARKS = re.compile(r"([\\`*_{}\[\]#|~!])")


def markdown(
    title: str,
    performance: Iterable[Fact],
    lists: Iterable[tuple[Checklist, tuple[int, int], Sections]],
    sources: Iterable[str],
) -> str:
    """Return a card as Markdown: a heading, the performance, and a list of items for every checklist."""
    lines = [f"# {plain(title)}", ""]
    lines += [f"- {_told(fact)}" for fact in performance] or [f"Performance: {MISSING}."]
    lines += ["", f"Read: {', '.join(map(plain, sources))}."]
    for checklist, (filled, count), sections in lists:
        lines += ["", f"## {checklist.title}", "", f"{checklist.citation}.", ""]
        lines += [f"Something is reported for {filled} of {count} items."]
        for section, rows in sections:
            lines += ["", f"### {section}", ""]
            for item, facts in rows:
                lines += _item(item, facts)
    return "\n".join([*lines, ""])


def plain(words: str) -> str:
    r"""Return words in which no character is a mark of Markdown or a tag of HTML, on one line.

    Examples
    --------
    >>> print(plain("a*b <script>"))
    a\*b &lt;script&gt;
    """
    return escape(_MARKS.sub(r"\\\1", " ".join(words.split())), quote=False)


def _item(item: Item, facts: tuple[Fact, ...]) -> list[str]:
    head = f"- **{item.number}. {item.name}**"
    if not facts:
        return [f"{head}: {MISSING}"]
    return [head, *(f"  - {_told(fact)}" for fact in facts)]


def _told(fact: Fact) -> str:
    return f"{plain(fact.text)} *({plain(fact.source)})*"

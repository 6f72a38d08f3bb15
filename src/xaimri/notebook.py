"""What a notebook shows of an object: a card of words, tables and pictures in the page's own colours.

All that is shown is escaped, nothing is fetched, and styles stand in the tags: a notebook that isn't trusted
drops everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from xaimri.caveats import Caveat, link_of, reason_of

FRAME = (
    "max-width:100%;overflow-x:auto;box-sizing:border-box;padding:.5em .9em;margin:.3em 0;line-height:1.45;"
    "border:1px solid rgba(128,128,128,.4);border-radius:6px"
)
TITLE = "font-weight:600;margin-bottom:.4em"
LINE = "margin:.4em 0"
CELL = "padding:.15em .7em .15em 0;text-align:left;vertical-align:top;color:inherit;background:none"
SHORT = f"{CELL};white-space:nowrap"
BROAD = f"{CELL};min-width:11em"
LINK = "color:inherit;text-decoration:underline"
HEAD = f"{CELL};font-weight:600;border-bottom:1px solid rgba(128,128,128,.4)"

LONG = 24
"""Letters of the longest cell that stays on one line."""

OPEN = 12
"""Lines of a list that are shown; more are folded."""


def card(title: str, *parts: str) -> str:
    """Return a card: a title over parts that are HTML already; empty parts are left out."""
    return f'<div style="{FRAME}"><div style="{TITLE}">{escape(title)}</div>{"".join(parts)}</div>'


def paragraphs(lines: Iterable[str]) -> str:
    """Return sentences, each on a line of its own.

    Examples
    --------
    >>> paragraphs(["a < b"])
    '<p style="margin:.4em 0">a &lt; b</p>'
    """
    return "".join(f'<p style="{LINE}">{escape(line)}</p>' for line in lines)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of words as a table that scrolls within the card; without rows, nothing."""
    lines = ["".join(map(_cell, row)) for row in rows]
    if not lines:
        return ""
    top = "".join(f'<th style="{HEAD}">{escape(head)}</th>' for head in heads)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div style="overflow-x:auto"><table style="{LINE};border-collapse:collapse">'
        f"{f'<thead><tr>{top}</tr></thead>' if any(heads) else ''}<tbody>{body}</tbody></table></div>"
    )


def listed(heading: str, lines: Sequence[str]) -> str:
    """Return a list under its heading, folded where it is long; without lines, nothing."""
    return _list(heading, [escape(line) for line in lines], len(lines) > OPEN)


def folded(heading: str, lines: Sequence[str]) -> str:
    """Return a list that a click on its heading opens; without lines, nothing."""
    return _list(heading, [escape(line) for line in lines], True)


def behind(heading: str, part: str) -> str:
    """Return a part that is HTML already, and that a click on its heading opens."""
    return f'<details style="{LINE}"><summary>{escape(heading)}</summary>{part}</details>'


def caveats(found: Iterable[Caveat]) -> str:
    """Return every caveat once, with a link to its paragraph in the manual; without one, nothing."""
    items = [f"{_linked(each.name)}: {escape(each.text)}" for each in dict.fromkeys(found)]
    return _list("Caveats", items, False)


def counted(heading: str, counts: Mapping[str, int]) -> str:
    """Return on how many maps each caveat stands, by its name, with what it means and a link."""
    items = []
    for name, count in counts.items():
        reason = reason_of(name)
        when = "" if reason is None else f": {escape(reason.when)}"
        items.append(f"{_linked(name)} on {count}{when}")
    return _list(heading, items, False)


def _linked(name: str) -> str:
    link, bold = link_of(name), f"<b>{escape(name)}</b>"
    return bold if link is None else f'<a style="{LINK}" href="{link}">{bold}</a>'


def _list(heading: str, items: Sequence[str], closed: bool) -> str:
    if not items:
        return ""
    points = f'<ul style="{LINE};padding-left:1.4em">{"".join(f"<li>{item}</li>" for item in items)}</ul>'
    if closed:
        return f'<details style="{LINE}"><summary>{escape(heading)}</summary>{points}</details>'
    return f'<div style="{LINE}">{escape(heading)}{points}</div>'


def _cell(words: str) -> str:
    """Return a cell; a short one, such as a figure with its interval, stays on one line."""
    return f'<td style="{SHORT if len(words) <= LONG else BROAD}">{escape(words)}</td>'

"""The page that a demonstration ends in: one file, images inside, readable on a phone, light and dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from xaimri.archive import write_text

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
img { max-width: 100%; height: auto; background: white; border-radius: 4px }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: 4px }
"""

INTRODUCTION = (
    "Phantoms are brains made from a seed, so the answer is known (yellow). The relevance gain is the share "
    "of a map's positive relevance in the answer, over the answer's share of the brain: 1 is chance. "
    "Explained are the log-odds of the true stage. "
    "Intervals are 95 % over subjects."
)

Part = tuple[str, str, str, Sequence[str], Sequence[Path]]
"""What changes, what to expect, balanced accuracy, lines of the table, figures."""


def write_page(folder: Path, parts: Sequence[Part]) -> Path:
    """Write ``index.html`` into the folder, and return its path."""
    body = "".join(map(_section, parts))
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return write_text(
        folder / "index.html",
        f'<!doctype html><html lang="en"><head>{head}<title>xaimri demo</title><style>{STYLE}</style></head>'
        f"<body><h1>Do maps find what changed?</h1><p>{INTRODUCTION}</p>{body}</body></html>\n",
    )


def _section(part: Part) -> str:
    change, why, accuracy, table, figures = part
    pictures = "".join(
        f'<p><img alt="Slice, known answer and maps: {escape(file.stem)}" '
        f'src="data:image/png;base64,{b64encode(file.read_bytes()).decode()}"></p>'
        for file in figures
    )
    rows = escape("\n".join(table))
    return (
        f"<h2>Changed: {escape(change)}</h2><p>{escape(why)}</p>"
        f"<p>Balanced accuracy of held-out subjects: {escape(accuracy)}</p><pre>{rows}</pre>{pictures}"
    )

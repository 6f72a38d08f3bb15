"""Fill an interactive page in: words are escaped, arrays packed, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from xaimri.caveats import Caveat, link_of
from xaimri.explanation import Explanation
from xaimri.images.planes import CONVENTION
from xaimri.render.block import Block
from xaimri.render.panel import headline, verdict

KEYS = (
    "Click or tap: move the cross-hair. Wheel, page up and down: next plane (with Shift, ten). "
    "Arrow keys: within the plane that has the focus. Home and End: first and last plane."
)
KEYS_OF_SLICE = "Click or tap, or arrow keys: move the cross-hair."


def write_page(
    explanation: Explanation,
    facts: Mapping[str, Any],
    blocks: Mapping[str, Block],
    heading: str | None,
    notes: Sequence[str],
) -> str:
    """Fill the page in: what comes from outside is escaped, and put in once."""
    style, script, page = (_part(name) for name in ("page.css", "page.js", "page.html"))
    words = headline(explanation).split("\n")[0]
    parts = {
        "title": escape(": ".join(filter(None, [heading, f"{words} of {explanation.question}"]))),
        "verdict": escape(f"{explanation.of.replace('_', '-')} of {verdict(explanation, 3)}"),
        "unit": escape(f"in {explanation.unit}: {_sign(explanation)}"),
        "caveats": _caveats(explanation.caveats),
        "keys": KEYS if explanation.values.ndim == 3 else KEYS_OF_SLICE,
        "notes": escape(" ".join([*_notes(explanation, blocks), *notes])),
        "facts": json.dumps(
            {**facts, "blocks": {n: b.facts() for n, b in blocks.items()}}, allow_nan=False
        ).replace("<", "\\u003c"),
        "blocks": "\n".join(
            f'<script type="text/plain" id="block-{name}">{block.text}</script>'
            for name, block in blocks.items()
        ),
        "style": style, "script": script, "style_hash": _hash(style), "script_hash": _hash(script),
    }  # fmt: skip
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], page)


def _sign(explanation: Explanation) -> str:
    if not explanation.values.any():
        return "every value is 0."
    return f"above 0 speaks for {explanation.question}, below 0 against it."


def _caveats(caveats: Sequence[Caveat]) -> str:
    items = []
    for each in dict.fromkeys(caveats):
        link, name = link_of(each.name), f"<b>{escape(each.name)}</b>"
        if link is not None:
            name = (
                f'<a href="{escape(link, quote=True)}" target="_blank" rel="noopener noreferrer">{name}</a>'
            )
        items.append(f"<li>{name}: {escape(each.text)}</li>")
    return f"<section><h2>Caveats</h2><ul>{''.join(items)}</ul></section>" if items else ""


def _notes(explanation: Explanation, blocks: Mapping[str, Block]) -> list[str]:
    """Return how the page is to be read."""
    notes = []
    if explanation.values.ndim == 3 and explanation.affine is not None:
        notes.append(f"{CONVENTION} Places in mm grow to the right, to the front and upwards.")
    elif explanation.values.ndim == 3:
        notes.append("Where the voxels lie in the body is not known: no sides are marked.")
    names = {"scan": "intensities", "map": "values", "errors": "standard errors"}
    rounded = [f"{names[n]} by up to {b.rounding:.1g}" for n, b in blocks.items() if b.rounding]
    if rounded:
        notes.append(f"Numbers are rounded on this page: {', '.join(rounded)}.")
    return notes


@cache
def _part(name: str) -> str:
    return (files("xaimri.render") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

"""What a notebook shows of explanations: a card with a picture, a table, and the caveats as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from xaimri import notebook
from xaimri.arguments import check_arguments
from xaimri.explanation import Explanation
from xaimri.render.figure import figure, grid
from xaimri.render.output import embed
from xaimri.render.panel import headline, title_of, verdict
from xaimri.render.sheet import sheet
from xaimri.render.view import MOST, view
from xaimri.table import word

SHOWN = 12
"""Panels above a table, at most."""

ROWS = 200
"""Rows of a table, at most."""


@check_arguments()
def html(explanation: Explanation) -> str:
    """Return an explanation as HTML, for notebooks: its figure, what was asked, and its caveats as text."""
    method = title_of(explanation.method)
    facts = [
        ("explained", f"{explanation.of.replace('_', '-')} of {verdict(explanation, 3)}"),
        ("predicted", explanation.classes[explanation.predicted]),
        ("values", f"{' x '.join(map(str, explanation.values.shape))}, in {explanation.unit}"),
    ]
    settings = [f"{name} = {value}" for name, value in explanation.method.get("settings", {}).items()]
    return notebook.card(
        f"{method} of {explanation.question}",
        _shown(explanation),
        notebook.table(("", ""), facts),
        notebook.caveats(explanation.caveats),
        notebook.folded("Settings", settings),
    )


def _shown(explanation: Explanation) -> str:
    """Return the picture of a slice; of a volume the interactive page, where a notebook can hold it.

    A notebook that isn't trusted drops the page: the picture is there, too.
    """
    picture = embed(figure(explanation, footnote=False), _words(explanation))
    if explanation.values.ndim != 3 or explanation.values.size > MOST:
        return picture
    page = view(explanation)
    if page.embeddable:
        return page.frame() + notebook.behind("As a picture", picture)
    return picture + notebook.paragraphs([page.way()])


def html_comparison(explanations: Sequence[Explanation]) -> str:
    """Return explanations of one image as HTML, for notebooks."""
    if not explanations:
        return notebook.card("No explanation")
    rows = [
        (
            title_of(each.method), f"{each.of.replace('_', '-')} of {verdict(each, 3)}", each.unit,
            ", ".join(caveat.name for caveat in each.caveats),
        )
        for each in explanations
    ]  # fmt: skip
    return notebook.card(
        f"{len(explanations)} explanations of one image",
        embed(grid(explanations, footnote=False), "; ".join(map(_words, explanations))),
        notebook.table(("method", "explained", "unit", "caveats"), rows),
        notebook.caveats(caveat for each in explanations for caveat in each.caveats),
    )


@check_arguments()
def html_table(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    explanations: Mapping[str, Explanation],
    notes: Sequence[str] = (),
) -> str:
    """Return rows as an HTML table under a sheet of the first explanations, for notebooks."""
    some = dict(islice(explanations.items(), SHOWN))
    counts = Counter(name for each in explanations.values() for name in {c.name for c in each.caveats})
    more = [f"and {len(rows) - ROWS} more rows"] if len(rows) > ROWS else []
    return notebook.card(
        f"{len(explanations)} of {len(rows)} images explained",
        embed(sheet(some), ", ".join(some)) if some else "",
        notebook.table(columns, [[word(row.get(name)) for name in columns] for row in rows[:ROWS]]),
        notebook.paragraphs([*more, *notes]),
        notebook.counted("Caveats, and on how many maps", dict(counts.most_common())),
    )


def _words(explanation: Explanation) -> str:
    """Return what a picture of an explanation shows, in a line."""
    return headline(explanation).replace("\n", ": ")

"""The directive ``methods``: a table of the methods, made from the table in the code.

A directive's argument chooses a family, such as ``{methods} gradient``; without one all are listed.
"""

import inspect

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADS = ("name", "in figures", "what a value is", "needs", "cost per image")


def rows(family=None):
    """Return a row for every method, or for every one of a family, in the order of the table."""
    from xaimri.explainers import EXPLAINERS

    chosen = [kind for kind in EXPLAINERS.values() if family in (None, kind.family)]
    return [
        (
            f'`"{kind.name}"` {{class}}`~xaimri.{kind.__name__}`',
            kind.title,
            inspect.getdoc(kind).splitlines()[0].rstrip("."),
            f"{{class}}`~xaimri.classifier.{kind.needs.__name__}`",
            kind.cost,
        )
        for kind in chosen
    ]


class Methods(SphinxDirective):
    """A table of methods, one row each."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return the table's nodes."""
        found = rows(self.arguments[0] if self.arguments else None)
        lines = ["| " + " | ".join(row) + " |" for row in (HEADS, ["---"] * len(HEADS), *found)]
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, holder)
        return holder.children


def setup(app):
    """Make the directive known."""
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True}

"""The page of a network's audit, which a reader understands who did not make it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from xaimri.arrays import Fitted
from xaimri.audit.effect import Effect
from xaimri.audit.figures import effects_figure, examples_figure, means_figure
from xaimri.audit.relevance import MeanMap
from xaimri.audit.tables import HEADS, PROBED, SHARES
from xaimri.documents.document import document
from xaimri.documents.picture import Picture, picture
from xaimri.evaluation.estimate import Estimate

HOW = (
    (
        "p",
        "where the object stays, of the drop, by flipping signs over subjects; where it goes, of the AUROC "
        "above chance, by dealing labels over subjects; corrected for the number of rows",
    ),
    (
        "found",
        "a drop where the order of the subjects, by AUROC, falls too: what shifts all of them alike is no "
        "sign of use",
    ),
    ("object", "what a uniform background lets tell, its largest part and those near it"),
)
"""How figures are made, by what they are called."""


def page_of(
    audit: object,
    tables: Mapping[str, Sequence[Sequence[str]]],
    pictures: Mapping[str, Picture | None],
    facts: Sequence[tuple[str, object]],
) -> str:
    """Return the HTML document of an audit.

    Parameters
    ----------
    audit
        Whose sentences are written.
    tables
        Rows of ``"effects"``, ``"probes"`` and ``"shares"``, under `HEADS`, `PROBED` and `SHARES`.
    pictures
        ``"effects"``, ``"examples"`` and ``"means"``; None where there is none.
    facts
        Names and what each is.
    """
    heads = {
        "effects": ["changed", *HEADS[1:]],
        "probes": ["read", *PROBED[1:]],
        "shares": [*SHARES],
    }
    title = "What this network goes by"
    context = {"heads": heads, "tables": tables, "pictures": pictures, "facts": [*facts, *HOW]}
    return document("model_audit.html", title, audit=audit, **context)


def effects_picture(effects: Sequence[Effect], plain: Estimate, chance: float) -> Picture | None:
    """Return the figure of all effects; None where nothing is estimable."""
    if math.isnan(plain.value):
        return None
    told = "; ".join(f"{e.title} {e.after}" for e in effects if e.estimable)
    words = f"Balanced accuracy: as it is {plain}; {told}."
    marks = "Diamonds: found." if any(e.found for e in effects if e.estimable) else ""
    return picture(effects_figure(effects, plain, chance), words, marks)


def examples_picture(images: Mapping[str, Fitted]) -> Picture | None:
    """Return one image under every intervention; None where none changes it."""
    if len(images) < 2:
        return None
    words = f"One image: {', '.join(images)}."
    return picture(examples_figure(images), words, "One of the images under each change.")


def means_picture(means: Sequence[MeanMap]) -> Picture | None:
    """Return the mean maps of classes; None where there are none."""
    if not means:
        return None
    words = f"Mean maps of {', '.join(each.name for each in means)}, above their standard errors."
    caption = (
        "Each person's maps count once. Where a mean is no larger than twice its error, it says nothing."
    )
    return picture(means_figure(means), words, caption)

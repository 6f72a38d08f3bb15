"""The tables of a network's audit, as cells of text: effects, probes, and where relevance lies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from xaimri.audit.effect import Effect
from xaimri.audit.probe import Probe
from xaimri.audit.relevance import Relevance

HEADS = ("", "images", "as it is", "changed", "drop", "AUROC changed", "p")
"""Of the table of effects."""

PROBED = ("", "images", "measure", "read", "by class alone", "p", "drop if held", "p of the drop")
"""Of the table of probes."""

SHARES = ("part", "share of relevance", "of area", "excess")
"""Of the table of where relevance lies."""


def effect_rows(effects: Iterable[Effect]) -> list[list[str]]:
    """Return the cells under `HEADS`; what is not estimable says why."""
    return [
        [e.title, str(e.changed), *map(str, (e.before, e.after, e.drop, e.order)), p_words(e.p)]
        if e.estimable else [e.title, str(e.changed), "", e.note, "", "", ""]
        for e in effects
    ]  # fmt: skip


def probe_rows(probes: Iterable[Probe]) -> list[list[str]]:
    """Return the cells under `PROBED` of those that have figures."""
    return [
        [
            probe.name, str(probe.images), probe.measure, str(probe.value), number_words(probe.by_class),
            p_words(probe.p), str(probe.drop), p_words(probe.p_drop),
        ]
        for probe in probes
        if not probe.note
    ]  # fmt: skip


def share_rows(relevance: Relevance | None) -> list[list[str]]:
    """Return the cells under `SHARES`; none where no map was asked for."""
    shares = () if relevance is None else relevance.shares
    return [[share.part, str(share.relevance), f"{share.area:.2f}", str(share.excess)] for share in shares]


def p_words(value: float) -> str:
    """Return a p as it is written.

    Examples
    --------
    >>> p_words(0.0004), p_words(0.2), p_words(float("nan"))
    ('< 0.001', '0.200', '')
    """
    if math.isnan(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def chance_p(p: float) -> str:
    """Return the p of doing better than chance in brackets, where there is one.

    Examples
    --------
    >>> chance_p(0.2), chance_p(0.0004), chance_p(float("nan"))
    (' (p = 0.200)', ' (p < 0.001)', '')
    """
    told = p_words(p)
    return "" if not told else f" (p {told if told.startswith('<') else f'= {told}'})"


def number_words(value: float) -> str:
    """Return a number to two places; empty where there is none."""
    return "" if math.isnan(value) else f"{value:.2f}"


def together(noted: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield each note once, behind all that it is of; an empty one is none."""
    of: dict[str, list[str]] = {}
    for name, note in noted:
        of.setdefault(note, []).append(name)
    for note, names in of.items():
        if note:
            told = ", ".join(names)  # "MMSE" keeps its letters
            yield f"{told[:1].upper()}{told[1:]}: {note}."

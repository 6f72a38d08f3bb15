"""What a judgement says in words: as text for a terminal, as a card for a notebook."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xaimri import notebook
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.judgement.rows import Difference, Summary
from xaimri.metric import Metric
from xaimri.table import align

LISTED = 20
"""Certain differences that are told, at most."""


@dataclass(frozen=True)
class Words:
    """What there is to say of a judgement.

    Attributes
    ----------
    summary, metrics, differences
        As of :class:`xaimri.judgement.Judgement`; so are ``confidence``, ``resamples``, ``of``,
        ``against``, ``caveats`` and ``failures``.
    cases, people, read
        How many cases and subjects there are, and of how many subjects an image could be read.
    notes, effects
        Sentences on the cases, and on what erasing their masks does.
    """

    summary: Sequence[Summary]
    metrics: Mapping[str, Metric]
    differences: Sequence[Difference]
    cases: int
    people: int
    read: int
    confidence: float
    resamples: int
    of: str | None
    against: str | None
    notes: Sequence[str]
    effects: Sequence[str]
    caveats: Mapping[str, Mapping[str, int]]
    failures: Mapping[str, int]

    def text(self) -> str:
        """Return it as lines."""
        lines = [
            f"{self._whose()}; ^ higher is better, v lower is better.",
            "",
            *align(*self.table("^", "v")),
            "",
            *self.intervals(),
            *self.notes,
        ]
        if self.effects:
            lines += ["", *self.effects]
        counts = [f"{name}: {_counts(found)}" for name, found in self.caveats.items()]
        for heading, items in (("Caveats, and on how many maps", counts), *self.lists()):
            if items:
                lines += ["", f"{heading}:", *(f"  {item}" for item in items)]
        return "\n".join(lines)

    def html(self) -> str:
        """Return it as a card: the table, what stands in brackets, caveats with their links."""
        return notebook.card(
            f"Judgement of {self._whose()}",
            notebook.table(*self.table("↑", "↓")),
            notebook.paragraphs(
                ["↑ higher is better, ↓ lower is better.", *self.intervals(), *self.notes, *self.effects]
            ),
            *(notebook.counted(f"Caveats on maps of {name}", found) for name, found in self.caveats.items()),
            *(notebook.listed(heading, items) for heading, items in self.lists()),
        )

    def _whose(self) -> str:
        other = "" if self.of is None else f", {self.of.replace('_', '-')} explained"
        other += "" if self.against is None else f", each class against {self.against}"
        return f"{self.cases} cases of {self.people} subjects{other}"

    def table(self, higher: str, lower: str) -> tuple[list[str], list[list[str]]]:
        """Return heads and rows: explainers by metrics."""
        heads = [f"{name} ({higher if m.better == 'higher' else lower})" for name, m in self.metrics.items()]
        means = {(s.explainer, s.metric): s for s in self.summary}
        names = dict.fromkeys(s.explainer for s in self.summary)
        return ["", *heads], [[n, *(_cell(means[n, metric]) for metric in self.metrics)] for n in names]

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Return the lists after the table, with their headings."""
        apart = [d for d in self.differences if d.certain]
        told = [f"{d.metric}: {d.first} - {d.second} = {_figure(d.estimate)}" for d in apart[:LISTED]]
        if len(apart) > LISTED:
            told.append(f"and {len(apart) - LISTED} more: `.differences` has them all.")
        yield "Differences whose interval does not contain zero (first less second, same cases)", told
        yield "Without a value", [f"{count} x {why}" for why, count in self.failures.items()]

    def intervals(self) -> Iterator[str]:
        """Say what stands in brackets, or why nothing does."""
        if self.read < MINIMUM_SUBJECTS:
            yield (
                f"No intervals: they need at least {MINIMUM_SUBJECTS} subjects, and there "
                f"{'is' if self.read == 1 else 'are'} {self.read}."
            )
            return
        bare = [s for s in self.summary if s.estimate.bare]
        if any(not math.isnan(s.estimate.low) for s in self.summary):
            yield f"In brackets: {self.confidence:.0%} intervals, by {self.resamples} resamples of subjects."
        if any(s.subjects < MINIMUM_SUBJECTS for s in bare):
            yield f"Means of fewer than {MINIMUM_SUBJECTS} subjects have none."
        if any(s.subjects >= MINIMUM_SUBJECTS for s in bare):
            yield "A mean without brackets is of people who all have that value, which is no certainty."


def _counts(caveats: Mapping[str, int]) -> str:
    """List caveats with their numbers, the commonest first."""
    return ", ".join(f"{name} {count}" for name, count in Counter(caveats).most_common())


def _cell(summary: Summary) -> str:
    estimate = summary.estimate
    if math.isnan(estimate.value):
        return f"- ({summary.failures} failed)"
    return _figure(estimate) + (f" ({summary.failures} failed)" if summary.failures else "")


def _figure(estimate: Estimate) -> str:
    """Write a mean in three digits, its interval behind it where there is one."""
    text = f"{estimate.value:.3g}"
    return text if math.isnan(estimate.low) else f"{text} [{estimate.low:.3g}, {estimate.high:.3g}]"

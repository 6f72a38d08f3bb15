"""What an audit of a network found: effects, probes, maps, in words and as data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xaimri import archive, notebook
from xaimri.arguments import check_arguments
from xaimri.arrays import Fitted
from xaimri.audit.effect import CERTAIN, Effect
from xaimri.audit.page import effects_picture, examples_picture, means_picture, page_of
from xaimri.audit.probe import Probe
from xaimri.audit.relevance import Relevance
from xaimri.audit.tables import (
    HEADS,
    PROBED,
    SHARES,
    chance_p,
    effect_rows,
    number_words,
    probe_rows,
    share_rows,
    together,
)
from xaimri.documents.picture import Picture
from xaimri.errors import InvalidInput
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.failure import Failure
from xaimri.names import first_names
from xaimri.table import align


@dataclass(frozen=True, eq=False)
class ModelAudit:
    """What a network was found to go by; :func:`xaimri.audit_model` makes it, printing it gives the text.

    Attributes
    ----------
    classes
        Names.
    images, subjects
        How many were asked about.
    plain
        Balanced accuracy of the images as they are, by subject, over the classes with enough subjects.
    chance, p
        What it is by chance, and how often labels dealt anew over subjects do as well.
    order
        The mean AUROC of these classes, by the subjects' mean log-odds.
    few
        Names of the classes with too few subjects, each with their number.
    effects
        One for each intervention.
    probes
        One for each thing that may be read off the features.
    unprobed
        Why there are none; empty where there are.
    relevance
        Where maps lie; None where none were asked for.
    examples
        One image as it is and under every intervention that changes it, by their titles.
    remarks
        Sentences on the data; they are among the ``untold``.
    failures
        Why a case could not be read, and is in no figure, one for each.
    confidence, resamples, seed
        Of the intervals.
    network
        The SHA-256 of a bundle's network and its temperature, by which a model card knows it again.
    """

    classes: tuple[str, ...]
    images: int
    subjects: int
    plain: Estimate
    chance: float
    p: float
    order: Estimate
    few: tuple[str, ...]
    effects: tuple[Effect, ...]
    probes: tuple[Probe, ...]
    unprobed: str
    relevance: Relevance | None
    examples: Mapping[str, Fitted]
    remarks: tuple[str, ...]
    failures: tuple[Failure, ...]
    confidence: float
    resamples: int
    seed: int
    network: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> bool:
        """Whether there are enough subjects of two classes to ask anything."""
        return not math.isnan(self.plain.value)

    @property
    def able(self) -> bool:
        """Whether the network was shown to tell the classes apart, without which no drop says much."""
        return self.p < CERTAIN

    @property
    def findings(self) -> tuple[str, ...]:
        """Sentences on what the network was found to go by; empty where nothing was found."""
        found = [effect.sentence for effect in self.effects if effect.found]
        return (*found, *(probe.sentence for probe in self.probes if probe.used))

    @property
    def known(self) -> tuple[str, ...]:
        """Sentences on what is read off the features, and was not shown to be used."""
        return tuple(probe.sentence for probe in self.probes if probe.found and not probe.used)

    @property
    def untold(self) -> tuple[str, ...]:
        """Sentences on what could not be told."""
        return tuple(self._untold())

    def _untold(self) -> Iterator[str]:
        if not self.asked:
            yield (
                f"Nothing can be told by people: two classes with at least 5 subjects are needed, and of "
                f"{self.subjects} subjects there are not."
            )
        elif not self.able:
            yield (
                "The network's decisions were not shown to be above chance on these cases (balanced accuracy "
                f"{self.plain}, chance {self.chance:.2f}; the order of subjects, mean AUROC {self.order}, "
                "chance 0.50): that nothing drops says nothing about what it goes by."
            )
        if self.few:
            yield f"Left out of balanced accuracy, with fewer than 5 subjects: {', '.join(self.few)}."
        yield from together((effect.title, effect.note) for effect in self.effects)
        yield from (effect.sentence for effect in self.effects if effect.thrown)
        yield from self._missed()
        if self.unprobed:
            yield f"What the features tell: {self.unprobed}"
        read = [probe for probe in self.probes if not probe.note]
        if read and all(math.isnan(probe.moved) for probe in read):
            yield (
                "What the decision loses where these are held fixed: the last layer is not known, or does "
                "not make the network's own answers of the features."
            )
        left = f"left out, with fewer than {MINIMUM_SUBJECTS} subjects:"
        yield from together(
            (probe.name, probe.note or (f"{left} {first_names(probe.few)}" if probe.few else ""))
            for probe in self.probes
        )
        yield from () if self.relevance is None else self.relevance.notes
        yield from self.remarks
        yield (
            "A mark that lies on the object, or that looks like anatomy, is told by none of these; nor is "
            "what all classes of these cases have in common."
        )

    def _missed(self) -> Iterator[str]:
        """Say how large a drop may have been missed."""
        able = [
            effect
            for effect in self.effects
            if effect.anatomy and effect.estimable and not effect.found and not effect.thrown
        ]
        wide = {e.title: e.drop.high for e in able if not math.isnan(e.drop.high) and e.drop.high > 0}
        if wide:
            most = ", ".join(f"{title} {high:.2f}" for title, high in wide.items())
            yield f"Where no drop was shown, one is not ruled out of up to: {most}."

    @property
    def headline(self) -> str:
        """What was found, in one sentence."""
        if not self.asked:
            return "What this network goes by can't be told from so few subjects."
        alone = [effect.left for effect in self.effects if effect.found and not effect.anatomy]
        without = [effect.left for effect in self.effects if effect.found and effect.anatomy]
        held = [probe.name for probe in self.probes if probe.used]
        if not alone and not without and not held:
            known = "" if self.able else ", and the decisions were not shown to be above chance"
            return f"No shortcut was found{known}. That is no proof that there is none."
        told = [f"can tell the classes by {_joined(alone)} alone"] if alone else []
        told += [f"does worse without {_joined(without)}"] if without else []
        told += (
            [f"loses where {_joined(held, 'and')} {'is' if len(held) == 1 else 'are'} held fixed"]
            if held
            else []
        )
        return f"This network {', and '.join(told)}."

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types; None stands for what is not estimable."""
        chance, p = (None if math.isnan(x) else x for x in (self.chance, self.p))
        return {
            "model": dict(self.network),
            "headline": self.headline,
            "classes": list(self.classes),
            "images": self.images,
            "subjects": self.subjects,
            "plain": {**self.plain.to_dict(), "chance": chance, "p": p, "order": self.order.to_dict()},
            "effects": [effect.to_dict() for effect in self.effects],
            "probes": [probe.to_dict() for probe in self.probes],
            "relevance": None if self.relevance is None else self.relevance.to_dict(),
            "findings": list(self.findings),
            "known": list(self.known),
            "untold": list(self.untold),
            "failures": [asdict(failure) for failure in self.failures],
            "confidence": self.confidence,
            "resamples": self.resamples,
            "seed": self.seed,
        }

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write the audit whole or not at all: ``.json`` holds `to_dict`, ``.html`` is a page to be read.

        Both hold pictures (in JSON as ``pictures``, which `xaimri.report` shows), one of them an image of a
        case: keep them as you keep these.

        Raises
        ------
        InvalidInput
            If the name ends in something else.
        """
        target = Path(path)
        if target.suffix.lower() in (".html", ".htm"):
            return archive.write_text(target, self._page())
        if target.suffix.lower() != ".json":
            raise InvalidInput(f"`{target.name}` must end in .html or .json.")
        drawn = [each.to_dict() for each in self._pictures().values() if each is not None]
        told = {**self.to_dict(), "pictures": drawn}
        text = json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False)
        return archive.write_text(target, text + "\n")

    def _page(self) -> str:
        """Return the page."""
        tables = {"effects": self.rows(), "probes": self.probed(), "shares": self.shared()}
        drawn = (
            f"{self.confidence:.0%}, over subjects: accuracy, AUROC and drops by the jackknife, the rest by "
            f"{self.resamples} resamples, seed {self.seed}"
        )
        facts = [
            ("classes", ", ".join(self.classes)),
            ("images", f"{self.images} of {self.subjects} subjects"),
            ("not read", str(len(self.failures))),
            ("intervals", drawn),
        ]
        return page_of(self, tables, self._pictures(), facts)

    def _pictures(self) -> dict[str, Picture | None]:
        means = () if self.relevance is None else self.relevance.means
        return {
            "effects": effects_picture(self.effects, self.plain, self.chance),
            "examples": examples_picture(self.examples),
            "means": means_picture(means),
        }

    def __repr__(self) -> str:
        found = len(self.findings)
        return f"<ModelAudit: {found} found, {self.images} images of {self.subjects} subjects>"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.headline
        yield ""
        yield self.about
        yield ""
        yield from align(HEADS, self.rows())
        yield ""
        yield from _lines_of("Read off the features", PROBED, self.probed())
        yield from _lines_of("Relevance of the maps", SHARES, self.shared())
        yield from _listed("Found", self.findings)
        yield from _listed("Read off the features, without being shown to be used", self.known)
        yield from _listed("What could not be told", self.untold)

    @property
    def about(self) -> str:
        """What was asked of whom, and how the figures are to be read."""
        return (
            f"{self.images} images of {self.subjects} subjects; balanced accuracy by subject {self.plain}, "
            f"chance {number_words(self.chance) or '-'}{chance_p(self.p)}, mean AUROC {self.order}. In "
            f"brackets: {self.confidence:.0%} intervals over subjects. A p is corrected for the number of "
            "rows."
        )

    def rows(self) -> list[list[str]]:
        """Return the effects as cells, under `HEADS`."""
        return effect_rows(self.effects)

    def probed(self) -> list[list[str]]:
        """Return the probes that have figures as cells, under `PROBED`."""
        return probe_rows(self.probes)

    def shared(self) -> list[list[str]]:
        """Return where the relevance lies as cells, under `SHARES`."""
        return share_rows(self.relevance)

    def _repr_html_(self) -> str:
        return notebook.card(
            self.headline,
            notebook.paragraphs([self.about]),
            notebook.table(HEADS, self.rows()),
            notebook.table(PROBED, self.probed()),
            notebook.table(SHARES, self.shared()),
            notebook.listed("Found", self.findings),
            notebook.listed("Read off the features, without being shown to be used", self.known),
            notebook.listed("What could not be told", self.untold),
        )


def _joined(names: Sequence[str], last: str = "or") -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> _joined(["edges"]), _joined(["edges", "the rim", "blur"])
    ('edges', 'edges, the rim or blur')
    """
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _lines_of(heading: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"{heading}:"
        yield from align(heads, rows)
        yield ""


def _listed(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{heading}:"
        yield from (f"- {line}" for line in lines)
        yield ""

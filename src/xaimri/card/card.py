"""A model card: every item of two checklists with what is known, whence, or that nothing is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from xaimri.archive import write_text
from xaimri.arguments import check_arguments
from xaimri.card import answers as own
from xaimri.card.audits import model_audit_facts, split_audit_facts
from xaimri.card.composition import composition_facts
from xaimri.card.evidence import EVALUATION, MODEL_AUDIT, SPLIT_AUDIT, read_evidence
from xaimri.card.fact import Fact, Facts, joined
from xaimri.card.items import CHECKLISTS, Checklist, Item
from xaimri.card.markdown import markdown
from xaimri.card.network import network_facts
from xaimri.card.results import result_facts
from xaimri.data import Dataset
from xaimri.documents.document import document
from xaimri.errors import InvalidInput, first_line
from xaimri.kinds import Anything
from xaimri.regular_file import path_of

Told: TypeAlias = Callable[[dict[str, Any], str], dict[str, tuple[Fact, ...]]]
"""What reads facts from a file, with its name."""

Row: TypeAlias = tuple[Item, tuple[Fact, ...]]
"""An item and what is known."""


@dataclass(frozen=True, eq=False)
class Card:
    """A model card; :func:`model_card` makes it, printing it gives its Markdown.

    Attributes
    ----------
    title
        Its heading.
    facts
        What is known, by the names that items ask for.
    answers
        The author's own, by checklist and item.
    sources
        The files that were read.
    """

    title: str
    facts: Facts
    answers: dict[str, dict[str, str]]
    sources: tuple[str, ...]

    def rows(self, checklist: Checklist) -> Iterator[tuple[str, list[Row]]]:
        """Yield every section with its items and what is known of each; nothing where nothing is."""
        given = self.answers.get(checklist.key, {})
        for section, items in checklist.sections.items():
            yield section, [(item, self._of(item, given)) for item in items]

    def _of(self, item: Item, given: dict[str, str]) -> tuple[Fact, ...]:
        stated = (Fact(given[item.number], own.AUTHOR),) if item.number in given else ()
        return (*stated, *(fact for name in item.facts for fact in self.facts.get(name, ())))

    def reported(self, checklist: Checklist) -> tuple[int, int]:
        """Return for how many items anything is reported, and how many there are."""
        rows = [row for _, rows in self.rows(checklist) for row in rows]
        return sum(bool(found) for _, found in rows), len(rows)

    @property
    def limitations(self) -> tuple[Fact, ...]:
        """What the figures can't tell, each sentence once."""
        return tuple(dict.fromkeys(self.facts.get("limitations", ())))

    def to_markdown(self) -> str:
        """Return the card as Markdown."""
        lists = [(each, self.reported(each), list(self.rows(each))) for each in CHECKLISTS]
        return markdown(self.title, self.facts.get("performance", ()), lists, self.sources)

    def to_html(self) -> str:
        """Return the card as one HTML file."""
        lists = [(each, self.reported(each), list(self.rows(each))) for each in CHECKLISTS]
        found = self.facts.get("performance", ())
        return document("card.html", self.title, lists=lists, performance=found, sources=self.sources)

    def save(self, path: str | Path) -> Path:
        """Write it whole or not at all: Markdown (``.md``) or HTML (``.html``)."""
        target = path_of(path)
        write = {".md": self.to_markdown, ".html": self.to_html}.get(target.suffix.lower())
        if write is None:
            raise InvalidInput(f"`{target.name}` must end in .md or .html to be a card.")
        return write_text(target, write())

    def __repr__(self) -> str:
        return f"<Card: {self.title}, of {len(self.sources)} sources>"

    def __str__(self) -> str:
        return self.to_markdown()


@check_arguments(data=Anything())
def model_card(
    bundle: str | Path,
    data: Dataset | None = None,
    *,
    report: str | Path | None = None,
    split_audit: str | Path | None = None,
    model_audit: str | Path | None = None,
    answers: str | Path | None = None,
) -> Card:
    """Fill the items of CLAIM 2024 and TRIPOD+AI with what is known of a trained network.

    Every sentence names the file that it comes from; an item of which nothing is known is "not reported". A
    card reports; it does not say that a study was well done.

    Parameters
    ----------
    bundle
        Folder of the network, as :func:`xaimri.training.save` writes it.
    data
        The data that it was trained and tested on, to count who is in each part.
    report
        ``report.json`` of :func:`xaimri.experiment.evaluate`.
    split_audit, model_audit
        JSON files of `xaimri.audit_split` and `xaimri.audit_model`.
    answers
        A TOML file with what no program can know: tables ``[claim]`` and ``[tripod]`` whose keys are items'
        numbers, and ``title`` in a table ``[card]``.

    Raises
    ------
    InvalidInput
        If a file is none of these; or is of another network, other classes, or another temperature.

    References
    ----------
    Tejani et al. (2024), CLAIM: 2024 update, doi:10.1148/ryai.240300. Collins et al. (2024), TRIPOD+AI
    statement, doi:10.1136/bmj-2023-078378.
    """
    from xaimri.adapters.keras.bundle import load

    opened = load(bundle)
    found = [network_facts(opened)]
    sources = ["bundle.json", "model.keras"]
    if data is not None:
        found.append(composition_facts(data, opened, "the data"))
        sources.append("the data")
    files = ((report, EVALUATION, result_facts), (split_audit, SPLIT_AUDIT, split_audit_facts),
             (model_audit, MODEL_AUDIT, model_audit_facts))  # fmt: skip
    for file, keys, facts_of in files:
        if file is not None:
            name = Path(file).name
            found.append(_facts(facts_of, read_evidence(file, keys, opened), name))
            sources.append(name)
    given = {} if answers is None else own.read_answers(answers)
    title = given.get("card", {}).get("title", f"Model card of {Path(bundle).absolute().name}")
    return Card(title, joined(*found), given, tuple(sources))


def _facts(facts_of: Told, found: dict[str, Any], name: str) -> dict[str, tuple[Fact, ...]]:
    """Return what a file tells, or say that it is not whole."""
    try:
        return facts_of(found, name)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"`{name}` is not as it was written ({first_line(error)}): make it again."
        ) from error

"""What else is known of a network: its card, its evaluation, and the audits, as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xaimri.audit.pair import MEANING
from xaimri.audit.split_report import COLOUR
from xaimri.card import Card, model_card
from xaimri.card.evidence import EVALUATION, MODEL_AUDIT, SPLIT_AUDIT, other_temperature, read_evidence
from xaimri.card.fact import figure
from xaimri.card.items import CHECKLISTS
from xaimri.card.results import CLASS_FIGURES, result_facts
from xaimri.documents.picture import Picture, picture_of
from xaimri.errors import InvalidInput
from xaimri.json_file import is_mapping
from xaimri.regular_file import quoted

FOUND = {"evaluation": "report.json", "split_audit": "split_audit.json", "model_audit": "model_audit.json"}
"""Files in a bundle's folder that are taken where no other is given."""

NAMED = 10
"""Pairs of an audit of a split that are named, at most."""

HEADS = ("class", *CLASS_FIGURES.values(), "images", "subjects")
"""Of the tables of an evaluation."""


@dataclass(frozen=True)
class Evidence:
    """What a report says of the network itself; what is missing is None.

    Attributes
    ----------
    card
        Of a bundle.
    lists
        Its checklists, how much of each is reported, and their items.
    evaluation
        Performance, tables and notes.
    split, network
        The audit of the split, and that of the network.
    sources
        Names of the files.
    outdated
        Sentences on files beside the network that are of before its calibration, and are not shown.
    """

    card: Card | None = None
    lists: tuple[Any, ...] = ()
    evaluation: Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None
    network: Mapping[str, Any] | None = None
    sources: tuple[str, ...] = field(default=())
    outdated: tuple[str, ...] = field(default=())


def evidence_of(
    bundle: Path | None,
    *,
    evaluation: str | Path | None = None,
    split_audit: str | Path | None = None,
    model_audit: str | Path | None = None,
    answers: str | Path | None = None,
    classes: Sequence[str] = (),
) -> Evidence:
    """Read what is known, and see that it is of this network.

    Parameters
    ----------
    bundle
        Folder of the network; without one there is no card.
    answers
        As of :func:`xaimri.card.model_card`.
    evaluation, split_audit, model_audit
        Files; by default those called so in the bundle's folder (`FOUND`), where they are. Such a one that is
        of before the calibration is left out, and that is said: `xaimri train` writes one.
    classes
        Of the network, where there is no bundle that tells them.

    Raises
    ------
    InvalidInput
        If a file is none of these, or is of another network.
    """
    files = {"evaluation": evaluation, "split_audit": split_audit, "model_audit": model_audit}
    given = {name: Path(file) for name, file in files.items() if file is not None}
    kinds = {"evaluation": EVALUATION, "split_audit": SPLIT_AUDIT, "model_audit": MODEL_AUDIT}
    card, opened = None, None
    outdated: list[str] = []
    if bundle is not None:
        from xaimri.adapters.keras.bundle import load

        opened = load(bundle)
        for name, file in FOUND.items():
            beside = bundle / file
            if name in given or not beside.is_file():
                continue
            held = read_evidence(beside, kinds[name], opened, any_temperature=True)
            told = other_temperature(Path(file), held, opened)  # a page names no folder
            if told is None:
                given[name] = beside
            else:
                outdated.append(f"{told} It is not shown here.")
        card = model_card(
            bundle, report=given.get("evaluation"), split_audit=given.get("split_audit"),
            model_audit=given.get("model_audit"), answers=answers,
        )  # fmt: skip
    read = {name: read_evidence(file, kinds[name], opened, classes) for name, file in given.items()}
    return Evidence(
        card,
        ()
        if card is None
        else tuple((each, card.reported(each), list(card.rows(each))) for each in CHECKLISTS),
        None if "evaluation" not in read else _evaluation(read["evaluation"], given["evaluation"].name),
        None if "split_audit" not in read else _split(read["split_audit"], given["split_audit"]),
        None if "model_audit" not in read else _network(read["model_audit"], given["model_audit"]),
        tuple(file.name for file in given.values()),
        tuple(outdated),
    )


def _evaluation(report: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return performance in sentences, a table for subjects and one for images, and what is to be noted."""
    facts = result_facts(report, source)
    told = {name: [fact.text for fact in facts.get(name, ())] for name in facts}
    levels = [("By subject", report["subject"]), ("By slice", report["slice"])]
    return {
        "source": source,
        "performance": told.get("performance", []),
        "about": [*told.get("internal", []), *told.get("external", []), *told.get("uncertainty", [])],
        "tables": [
            (title, HEADS, [_row(*each) for each in level["classes"].items()]) for title, level in levels
        ],
        "more": [*told.get("operating", []), *told.get("calibration", [])],
        "limits": told.get("limitations", []),
    }  # fmt: skip


def _row(name: str, found: Mapping[str, Any]) -> list[str]:
    figures = [figure(found.get(key)) for key in CLASS_FIGURES]
    if found.get("note"):
        figures = [str(found["note"]), *[""] * (len(CLASS_FIGURES) - 1)]
    return [name, *figures, f"{found['images']:,}", f"{found['subjects']:,}"]


def _split(audit: Mapping[str, Any], file: Path) -> dict[str, Any]:
    controls = audit.get("controls")
    counts = audit.get("counts") or {}
    meaning: Mapping[str, str] = {str(kind): words for kind, words in MEANING.items()}
    worth = []
    if is_mapping(controls) and controls is not None:
        rows = (
            ("as the split is", "nearest", "balanced", "shuffled"),
            ("without images of the same person", "apart", "balanced_apart", "shuffled_apart"),
        )
        worth = [[words, *(figure(controls.get(name)) for name in names)] for words, *names in rows]
    colours: Mapping[str, str] = {str(verdict): kind for verdict, kind in COLOUR.items()}
    return {
        "verdict": str(audit["verdict"]),
        "kind": colours.get(str(audit["verdict"]), "unsure"),
        "reason": str(audit["reason"]),
        "remedy": str(audit.get("remedy") or "").replace("`", ""),
        "pairs": _pairs(audit["pairs"], meaning),
        "pictures": _pictures(audit, file),
        "images": audit["images"],
        "counts": [[meaning.get(kind, kind), f"{many:,}"] for kind, many in counts.items()],
        "worth": worth,
        "notes": list(audit.get("notes") or ()),
    }


def _pairs(pairs: Sequence[Mapping[str, Any]], meaning: Mapping[str, str]) -> list[list[str]]:
    """Return the first pairs: all that gives them away, both images, and their similarity."""
    found: dict[tuple[str, str], tuple[list[str], str]] = {}
    for pair in pairs:
        key, like = (str(pair["test"]), str(pair["train"])), pair.get("similarity")
        if key not in found and len(found) == NAMED:
            break
        unsure = "" if pair.get("certain", True) else " (uncertain)"
        kinds, _ = found.setdefault(key, ([], "" if like is None else f"{like:.3f}"))
        kinds.append(meaning.get(pair["kind"], str(pair["kind"])) + unsure)
    return [["; ".join(kinds), *names, like] for names, (kinds, like) in found.items()]


def _pictures(audit: Mapping[str, Any], file: Path) -> list[Picture] | None:
    """Return the pictures that the audit has kept; None where its file has no place for them.

    Raises
    ------
    InvalidInput
        If they can't be read.
    """
    kept = audit.get("pictures")
    if kept is None:
        return None
    try:
        read = [picture_of(each) for each in (kept if isinstance(kept, list) else [kept])]
    except InvalidInput as fault:
        raise InvalidInput(
            f"{quoted(file)} has pictures that can't be read: {fault} Make it again."
        ) from fault
    once: dict[str, Picture] = {}
    for each in read:  # a pair that two things give away is there twice
        once.setdefault(each.data, each)
    return list(once.values())


def _network(audit: Mapping[str, Any], file: Path) -> dict[str, Any]:
    rows = []
    for effect in audit.get("effects") or ():
        p = effect.get("p")
        told_p = "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
        rows.append([effect["title"], *(figure(effect.get(k)) for k in ("before", "after", "drop")), told_p])
    return {
        "headline": str(audit["headline"]),
        "kind": "bad" if audit["findings"] else "unsure",
        "findings": list(audit["findings"]),
        "untold": list(audit["untold"]),
        "effects": rows,
        "pictures": _pictures(audit, file),
    }

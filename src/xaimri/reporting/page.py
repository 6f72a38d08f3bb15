"""Write a report: the cases first into a file of their own, one at a time, and then the page around them."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TextIO

import numpy as np
from markupsafe import Markup

from xaimri.archive import whole_file
from xaimri.cohort import Cohort
from xaimri.documents.document import pieces
from xaimri.model import Model
from xaimri.names import first_names
from xaimri.render.colour import diverging, sequential
from xaimri.render.fade import PALE
from xaimri.render.panel import title_of
from xaimri.reporting.entry import Reader, as_json
from xaimri.reporting.evidence import Evidence
from xaimri.reporting.means import mean_pictures

CHUNK = 2**20
"""Letters that are held at once while the cases are copied into the page."""

WHY = 20
"""Kinds of failures that are told above the table, at most."""


def write_page(
    path: Path,
    title: str,
    evidence: Evidence,
    reader: Reader | None = None,
    model: Model | None = None,
    *,
    independent: bool = False,
    notes: tuple[str, ...] = (),
) -> Path:
    """Write the page whole or not at all; without a reader it is of a network alone."""
    with whole_file(path) as new:
        if reader is None:
            _write(new, title, evidence=evidence, run=None)
            return path
        with TemporaryFile("w+", encoding="utf-8", newline="", dir=new.parent) as cases:
            rows = list(_kept(reader, model, cases))
            means, why_not = mean_pictures(reader.cohort, reader.ground.mean, independent)
            names = list(dict.fromkeys(name for row in rows for name in row["caveats"]))
            places = {name: place for place, name in enumerate(names)}
            index = [{**row, "caveats": [places[name] for name in row["caveats"]]} for row in rows]
            cases.seek(0)
            run = _run(reader.cohort, rows, model, (*notes, *reader.similar.lost))
            _write(
                new, title, evidence=evidence, run=run, judged=reader.judged, means=means,
                mean_notes=why_not, failures=_failures(reader.cohort),
                page=Markup(as_json(_facts(reader, model, names))), index=Markup(as_json(index)),
                blobs=_chunks(cases),
            )  # fmt: skip
    return path


def _write(new: Path, title: str, **context: object) -> None:
    with new.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(pieces("report.html", title, **context))


def _kept(reader: Reader, model: Model | None, file: TextIO) -> Iterator[dict[str, Any]]:
    """Write every case into the file, then the pictures of the training cases; yield rows of the table."""
    for number, (head, panel) in enumerate(reader.entries()):
        file.write(f'<script type="application/json" id="case-{number}">{as_json(panel)}</script>\n')
        yield head
    for number, packed in reader.similar.pictures(model, reader.size):
        file.write(f'<script type="text/plain" id="near-{number}">{packed or ""}</script>\n')


def _chunks(file: TextIO) -> Iterator[Markup]:
    while text := file.read(CHUNK):
        yield Markup(text)


def _facts(reader: Reader, model: Model | None, caveats: list[str]) -> dict[str, Any]:
    """Return what the page's script knows beside the cases."""
    sure = None
    if model is not None:
        sure = (
            "These probabilities are not calibrated: 0.9 need not mean nine of ten."
            if model.scaling is None
            else f"These probabilities are those of the network's logits divided by {model.temperature:.3g}, "
            "as learned on validation subjects."
        )
    return {
        "classes": list(reader.cohort.manifest.classes), "caveats": caveats, "pale": PALE, "sure": sure,
        "signed": _palette(diverging()), "positive": _palette(sequential()),
        "similar": list(reader.similar.notes),
    }  # fmt: skip


def _palette(colours: Any) -> str:
    table = np.rint(colours(np.linspace(0, 1, colours.N)) * 255).astype(np.uint8)
    return base64.b64encode(table.tobytes()).decode()


def _failures(cohort: Cohort) -> list[list[str]]:
    """Return how many rows failed for which reason, the most frequent first."""
    table = cohort.filter(failed=True).table(["failure"])
    many = Counter(str(each) for each in table["failure"].to_pylist()).most_common()
    rows = [[f"{count:,}", sentence] for sentence, count in many[:WHY]]
    left = sum(count for _, count in many[WHY:])
    return [*rows, [f"{left:,}", "other reasons"]] if left else rows


def _run(
    cohort: Cohort, rows: list[dict[str, Any]], model: Model | None, notes: tuple[str, ...]
) -> dict[str, Any]:
    """Return what was run, in words."""
    asked = cohort.manifest
    titles = [title_of(asked.methods[name], name) for name in asked.methods]
    people = {row["subject"] for row in rows if row["subject"] is not None}
    known = f" of {len(people):,} subjects" if people else ""
    failed = sum(bool(row["failures"]) for row in rows)
    doubted = sum(bool(row["caveats"]) for row in rows)
    targets = {"predicted": "the predicted class", "label": "each case's own class"}
    facts = [
        ("Cases", f"{len(rows):,} here; {cohort.done:,} of {asked.count:,} are done"),
        ("Subjects", f"{len(people):,}" if people else None),
        ("Classes", ", ".join(asked.classes)),
        ("Explained class", targets.get(asked.target, asked.target)),
        ("Explained score", asked.of or "each method's own"),
        *([("Held against", asked.against)] if asked.against else []),
        ("Images reach the network", ", ".join(asked.intake) or "as they are"),
        ("Maps kept", f"{asked.maps}, {asked.precision}"),
        ("Made by", f"xaimri {asked.xaimri}"),
    ]
    if model is not None:
        facts.append(("Network", f"SHA-256 {model.sha256}" if model.sha256 else "of no known file"))
    return {
        "sentence": f"{len(rows):,} cases{known} by {_listed(titles)}. "
        f"{_have(failed)} a failure, and {_have(doubted).lower()} a reason for doubt.",
        "facts": facts,
        "strange": _strange(rows, asked.classes),
        "methods": [[name, title_of(record), _settings(record)] for name, record in asked.methods.items()],
        "notes": list(notes),
    }


def _strange(rows: list[dict[str, Any]], classes: Sequence[str]) -> str:
    """Say so where own classes are none of the network's: no such prediction is right or wrong."""
    labels = dict.fromkeys(str(row["label"]) for row in rows if row["label"] is not None)
    strange = [name for name in labels if name not in classes]
    if not strange:
        return ""
    return (
        f"Own classes that are none of the network's ({first_names(strange)}; its classes are "
        f"{', '.join(classes)}): whether these cases are predicted right can't be told. Name the network's "
        "classes as the cases' are when the cohort is run, by classes= or --classes."
    )


def _settings(record: Mapping[str, Any]) -> str:
    settings = record.get("settings") or {}
    return ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in settings.items()) or "none"


def _have(count: int) -> str:
    return "No case has" if not count else f"{count:,} {'has' if count == 1 else 'have'}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))

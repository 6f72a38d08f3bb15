"""The command that writes a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xaimri.cli.data import bids_of, check_data, dataset_of
from xaimri.cli.options import Force, LabelOption, Seed, SubjectOption, SubjectsOption, SuffixOption
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput

File = Path | None


def card(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder that `xaimri train` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .md or .html.")] = Path(
        "card.html"
    ),
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="The data, as of `train`: counts who is in each part.")
    ] = None,
    report: Annotated[File, typer.Option(help="report.json that `xaimri evaluate` wrote.")] = None,
    audit: Annotated[File, typer.Option(help="JSON that `xaimri audit split` wrote.")] = None,
    audit_model: Annotated[File, typer.Option(help="JSON that `xaimri audit model` wrote.")] = None,
    answers: Annotated[
        File, typer.Option(help="TOML file with what no program can know, by the items' numbers.")
    ] = None,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Write a model card: CLAIM 2024 and TRIPOD+AI, item by item, with what is known of a network."""
    if out.suffix.lower() not in (".md", ".html"):
        raise InvalidInput(f"--out `{out}` must end in .md or .html.")
    refuse_present([out], force)
    if data is not None:
        check_data(data)

    from xaimri.adapters.keras.bundle import load
    from xaimri.card import CHECKLISTS, model_card

    origin = None if data is None else load(model).origin
    cases = (
        None
        if data is None
        else dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix), subjects=subjects)
    )
    made = model_card(
        model, cases, report=report, split_audit=audit, model_audit=audit_model, answers=answers
    )
    typer.echo(made.save(out).resolve())
    for checklist in CHECKLISTS:
        filled, count = made.reported(checklist)
        typer.echo(f"{checklist.title}: something is reported for {filled} of {count} items.")

"""The command that audits a network: what it goes by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from xaimri.cli.audit import OUT
from xaimri.cli.data import bids_of, check_data, held_of
from xaimri.cli.options import (
    MODEL,
    DataPath,
    Force,
    IndependentOption,
    LabelOption,
    ModelPath,
    PartOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput


@takes(MODEL)
def audit_model_command(
    model: ModelPath,
    data: DataPath,
    out: OUT = None,
    covariates: Annotated[
        Path | None,
        typer.Option(help="CSV or TSV of age, sex, site; its first column holds ids or subjects."),
    ] = None,
    method: Annotated[str, typer.Option("--method", "-m", help="Whose maps are looked at.")] = "gradcam",
    maps: Annotated[int, typer.Option(help="Images that are explained at most; 0 for none.", min=0)] = 60,
    part: PartOption = None,
    force: Force = False,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Ask what a network goes by: one thing taken away at a time, what its features tell, where maps lie.

    Every image costs about eleven predictions.
    """
    import xaimri

    refuse_present(out or (), force)
    for file in out or ():
        if file.suffix not in (".html", ".json"):
            raise InvalidInput(f"--out `{file}` must end in .html or .json.")
    check_data(data)
    opened = xaimri.open_model(model, **options)
    bids = bids_of(label, suffix)
    held = held_of(opened, data, part, seed, subject, bids, subjects=subjects, independent=independent)
    count = len(held.cases)
    typer.echo(f"Auditing on {count} images ({held.where}): about {11 * count:,} predictions ...")
    found = xaimri.audit_model(
        opened, held.cases, covariates=covariates, method=method, maps=maps, seed=seed,
        independent=held.independent, progress=sys.stderr.isatty(),
    )  # fmt: skip
    typer.echo(f"\n{found}")
    for file in out or ():
        typer.echo(f"Kept in {found.save(file).resolve()}.")

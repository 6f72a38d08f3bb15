"""The command that makes a network as sure as it is right."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from xaimri.cli.data import bids_of, check_data, dataset_of, part_of
from xaimri.cli.options import (
    DataPath,
    IndependentOption,
    LabelOption,
    ModelPath,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
)


def calibrate(
    model: ModelPath,
    data: DataPath,
    part: Annotated[
        Literal["validation", "all"] | None,
        typer.Option(
            help="Part of the recorded split; validation by default, or all if no split is recorded. All is "
            "for data that the network never saw."
        ),
    ] = None,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
) -> None:
    """Divide a network's logits by one number, so that it is as sure as it is right; kept in its folder.

    No prediction changes. The number is learned from the validation subjects, and told with its error.
    """
    check_data(data)

    from xaimri import experiment, open_model

    opened = open_model(model)
    chosen = part if part is not None else "all" if opened.split is None else "validation"
    origin = None if chosen == "all" else opened.origin
    cases = part_of(
        dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix), subjects=subjects),
        opened.split,
        chosen,
    )
    made = experiment.calibrate(model, cases, independent=independent)
    remarks = () if made.scaling is None else made.scaling.remarks
    typer.echo("\n".join([str(made.scaling), *remarks]))
    said = "" if subjects is None else f" --subjects {subjects}"
    typer.echo(f"\nKept in {model}; next: xaimri evaluate {model} {data}{said}")

"""The command that compares two networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xaimri.cli.data import bids_of, check_data, dataset_of, part_of
from xaimri.cli.options import (
    REACH,
    DataPath,
    Folder,
    Force,
    IndependentOption,
    LabelOption,
    PartOption,
    Seed,
    SubjectOption,
    SuffixOption,
    takes,
)
from xaimri.cli.outputs import refuse_present


@takes(REACH)
def compare_models(
    first: Annotated[Path, typer.Argument(metavar="MODEL", help="As of `xaimri evaluate`.")],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="The model that it is held against.")],
    data: DataPath,
    out: Folder = Path("comparison"),
    part: PartOption = None,
    level: Annotated[
        Literal["slice", "subject"], typer.Option(help="Whether images count, or subjects by their mean.")
    ] = "slice",
    subject: SubjectOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Compare two networks on the same people: differences with intervals, and a permutation test by subject.

    The part is that of the first network's recorded split. Methods are compared by `xaimri compare`.
    """
    check_data(data)
    refuse_present([out / "comparison.json", out / "comparison.txt"], force)
    from xaimri import archive, experiment, open_model

    opened = open_model(first, **options)
    chosen = part if part is not None else "all" if opened.split is None else "test"
    origin = None if chosen == "all" else opened.origin
    dataset = dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix))
    found = experiment.compare_models(
        opened, open_model(second, **options), part_of(dataset, opened.split, chosen),
        names=(str(first), str(second)), level=level, independent=independent, seed=seed,
    )  # fmt: skip
    found.save(out / "comparison.json")
    archive.write_text(out / "comparison.txt", f"{found}\n")
    typer.echo(f"{found}\n\nKept in {out.resolve()}.")

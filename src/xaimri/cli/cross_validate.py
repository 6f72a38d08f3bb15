"""The command that trains a network for every fold."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from xaimri.cli.data import bids_of, dataset_of
from xaimri.cli.options import (
    REACH,
    DataPath,
    Folder,
    GroupOption,
    IndependentOption,
    LabelOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.cli.stops import told_of_stops
from xaimri.cli.train import of_known, recipe_of, sides_of


@takes(REACH)
def cross_validate(
    data: DataPath,
    out: Folder,
    folds: Annotated[int, typer.Option(help="How many networks are trained.", min=2)] = 5,
    size: Annotated[str, typer.Option(metavar="N|N,N,N", help="As of `xaimri train`.")] = "224",
    weights: Annotated[
        str | None, typer.Option(help="As of `xaimri train`.", show_default="imagenet")
    ] = None,
    epochs: Annotated[int, typer.Option(help="As of `xaimri train`.", min=1)] = 20,
    validation: Annotated[
        float, typer.Option(help="Share of a fold's other subjects for early stopping.")
    ] = 0.2,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    group: GroupOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Train a network for each fold, and evaluate each on subjects it never saw. Run again to go on."""
    sides = sides_of(size)
    from xaimri import experiment

    dataset = dataset_of(data, seed, subject, bids=bids_of(label, suffix), subjects=subjects)
    dataset = of_known(dataset, subjects, independent or group is not None)
    start = weights or ("imagenet" if len(sides) == 2 else "random")
    with told_of_stops():
        found = experiment.cross_validate(
            dataset, out, k=folds, validation=validation, seed=seed, groups=group, independent=independent,
            size=sides, weights=None if start == "random" else start,
            **{"fit": "pad", **options}, **recipe_of(start, len(sides), epochs),
        )  # fmt: skip
    typer.echo(f"{found}\n\nKept in {out.resolve()}, a bundle for each fold.")

"""The command that adds the maps of a cohort up by the regions of an atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from xaimri.cli.cohort import Store
from xaimri.cli.options import Force, IndependentOption, Seed
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput


def cohort_regions(
    cohort: Store,
    atlas: Annotated[Path, typer.Argument(metavar="ATLAS", help="Label image, as NIfTI.")],
    names: Annotated[
        Path | None, typer.Option(help="Text file with a label and a name in each line.")
    ] = None,
    same_space: Annotated[
        bool, typer.Option("--same-space", help="Atlas and scans are in one space, such as MNI's.")
    ] = False,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Whose maps; needed where there are several.")
    ] = None,
    amount: Annotated[
        Literal["enrichment", "enrichment_signed", "mean", "sum"],
        typer.Option(help="What is told of each region; an enrichment of 1 is chance."),
    ] = "enrichment",
    label: Annotated[str | None, typer.Option(help="The cases of this class alone.")] = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Table to write, as .csv or .json.")] = None,
    force: Force = False,
) -> None:
    """Tell what the maps of a cohort hold in each region of an atlas, with intervals over subjects."""
    from xaimri.cohort import open as open_cohort

    refuse_present([] if out is None else [out], force)
    if out is not None and out.suffix not in (".csv", ".json"):
        raise InvalidInput(f"--out `{out}` must end in .csv or .json.")
    found = open_cohort(cohort)
    chosen = found if label is None else found.filter(label=label)
    table = chosen.regions(
        atlas, names, method=method, amount=amount, same_space=same_space, independent=independent, seed=seed
    )
    typer.echo(str(table))
    if out is not None:
        typer.echo(f"{cohort} -> {table.save(out)}")

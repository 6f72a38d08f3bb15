"""The command that judges the maps of a cohort."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xaimri.archive import whole_folder
from xaimri.cli.arguments import names_of
from xaimri.cli.cohort import Store, shown
from xaimri.cli.judge import CURVES, write_judgement
from xaimri.cli.options import (
    MODEL,
    Force,
    IndependentOption,
    MasksOption,
    MetricsOption,
    Seed,
    takes,
)
from xaimri.cli.stops import told_of_stops
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.cohort import Cohort
    from xaimri.data import Dataset


@takes(MODEL)
def cohort_judge(
    cohort: Store,
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]", help="The model that explained it; by default where it was read then."
        ),
    ] = None,
    metric: MetricsOption = None,
    masks: MasksOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="New folder for tables and figures.")
    ] = None,
    force: Force = False,
    independent: IndependentOption = False,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Measure every map of a cohort by metrics, into columns beside its rows.

    The same command again goes on where it was stopped. What can't be measured is a row with its sentence.
    """
    from xaimri.cohort import open as open_cohort
    from xaimri.judging.catalogue import METRICS

    found = open_cohort(cohort)
    against_masks = CURVES if masks is None else (*CURVES, "relevance_mass")
    names = names_of(metric, against_masks, METRICS, "metric")
    if masks is not None and not any("region" in METRICS[name].needs for name in names):
        raise InvalidInput("no metric asks for the masks: add one to --metric, such as relevance_mass.")
    images = None if masks is None else _masked(found, masks)
    with nullcontext() if out is None else whole_folder(out, replace=force) as folder:
        with told_of_stops() as check:
            found.judge(
                names, model=model, images=images, independent=independent, seed=seed,
                progress=shown(check), **options,
            )  # fmt: skip
        told = found.judgement(names, independent=independent, seed=seed, curves=folder is not None)
        typer.echo(f"\n{told}")
        if folder is not None:
            write_judgement(told, folder)
    if out is not None:
        typer.echo(f"\nKept in {out.resolve()}.")


def _masked(cohort: Cohort, masks: str) -> Dataset:
    """Return the cohort's images with the masks of a folder."""
    from xaimri.data import Case, Dataset, attach_masks

    cases = {row["case"]: row for row in cohort.table(["case", "subject", "source"]).to_pylist()}
    memory = [case for case, row in cases.items() if row["source"] is None]
    if memory:
        raise InvalidInput(f"the image of `{memory[0]}` was in memory: judge this cohort from Python.")
    listed = tuple(Case(case, 0, row["subject"], Path(row["source"])) for case, row in cases.items())
    made = attach_masks(Dataset(("any",), listed), masks)
    typer.echo("".join(f"{note}\n" for note in made.notes), nl=False)
    return made

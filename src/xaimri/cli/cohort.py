"""The commands of whole cohorts: explained into a store, looked at while that is at work, and exported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.cli.arguments import engine_note, methods_of, target_of
from xaimri.cli.data import bids_of, dataset_of
from xaimri.cli.options import (
    METHOD,
    MODEL,
    AgainstOption,
    IndependentOption,
    LabelOption,
    MethodsOption,
    ModelPath,
    OfOption,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.cli.stops import told_of_stops
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.cohort import Progress
    from xaimri.cohort.engine import CohortEngine
    from xaimri.cohort.progress import CohortWatcher

app = typer.Typer(help="Explain whole cohorts into a store that goes on after a stop.", no_args_is_help=True)

Store = Annotated[str, typer.Argument(metavar="COHORT", help="Folder or address that `run` writes to.")]


@app.command("run")
@takes(METHOD, MODEL)
def cohort_run(
    model: ModelPath,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Folder of images; a folder per class with --subject, --subjects or --independent; a BIDS "
            "folder with --label; or a table (.csv, .tsv, .parquet) with the column path and, where known, "
            "case, subject and label.",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="Folder, or address such as s3://bucket/run.")],
    method: MethodsOption = None,
    target: Annotated[
        str, typer.Option("--target", "-t", help="predicted, label (each case's own class), or a class.")
    ] = "predicted",
    of: OfOption = None,
    against: AgainstOption = None,
    maps: Annotated[
        Literal["whole", "cells", "regions", "none"], typer.Option(help="How much of each map is kept.")
    ] = "whole",
    precision: Annotated[
        Literal["float16", "float32"], typer.Option(help="How exactly a map is kept.")
    ] = "float32",
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    independent: IndependentOption = False,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds that a case may take by one method, in a process of its own."),
    ] = None,
    isolated: Annotated[
        bool,
        typer.Option("--isolated", help="Explain in a process of its own: a case that ends it is set aside."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Explain parts that have failures anew.")
    ] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="Explain on workers of Ray: all processors of this machine.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="With --ray: processes that hold the model.")] = None,
    threads: Annotated[int, typer.Option(help="With --ray: processors of each worker.")] = 1,
    gpus: Annotated[float, typer.Option(help="With --ray: GPUs of each worker, or a share.")] = 0.0,
    address: Annotated[
        str | None, typer.Option(help="With --ray: a cluster's head, such as 10.0.0.1:6379, or auto.")
    ] = None,
    shared_files: Annotated[
        bool, typer.Option("--shared-files", help="With --ray: every machine reads the images itself.")
    ] = False,
    *,
    options: dict[str, Any],
) -> None:
    """Explain every case into Parquet files, by Grad-CAM unless others are named.

    The same command again goes on where it was stopped. A case that fails is a row with its sentence.
    """
    from xaimri.cohort import explain_cohort
    from xaimri.options import open_with

    asked = {"workers": workers, "threads": threads, "gpus": gpus, "address": address}
    engine = _engine(ray, {**asked, "shared_files": shared_files})
    names = methods_of(method, ("gradcam",))
    if not data.exists():
        raise InvalidInput(f"there is no file or folder `{data}`: check the path.")
    cases = _cases(data, bids_of(label, suffix), subject, subjects, independent)
    typer.echo(engine_note(names, options), nl=False)
    with told_of_stops() as check:
        opened, settings = open_with(model, options, names)
        aimed = None if target in ("predicted", "label") else target_of(target, opened.classes)
        made = explain_cohort(
            opened, cases, names, out=out, target=target if aimed is None else aimed, of=of,
            against=target_of(against, opened.classes), maps=maps, precision=precision,
            progress=shown(check), timeout=timeout, isolated=isolated, retry_failed=retry_failed,
            engine=engine, **settings,
        )  # fmt: skip
    failed = len(made.filter(failed=True))
    typer.echo("".join(f"xaimri: {note}\n" for note in made.notes), nl=False, err=True)
    typer.echo(f"{made} -> {out}")
    if failed:
        typer.echo(
            f"xaimri: {failed:,} of {len(made):,} rows are failures: see `xaimri cohort status`.", err=True
        )
        raise typer.Exit(1)


@app.command("status")
def cohort_status(cohort: Store) -> None:
    """Say how far a cohort is, also while another shell is at work on it."""
    from xaimri.cohort import open as open_cohort

    found = open_cohort(cohort)
    asked, done, failed = found.manifest, found.done, found.filter(failed=True)
    typer.echo(f"{done:,} of {asked.count:,} cases by {', '.join(found.methods)}")
    typer.echo("".join(f"{note}\n" for note in found.notes), nl=False)
    typer.echo(f"finished: {'yes' if done == asked.count else 'no'}")
    told = found.at_work
    typer.echo(f"at work: {'no' if told is None else _pace(told)}")
    typer.echo(f"failures: {len(failed):,} of {len(found):,} rows")
    reasons = failed.table(["failure"])["failure"].value_counts().to_pylist() if len(failed) else []
    for each in sorted(reasons, key=lambda each: -each["counts"])[:5]:
        typer.echo(f"  {each['counts']:,} x {each['values']}")


@app.command("export")
def cohort_export(
    cohort: Store,
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the files.")],
    form: Annotated[
        Literal["csv", "nii.gz", "png"],
        typer.Option("--format", "-f", help="One table; each map on its scan's grid; or a figure of each."),
    ] = "csv",
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="The rows of this method alone.")
    ] = None,
) -> None:
    """Write a cohort as a table that is safe for spreadsheets, or its maps as NIfTI files or pictures.

    What can't be written is told in failures.csv.
    """
    from xaimri.cohort import open as open_cohort

    found = open_cohort(cohort)
    chosen = found if method is None else found.filter(method=method)
    chosen.export(out, form)
    typer.echo(f"{chosen} -> {out}")
    if (out / "failures.csv").exists():
        typer.echo(f"xaimri: some maps could not be written: see {out / 'failures.csv'}.", err=True)
        raise typer.Exit(1)


def _cases(
    data: Path, bids: dict[str, Any] | None, subject: str | None, subjects: Path | None, independent: bool
) -> object:
    """Return what is explained: a labelled data set where the options say so, else the path itself."""
    if bids is None and subject is None and subjects is None and not independent:
        return data
    if not data.is_dir():
        if bids is not None:
            raise InvalidInput(f"`{data}` is no folder: leave --label out, or give a BIDS folder.")
        raise InvalidInput(
            f"`{data}` is no folder: leave --subject, --subjects and --independent out, and tell who was "
            "scanned in the table's column subject; or give a folder with a folder per class."
        )
    made = dataset_of(str(data), 0, subject, bids=bids, subjects=subjects)
    known = sum(case.subject is not None for case in made)
    if not independent:
        return made
    if known:
        raise InvalidInput(f"{known:,} of {len(made.cases):,} cases have a subject: leave --independent out.")
    return replace(made, cases=tuple(replace(case, subject=case.id) for case in made))


def _engine(ray: bool, asked: dict[str, Any]) -> CohortEngine:
    """Return what does the work; what Ray is asked for is refused without it."""
    from xaimri.cohort import RayEngine

    engine = RayEngine(**asked)
    if not ray and engine != RayEngine():
        raise InvalidInput("--workers, --threads, --gpus, --address and --shared-files need --ray.")
    return engine if ray else "local"


def shown(check: Callable[[], None]) -> CohortWatcher:
    """Return what says how far a run is, and stops it where a signal came between two parts."""

    def show(told: Progress) -> None:
        _show(told)
        check()

    return show


def _show(told: Progress) -> None:
    """Say how far it is on standard error: over the line before in a terminal."""
    line = f"{told.done:,} of {told.total:,} cases, {_pace(told)}, {told.failures:,} failures"
    typer.echo(f"\r{line}\x1b[K" if sys.stderr.isatty() else line, err=True, nl=not sys.stderr.isatty())
    if sys.stderr.isatty() and told.done == told.total:
        typer.echo("", err=True)


def _pace(told: Progress) -> str:
    """Say how fast a run is, and how long it takes still."""
    return f"{told.rate:.1f} a second, {told.left:,.0f} s left" if told.rate else "just begun"

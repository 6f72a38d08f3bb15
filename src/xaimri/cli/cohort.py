"""The commands of whole cohorts: explained into a store, looked at while that is at work, and exported."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.cli.arguments import engine_note, methods_of, target_of
from xaimri.cli.data import bids_of
from xaimri.cli.options import (
    METHOD,
    MODEL,
    AgainstOption,
    LabelOption,
    MethodsOption,
    ModelPath,
    OfOption,
    SuffixOption,
    takes,
)
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.cohort import Progress

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes of a run that Ctrl-C, or SIGTERM, stopped."""

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
            help="Folder of images, a BIDS folder with --label, or a table (.csv, .tsv, .parquet) with the "
            "column path and, where known, case, subject and label.",
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
        Literal["whole", "regions", "none"], typer.Option(help="How much of each map is kept.")
    ] = "whole",
    precision: Annotated[
        Literal["float16", "float32"], typer.Option(help="How exactly a map is kept.")
    ] = "float32",
    label: LabelOption = None,
    suffix: SuffixOption = None,
    *,
    options: dict[str, Any],
) -> None:
    """Explain every case into Parquet files, by Grad-CAM unless others are named.

    The same command again goes on where it was stopped. A case that fails is a row with its sentence.
    """
    from xaimri.cohort import explain_cohort
    from xaimri.options import open_with

    names = methods_of(method, ("gradcam",))
    if not data.exists():
        raise InvalidInput(f"there is no file or folder `{data}`: check the path.")
    cases = _cases(data, bids_of(label, suffix))
    typer.echo(engine_note(names, options), nl=False)
    with _told_of_stops():
        opened, settings = open_with(model, options, names)
        aimed = None if target in ("predicted", "label") else target_of(target, opened.classes)
        made = explain_cohort(
            opened, cases, names, out=out, target=target if aimed is None else aimed, of=of,
            against=target_of(against, opened.classes), maps=maps, precision=precision, progress=_show,
            **settings,
        )  # fmt: skip
    failed = len(made.filter(failed=True))
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
    typer.echo(f"finished: {'yes' if done == asked.count else 'no'}")
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


def _cases(data: Path, bids: dict[str, Any] | None) -> object:
    """Return what is explained: a BIDS data set where the options say so, else the path itself."""
    if bids is None:
        return data
    from xaimri.data import read_bids

    if not data.is_dir():
        raise InvalidInput(f"`{data}` is no folder: leave --label out, or give a BIDS folder.")
    return read_bids(data, **bids)


def _show(told: Progress) -> None:
    """Say how far it is on standard error: over the line before in a terminal."""
    left = f"{told.left:,.0f} s left" if told.rate else ""
    line = (
        f"{told.done:,} of {told.total:,} cases, {told.rate:.1f} a second, {left}, {told.failures:,} failures"
    )
    typer.echo(f"\r{line}\x1b[K" if sys.stderr.isatty() else line, err=True, nl=not sys.stderr.isatty())
    if sys.stderr.isatty() and told.done == told.total:
        typer.echo("", err=True)


@contextmanager
def _told_of_stops() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end in one sentence: what is written stays."""
    caught: list[int] = []

    def stop(number: int, _: object) -> None:
        caught.append(number)
        raise KeyboardInterrupt

    alone = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if alone else None
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nxaimri: the run was stopped: the same command goes on.", err=True)
        raise typer.Exit(TERMINATED if caught else INTERRUPTED) from None
    finally:
        if alone:
            signal.signal(signal.SIGTERM, before)

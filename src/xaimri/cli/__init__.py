"""The command line: parse, call, print."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from xaimri.cli import (
    audit,
    calibrate,
    card,
    catalogue,
    cohort,
    cohort_judge,
    cohort_regions,
    cross_validate,
    data,
    demo,
    explain,
    judge,
    model_audit,
    models,
    regions,
    report,
    train,
)
from xaimri.cli.quiet import silence_tensorflow
from xaimri.cli.stops import Commands
from xaimri.cli.words import spoken
from xaimri.errors import XaimriError

app = typer.Typer(
    cls=Commands,
    help="Train and explain image classifiers, made for brain MRI.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
audit.app.command("model")(model_audit.audit_model_command)
cohort.app.command("judge")(cohort_judge.cohort_judge)
cohort.app.command("regions")(cohort_regions.cohort_regions)
app.add_typer(cohort.app, name="cohort")
app.add_typer(audit.app, name="audit")


def _version(asked: bool) -> bool:
    """Print the version, if that is asked, and leave."""
    if asked:
        from xaimri import __version__

        typer.echo(f"xaimri {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train and explain image classifiers, made for brain MRI."""


app.command()(demo.demo)
app.command()(train.train)
app.command()(train.evaluate)
app.command()(calibrate.calibrate)
app.command()(cross_validate.cross_validate)
app.command()(models.compare_models)
app.command()(card.card)
app.command()(report.report)
app.command()(explain.explain)
app.command()(explain.compare)
app.command()(regions.regions)
app.command()(judge.judge)
app.command()(catalogue.methods)
app.command()(catalogue.metrics)


def main() -> None:
    """Run a command; an error is one sentence on standard error and exit code 1."""
    silence_tensorflow()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_warn, warnings.showwarning)
            app(prog_name="xaimri")
    except XaimriError as error:
        typer.echo(f"xaimri: {spoken(str(error), _options(sys.argv[1:]))}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(
            f"xaimri: {error.filename or 'a file'} can't be used ({error.strerror or error}).", err=True
        )
        sys.exit(1)


def _warn(
    others: Callable[..., object],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning of ours as a sentence on standard error, and others' as they are shown without us."""
    if Path(filename).is_relative_to(Path(__file__).parents[1]):
        typer.echo(f"xaimri: {spoken(str(message), _options(sys.argv[1:]))}", err=True)
    else:
        others(message, category, filename, lineno, file, line)


def _options(words: list[str]) -> set[str]:
    """Return the names of the options of the command that these words call."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if word in getattr(command, "commands", {}):
            command = command.commands[word]
    return {each.removeprefix("--").replace("-", "_") for one in command.params for each in one.opts}

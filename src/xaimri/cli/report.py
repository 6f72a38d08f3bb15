"""The command that writes the report of a cohort, or of a trained network, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xaimri.cli.data import bids_of, check_data, dataset_of, part_of
from xaimri.cli.options import (
    MODEL,
    Force,
    IndependentOption,
    LabelOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.model import Model

File = Path | None


@takes(MODEL)
def report(
    source: Annotated[
        str,
        typer.Argument(
            metavar="COHORT|BUNDLE", help="What `xaimri cohort run` wrote, or `xaimri train`: without cases."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .html.")] = Path("report.html"),
    model: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="The network that explained the cohort: brings its card."),
    ] = None,
    training: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="The data it learned from, as of `train`, for similar cases; where its split is recorded, "
            "the training part alone.",
        ),
    ] = None,
    evaluation: Annotated[File, typer.Option(help="report.json that `xaimri evaluate` wrote.")] = None,
    split_audit: Annotated[
        File, typer.Option("--audit", help="JSON that `xaimri audit split` wrote.")
    ] = None,
    model_audit: Annotated[
        File, typer.Option("--audit-model", help="JSON that `xaimri audit model` wrote.")
    ] = None,
    answers: Annotated[
        File, typer.Option(help="TOML file with what no program can know, for the card.")
    ] = None,
    atlas: Annotated[
        File, typer.Option(help="Label image, as NIfTI, whose regions are told in words.")
    ] = None,
    names: Annotated[File, typer.Option(help="Text file with a label and a name in each line.")] = None,
    same_space: Annotated[
        bool, typer.Option("--same-space", help="Atlas and scans are in one space, such as MNI's.")
    ] = False,
    neighbours: Annotated[int, typer.Option(help="Similar cases of each side, at most.", min=1, max=50)] = 3,
    width: Annotated[
        int, typer.Option(help="Pixels along a picture's longer side, at most.", min=32, max=1024)
    ] = 176,
    quality: Annotated[int, typer.Option(help="Of the pictures (WebP).", min=1, max=100)] = 75,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Write one page that fetches nothing: cases, maps, card, evaluation and audits, for people to read."""
    import xaimri

    if out.suffix.lower() not in (".html", ".htm"):
        raise InvalidInput(f"--out `{out}` must end in .html.")
    refuse_present([out], force)
    if options and model is None:
        raise InvalidInput(
            f"--{next(iter(options)).replace('_', '-')} says how a model is opened: give --model."
        )
    if training is not None and model is None:
        raise InvalidInput("--training needs the network, in whose features cases are alike: give --model.")
    opened = None if model is None else xaimri.open_model(model, **options)
    learned = None
    if training is not None and opened is not None:
        check_data(training)
        how = (subject, bids_of(label, suffix), subjects)
        learned = _learned(opened, training, seed, *how)
    laid = None if atlas is None else xaimri.Atlas.read(atlas, names, same_space=same_space)
    written = xaimri.report(
        source, out, model=opened, training=learned, evaluation=evaluation, split_audit=split_audit,
        model_audit=model_audit, answers=answers, atlas=laid, independent=independent, neighbours=neighbours,
        width=width, quality=quality, title=title,
    )  # fmt: skip
    typer.echo(f"{written.resolve()} ({written.stat().st_size / 1e6:.1f} MB)")


def _learned(
    model: Model, data: str, seed: int, subject: str | None, bids: dict[str, Any] | None, subjects: File
) -> Dataset:
    """Return what the network learned from: the training part where that is recorded, else all of it."""
    dataset = dataset_of(data, seed, subject, model.origin, bids=bids, subjects=subjects)
    return part_of(dataset, model.split, "all" if model.split is None else "train")

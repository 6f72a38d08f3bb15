"""The commands that train a network and evaluate one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.cli.beside import FILES, lay_beside, named_folders
from xaimri.cli.data import bids_of, check_data, dataset_of, part_of
from xaimri.cli.options import (
    MODEL,
    REACH,
    DataPath,
    Folder,
    Force,
    GroupOption,
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
from xaimri.cli.stops import told_of_stops
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.data.attendance import SplitRecord


@takes(REACH)
def train(
    data: DataPath,
    out: Folder,
    size: Annotated[
        str,
        typer.Option(
            metavar="N|N,N,N",
            help="Side of the network's input in pixels, at least 32; three, as 96,112,96 to the right, "
            "front and up, for a network of volumes.",
        ),
    ] = "224",
    weights: Annotated[
        str | None,
        typer.Option(
            help='"imagenet", "random", or a weight file; a network of volumes is random.',
            show_default="imagenet",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Most epochs (pretrained: after 3 of the head).", min=1)] = 20,
    validation: Annotated[float, typer.Option(help="Share of the subjects for early stopping.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the subjects held out.")] = 0.25,
    copies: Annotated[
        Literal["refuse", "tell"], typer.Option(help="What to do where one image is in two parts.")
    ] = "refuse",
    subject: SubjectOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    group: GroupOption = None,
    independent: IndependentOption = False,
    subjects: SubjectsOption = None,
    divided: Annotated[
        Path | None,
        typer.Option("--split", metavar="JSON", help="A split as `xaimri data subjects --split` writes it."),
    ] = None,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Split by subject, train a network, evaluate it on the held-out subjects. Run again to go on.

    The network is a ResNet50; with three sides as --size, a small one of volumes.
    """
    sides = sides_of(size)
    from xaimri import experiment
    from xaimri.data import Split, read_split, split

    record = None if divided is None else read_split(divided)
    if record is not None and (group is not None or independent):
        raise InvalidInput("--split says who is where: leave --group and --independent out.")
    dataset = dataset_of(data, seed, subject, bids=bids_of(label, suffix), subjects=subjects)
    if record is not None:
        parts = Split.from_record(dataset, record)
    else:
        dataset = of_known(dataset, subjects, independent or group is not None)
        parts = split(
            dataset,
            validation=validation,
            test=test,
            seed=seed,
            groups=group,
            independent=independent,
            copies=copies,
        )
    typer.echo("\n".join([*dataset.notes, parts.describe()]))
    start = weights or ("imagenet" if len(sides) == 2 else "random")
    settings = recipe_of(start, len(sides), epochs)
    with told_of_stops():
        bundle = experiment.train(
            dataset, parts, out, size=sides, weights=None if start == "random" else start, seed=seed,
            copies=copies, **{"fit": "pad", **options}, **settings,
        )  # fmt: skip
        if len(parts.test):
            typer.echo(experiment.evaluate(bundle, parts.test, out))
    typer.echo(f"\nKept in {out.resolve()}; next: xaimri explain {out} IMAGE")


@takes(MODEL)
def evaluate(
    model: ModelPath,
    data: DataPath,
    out: Folder = Path("evaluation"),
    part: PartOption = None,
    subject: SubjectOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    independent: IndependentOption = False,
    subjects: SubjectsOption = None,
    sensitivity: Annotated[
        float | None,
        typer.Option(
            help="Share of a class to find, as 0.9: its threshold is chosen on the recorded validation part."
        ),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Class of --sensitivity; by default each in turn.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FOLDER",
            help="Data from elsewhere, evaluated too and laid beside; may be given again.",
        ),
    ] = None,
    seed: Seed = 0,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Evaluate a network on held-out subjects, with intervals over subjects.

    By default the test part of the recorded split is taken, or all of the data where the model records none.
    """
    check_data(data)
    from xaimri import experiment, open_model
    from xaimri.experiment.held_out import EVALUATED

    others = named_folders(beside or ())
    for folder in others.values():
        check_data(folder)
    places = [out, *(out / name for name in others)]
    refuse_present([place / name for place in places for name in EVALUATED], force)
    refuse_present([out / name for name in FILES if others], force)
    opened = open_model(model, **options)
    chosen = part if part is not None else "all" if opened.split is None else "test"
    origin = None if chosen == "all" else opened.origin
    dataset = dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix), subjects=subjects)
    cases = part_of(dataset, opened.split, chosen)
    point: dict[str, Any] = {"sensitivity": sensitivity, "positive": positive}
    if sensitivity is not None:
        point["validation"] = validation_of(dataset, opened.split, chosen)
    elsewhere = {
        name: dataset_of(folder, seed, subject, bids=bids_of(label, suffix))
        for name, folder in others.items()
    }
    report = experiment.evaluate(opened, cases, out, independent=independent, **point)
    typer.echo(report)
    if others:
        reports = {chosen: report} | {
            name: experiment.evaluate(opened, held, out / name, independent=independent)
            for name, held in elsewhere.items()
        }
        typer.echo(f"\n{lay_beside(reports, {chosen: cases, **elsewhere}, out)}")
    typer.echo(f"\nKept in {out.resolve()}.")


def validation_of(dataset: Dataset, split: SplitRecord | None, chosen: str) -> Dataset:
    """Return the recorded validation part, on which a threshold is chosen for another one."""
    from xaimri.data import Split

    if split is None or chosen != "test":
        raise InvalidInput(
            "--sensitivity chooses its threshold on the recorded validation part, for the test part: leave "
            "it out, or evaluate the test part of a model that records its split."
        )
    return Split.from_record(dataset, split).part("validation")


def sides_of(words: str) -> tuple[int, ...]:
    """Read the sides of the network's input: one of slices, or three of volumes.

    Examples
    --------
    >>> sides_of("96"), sides_of("40,56,48")
    ((96, 96), (40, 56, 48))
    """
    sides = words.split(",")
    whole = all(side.strip().isdecimal() for side in sides)
    if not whole or len(sides) not in (1, 3) or (len(sides) == 1 and int(words) < 32):
        raise InvalidInput(
            f"--size is one side of at least 32 for slices, or three for volumes, as in 96 or 40,56,48, got "
            f"{words[:40]!r}."
        )
    return (int(words),) * 2 if len(sides) == 1 else tuple(map(int, sides))


def of_known(dataset: Dataset, subjects: Path | None, said: bool) -> Dataset:
    """Return the cases whose subject a table tells, and print that the others are left out.

    All cases are returned without a table, and where it is ``said`` otherwise who belongs together.
    """
    known = [place for place, subject in enumerate(dataset.subjects) if subject is not None]
    if subjects is None or said or len(known) == len(dataset):
        return dataset
    typer.echo(
        f"{len(dataset) - len(known)} of {len(dataset)} cases have no subject, so they are in no part: "
        "--independent takes each of them as a person of its own."
    )
    return dataset.take(known)


def recipe_of(weights: str, axes: int, epochs: int) -> dict[str, Any]:
    """Return the settings of the training: of pretrained weights, of random ones, of a network of volumes."""
    if axes == 3:
        return {"epochs": epochs, "learning_rate": 3e-3, "batch": 8, "dropout": 0.2, "patience": epochs}
    if weights == "random":
        return from_scratch(epochs)
    return {"epochs": (3, epochs), "learning_rate": (1e-3, 1e-4)}


def from_scratch(epochs: int) -> dict[str, Any]:
    """Return settings that train a network from random weights in few epochs."""
    return {
        "epochs": (0, epochs),
        "learning_rate": 3e-4,
        "batch": 16,
        "dropout": 0.2,
        "schedule": "cosine",
        "patience": epochs,
    }

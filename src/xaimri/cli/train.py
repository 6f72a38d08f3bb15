"""The commands that train a network and evaluate one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

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
    SuffixOption,
    takes,
)
from xaimri.cli.outputs import refuse_present

EVALUATED = ("report.txt", "report.json", "confusion_slice.png", "confusion_subject.png")
"""What an evaluation writes."""


@takes(REACH)
def train(
    data: DataPath,
    out: Folder,
    size: Annotated[int, typer.Option(help="Side of the network's input in pixels.", min=32)] = 224,
    weights: Annotated[str, typer.Option(help='"imagenet", "random", or a weight file.')] = "imagenet",
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
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Split by subject, train a ResNet50, evaluate it on the held-out subjects. Run again to go on."""
    from xaimri import experiment
    from xaimri.data import split

    dataset = dataset_of(data, seed, subject, bids=bids_of(label, suffix))
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
    random = weights == "random"
    settings = from_scratch(epochs) if random else {"epochs": (3, epochs), "learning_rate": (1e-3, 1e-4)}
    bundle = experiment.train(
        dataset,
        parts,
        out,
        size=(size, size),
        weights=None if random else weights,
        seed=seed,
        copies=copies,
        **{"fit": "pad", **options},
        **settings,
    )
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
    seed: Seed = 0,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Evaluate a network on held-out subjects, with intervals over subjects.

    By default the test part of the recorded split is taken, or all of the data where the model records none.
    """
    check_data(data)
    refuse_present([out / name for name in EVALUATED], force)

    from xaimri import experiment, open_model

    opened = open_model(model, **options)
    chosen = part if part is not None else "all" if opened.split is None else "test"
    origin = None if chosen == "all" else opened.origin
    cases = part_of(
        dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix)), opened.split, chosen
    )
    typer.echo(experiment.evaluate(opened, cases, out, independent=independent))
    typer.echo(f"\nKept in {out.resolve()}.")


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

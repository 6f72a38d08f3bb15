"""The commands that get, make and count data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.archive import whole_folder
from xaimri.cli.options import (
    DataPath,
    Folder,
    Force,
    LabelOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
)
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.model import Model

app = typer.Typer(help="Get or make data sets, and see what is in one.", no_args_is_help=True)


@app.command("alzheimer")
def data_alzheimer(
    which: Annotated[
        Literal["original", "augmented"],
        typer.Option(help='"original", or "augmented" (refused for splitting).'),
    ] = "original",
) -> None:
    """Download the Alzheimer slices from Kaggle, show their licence, and say where they lie."""
    from xaimri.data import alzheimer

    dataset = alzheimer.fetch(which, announce=typer.echo)
    typer.echo(dataset.describe())


@app.command("phantom")
def data_phantom(
    out: Folder,
    subjects: Annotated[int, typer.Option(help="Subjects, dealt over the four stages.", min=1)] = 40,
    slices: Annotated[int, typer.Option(help="Slices per subject.", min=1)] = 4,
    change: Annotated[
        Literal["all", "ventricles", "hippocampi", "sulci"], typer.Option(help="Which structures atrophy.")
    ] = "all",
    seed: Seed = 0,
) -> None:
    """Write the phantom's slices as PNG files, a folder per stage."""
    import numpy as np
    from PIL import Image

    from xaimri.data import phantom

    with whole_folder(out) as folder:
        dataset = phantom.make(subjects=subjects, slices=slices, seed=seed, change=change)
        for case in dataset:
            stage = folder / dataset.classes[case.label]
            stage.mkdir(exist_ok=True)
            Image.fromarray(np.asarray(case.source)).save(
                stage / f"{case.id.replace('/slice ', '_slice')}.png"
            )
    typer.echo(dataset.describe())


@app.command("info")
def data_info(
    data: DataPath,
    subject: SubjectOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    subjects: SubjectsOption = None,
) -> None:
    """Count images and subjects per class."""
    typer.echo(dataset_of(data, 0, subject, bids=bids_of(label, suffix), subjects=subjects).describe())


@app.command("subjects")
def data_subjects(
    data: DataPath,
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write: case and subject.")] = Path(
        "subjects.csv"
    ),
    split: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="Also split by these subjects, and write who is where."),
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of the subjects for early stopping.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the subjects held out.")] = 0.25,
    join_unsure: Annotated[
        bool,
        typer.Option("--join-unsure", help="Keep scans that may be parts of others, as scans of their own."),
    ] = False,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Tell by pixels alone which slices are of one scan, for `xaimri train --subjects CSV --split JSON`."""
    from xaimri.cli.outputs import refuse_present, say_what_takes_long
    from xaimri.cli.words import spoken
    from xaimri.data import split as deal
    from xaimri.data import subjects_from_pixels, write_split, write_subjects

    refuse_present([out, *([] if split is None else [split])], force)
    dataset = dataset_of(data, seed)
    say_what_takes_long(f"Chaining {len(dataset):,} images by their pixels ...")
    found = subjects_from_pixels(dataset, join_unsure=join_unsure)
    typer.echo(spoken(found.describe(), ["join_unsure"]))
    known = [place for place, subject in enumerate(found.subjects) if subject is not None]
    if split is not None and not known:
        raise InvalidInput(
            "no case has a subject, so nothing can be split: the slices lie too far apart, or are no scans'. "
            "Where file names tell the subject, give `train` their --subject; else write a table of case and "
            "subject for --subjects."
        )
    if split is None:
        write_subjects(found, out)
        typer.echo(f"\nKept in {out.resolve()}.")
        return
    parts = deal(found.take(known), validation=validation, test=test, seed=seed, copies="tell")
    write_subjects(found, out)  # nothing is written of what can't be split
    write_split(parts, split)
    typer.echo(f"\n{parts.describe()}\n\nKept in {out.resolve()} and {split.resolve()}.")
    typer.echo(f"Next: xaimri train {data} --subjects {out} --split {split} --out FOLDER")


def bids_of(label: str | None, suffix: str | None) -> dict[str, Any] | None:
    """Return how a BIDS folder is read, as the options say it; None where they say that it is none.

    Examples
    --------
    >>> bids_of("diagnosis", "T1w,FLAIR"), bids_of(None, None)
    ({'label': 'diagnosis', 'suffix': ['T1w', 'FLAIR']}, None)
    """
    if label is None:
        if suffix is not None:
            raise InvalidInput("--suffix is for a BIDS folder: say which column is its label by --label.")
        return None
    kinds = [kind.strip() for kind in (suffix or "T1w").split(",")]
    return {"label": label, "suffix": kinds if len(kinds) > 1 else kinds[0]}


def check_data(source: str) -> None:
    """See that a data set can be there, before a network is loaded."""
    if source != "phantom" and not Path(source).is_dir():
        raise InvalidInput(
            f'`{source}` is not a folder: give a folder with a folder per class, or "phantom".'
        )


def dataset_of(
    source: str,
    seed: int,
    subject: str | None = None,
    origin: Mapping[str, Any] | None = None,
    masks: str | None = None,
    bids: Mapping[str, Any] | None = None,
    subjects: Path | None = None,
) -> Dataset:
    """Read a data set by folder, of BIDS or with a folder per class, or make the phantom.

    Where ``origin`` says how the data of a model were made, they are made in the same way. ``masks`` is a
    folder of masks called as the images, ``subjects`` a table of who was scanned.
    """
    from xaimri.data import with_subjects

    if None not in (subject, subjects):
        raise InvalidInput("--subject and --subjects both say who was scanned: leave one out.")
    made = _read(source, seed, subject, origin, masks, bids)
    return made if subjects is None else with_subjects(made, subjects)


def _read(
    source: str,
    seed: int,
    subject: str | None,
    origin: Mapping[str, Any] | None,
    masks: str | None,
    bids: Mapping[str, Any] | None,
) -> Dataset:
    from xaimri.data import alzheimer, attach_masks, phantom, read_bids, read_folder, remake

    maker = None if origin is None else origin["maker"]
    if source == "phantom" and maker not in (None, "phantom"):
        raise InvalidInput(
            "the model was not trained on the phantom, so no part of its split is there: give the folder of "
            "its data, or --part all for data that it never saw."
        )
    if bids is not None and (source == "phantom" or subject is not None):
        raise InvalidInput(
            "--label is for a BIDS folder, whose tables tell the subjects: leave --subject out."
        )
    if source == "phantom" and masks is not None:
        raise InvalidInput("the phantom has masks of its own: leave --masks out.")
    if source == "phantom":
        return remake(origin) if origin is not None and maker == "phantom" else phantom.make(seed=seed)
    check_data(source)
    if bids is not None:
        made = read_bids(source, **bids)
        return made if masks is None else attach_masks(made, masks)
    if subject is not None:
        return read_folder(source, subject=subject, masks=masks)
    if origin is not None and maker != "phantom":
        made = remake(origin, source)
        return made if masks is None else attach_masks(made, masks)
    near = [path.name for pattern in ("*", "*/*") for path in Path(source).glob(pattern) if path.is_dir()]
    if set(near) & set(alzheimer.CLASSES):
        made = alzheimer.load(source)
        return made if masks is None else attach_masks(made, masks)
    return read_folder(source, masks=masks)


@dataclass(frozen=True)
class Held:
    """The part of the data that a network is asked about.

    Attributes
    ----------
    cases, where
        The cases, and of which part they are, in words.
    independent
        Whether each case is of a person of its own: by what was said, or as the split was made by cases.
    """

    cases: Dataset
    where: str
    independent: bool


def held_of(
    model: Model,
    source: str,
    part: str | None,
    seed: int,
    subject: str | None,
    bids: Mapping[str, Any] | None,
    *,
    subjects: Path | None = None,
    masks: str | None = None,
    independent: bool = False,
) -> Held:
    """Return the part that options name, by default the test part where a split is recorded, else all.

    What is odd about it is printed: files without a mask, cases that the network was trained on, and those
    of the split that are missing.
    """
    from xaimri.data.attendance import absences_beside, trained_on

    split = model.split
    chosen = part if part is not None else "all" if split is None else "test"
    origin = None if chosen == "all" else model.origin
    dataset = dataset_of(source, seed, subject, origin, masks, bids, subjects)
    typer.echo("".join(f"{note}\n" for note in dataset.notes if masks is not None), nl=False)
    cases = part_of(dataset, split, chosen)
    by_case = False
    if split is not None:
        met = trained_on(cases, split, model.origin) if chosen == "all" else absences_beside(cases, split)
        typer.echo("".join(f"{note}\n" for note in met), nl=False)
        by_case = cases is not dataset and split["by"] == "case"
    where = "all of the data" if chosen == "all" else f"{chosen} part of the recorded split"
    return Held(cases, where, independent or by_case)


def part_of(dataset: Dataset, split: Mapping[str, Any] | None, part: str) -> Dataset:
    """Return a part of a recorded split, or all of the data; print how many cases are in no part.

    Raises
    ------
    InvalidInput
        If no split is recorded, or the part has no case in this data.
    """
    from xaimri.data import Split
    from xaimri.data.attendance import strangers

    if part == "all":
        return dataset
    if split is None:
        raise InvalidInput(
            f"the model records no split, so it has no {part} part: use --part all, for data that the "
            "network never saw."
        )
    try:
        chosen = Split.from_record(dataset, split).part(part)
    except InvalidInput as error:
        raise InvalidInput(f"{str(error)[:-1]}; for data the network never saw use --part all.") from error
    for sentence in strangers(dataset, split):
        typer.echo(sentence)
    return chosen

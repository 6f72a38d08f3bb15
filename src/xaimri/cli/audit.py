"""The commands that audit: a split, whether people are apart in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xaimri.cli.data import bids_of, dataset_of
from xaimri.cli.options import Force, LabelOption, Seed, SubjectOption, SubjectsOption, SuffixOption
from xaimri.cli.outputs import refuse_present, say_what_takes_long
from xaimri.errors import InvalidInput
from xaimri.regular_file import quoted
from xaimri.text_file import text_of

if TYPE_CHECKING:
    from xaimri.data import Dataset
    from xaimri.data.attendance import SplitRecord

SAFE, UNSAFE, UNSURE = 0, 2, 3
"""Exit codes: nothing found; unsafe; pairs that a human eye should decide. An error is 1."""

SIDES = (("train", "training"), ("test", "testing", "validation", "val", "valid"))
"""Names of the folders of training and of the test."""

TABLES = (".csv", ".tsv")
"""Endings of tables of cases."""

PATHS = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA [TEST|SPLIT]",
        help="Folder with train/ and test/; or both sides, each a folder or a table (.csv with the columns "
        "file, label, subject); or data and its recorded split: split.json, or the folder of `xaimri train`.",
    ),
]
OUT = Annotated[
    list[Path] | None,
    typer.Option("--out", "-o", metavar="FILE", help="File in .html or .json to write; twice for both."),
]


app = typer.Typer(help="See what a split, or a network, is worth.", no_args_is_help=True)


@app.command("split")
def audit_split_command(
    data: PATHS,
    out: OUT = None,
    force: Force = False,
    subject: SubjectOption = None,
    subjects: SubjectsOption = None,
    label: LabelOption = None,
    suffix: SuffixOption = None,
    seed: Seed = 0,
) -> None:
    """Say whether images or people of a test are in training too, and what that is worth.

    The exit code is 0 for "subject-safe" and "no leak found", 2 for "unsafe", 3 for "safe but for near
    copies", and 1 for an error.
    """
    from xaimri.audit import audit_split

    refuse_present(out or (), force)
    for file in out or ():
        if file.suffix not in (".html", ".json"):
            raise InvalidInput(f"--out `{file}` must end in .html or .json.")
    train, test, notes = sides_of(data, {"subject": subject, "bids": bids_of(label, suffix)}, seed, subjects)
    say_what_takes_long(f"Comparing {len(test):,} images of the test with {len(train):,} of training ...")
    audit = audit_split(train, test, seed=seed)
    audit = replace(audit, notes=(*audit.notes, *notes))
    typer.echo(str(audit))
    for file in out or ():
        typer.echo(f"Kept in {audit.save(file).resolve()}.")
    raise typer.Exit({"unsafe": UNSAFE, "safe but for near copies": UNSURE}.get(audit.verdict, SAFE))


def sides_of(
    given: list[str], how: dict[str, Any], seed: int, subjects: Path | None = None
) -> tuple[Dataset, Dataset, tuple[str, ...]]:
    """Return training and test of what the command was given, and what of it is not looked at.

    Raises
    ------
    InvalidInput
        If it can't be told which is which.
    """
    if len(given) > 2:
        raise InvalidInput("give one folder with train/ and test/, or two paths: training and test.")
    for each in given:
        if each != "phantom" and not Path(each).exists():
            raise InvalidInput(
                f"there is no file or folder {quoted(each)}: check the path, relative ones start at "
                f"{quoted(Path.cwd())}."
            )
    record = _record(Path(given[1])) if len(given) == 2 else None
    if record is not None:
        dataset = dataset_of(given[0], seed, **_recorded(record, how), subjects=subjects)
        return _by_record(dataset, record["split"])
    if subjects is not None:
        raise InvalidInput(
            "--subjects names the cases of one folder that a recorded split divides: give tables (.csv) with "
            "the columns file, label and subject for two sides."
        )
    if len(given) == 1:
        return _by_folders(Path(given[0]), how, seed)
    train, test = (_side(each, how, seed) for each in given)
    return train, test, ()


def _by_record(dataset: Dataset, record: SplitRecord) -> tuple[Dataset, Dataset, tuple[str, ...]]:
    """Return the parts of a recorded split, and who of it is not looked at."""
    from xaimri.data import Split
    from xaimri.data.attendance import absences, strangers

    found = Split.from_record(dataset, record)
    others = len(found.validation)
    held = (f"The {others} images of the validation part were compared with neither side.",) if others else ()
    notes = (*absences(dataset, record, of=("train", "test")), *strangers(dataset, record), *held)
    return found.part("train"), found.part("test"), notes


def _by_folders(folder: Path, how: dict[str, Any], seed: int) -> tuple[Dataset, Dataset, tuple[str, ...]]:
    if not folder.is_dir():
        raise InvalidInput(f"`{folder}` is no folder: give one with train/ and test/, or training and test.")
    inside = {path.name.casefold(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    sides = [next((inside[name] for name in names if name in inside), None) for names in SIDES]
    if None in sides:
        raise InvalidInput(
            f"`{folder}` has no folders train/ and test/: give both sides, one after the other, or its "
            f"split, as `xaimri data subjects {folder} --split split.json` writes one."
        )
    train, test = (_side(str(side), how, seed) for side in sides)
    others = [path.name for name, path in inside.items() if path not in sides and name in sum(SIDES, ())]
    return train, test, tuple(f"The folder {name}/ was compared with neither side." for name in others)


def _side(path: str, how: dict[str, Any], seed: int) -> Dataset:
    """Read one side: a table of cases, or a folder."""
    from xaimri.data.case_table import read_cases

    if Path(path).suffix.lower() in TABLES:
        if how["subject"] is not None or how["bids"] is not None:
            raise InvalidInput("a table has a column for the subjects: leave --subject and --label out.")
        return read_cases(path)
    return dataset_of(path, seed, **how)


def _record(path: Path) -> dict[str, Any] | None:
    """Return the split and the origin that a file, or the folder of a model, has; None of other paths."""
    from xaimri.data.subject_table import checked_split

    named = path / "bundle.json" if path.is_dir() else path
    named = named if named.is_file() or not path.is_dir() else path / "split.json"
    if named.suffix != ".json" or not named.is_file():
        return None
    try:
        held = json.loads(text_of(named))
    except ValueError as error:
        raise InvalidInput(f"`{named}` is no JSON: give a recorded split.") from error
    alone = isinstance(held, dict) and "by" in held
    if not isinstance(held, dict) or not (alone or isinstance(held.get("split"), dict)):
        raise InvalidInput(f"`{named}` records no split: give a split.json, or a model that has one.")
    split = checked_split(held if alone else held["split"], quoted(named))
    return {"split": split, "origin": None if alone else held.get("origin")}


def _recorded(record: dict[str, Any], how: dict[str, Any]) -> dict[str, Any]:
    """Return how data are read: as the command says, else as the model's were."""
    said = any(value is not None for value in how.values())
    return how if said else {"origin": record.get("origin")}

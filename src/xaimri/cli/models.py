"""The command that compares two networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.cli.data import bids_of, check_data, dataset_of, part_of
from xaimri.cli.options import (
    MODEL,
    DataPath,
    Folder,
    Force,
    IndependentOption,
    LabelOption,
    PartOption,
    Seed,
    SubjectOption,
    SubjectsOption,
    SuffixOption,
    takes,
)
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.model import Model

ASKED = ("classes", "preprocess", "inputs", "outputs", "output", "unit")
"""Options that say how a network is asked; a bundle knows that by itself."""


@takes(MODEL)
def compare_models(
    first: Annotated[Path, typer.Argument(metavar="MODEL", help="As of `xaimri evaluate`.")],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="The model that it is held against.")],
    data: DataPath,
    out: Folder = Path("comparison"),
    part: PartOption = None,
    level: Annotated[
        Literal["slice", "subject"], typer.Option(help="Whether images count, or subjects by their mean.")
    ] = "slice",
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
    """Compare two networks on the same people: differences with intervals, and a permutation test by subject.

    The part is that of the first network's recorded split. Methods are compared by `xaimri compare`. A folder
    of `xaimri train` knows its classes and how it is asked: --classes and the like are for other networks.
    """
    check_data(data)
    refuse_present([out / "comparison.json", out / "comparison.txt"], force)
    from xaimri import archive, experiment

    opened, other = opened_by_own(first, second, options)
    chosen = part if part is not None else "all" if opened.split is None else "test"
    origin = None if chosen == "all" else opened.origin
    dataset = dataset_of(data, seed, subject, origin, bids=bids_of(label, suffix), subjects=subjects)
    found = experiment.compare_models(
        opened, other, part_of(dataset, opened.split, chosen),
        names=(str(first), str(second)), level=level, independent=independent, seed=seed,
    )  # fmt: skip
    found.save(out / "comparison.json")
    archive.write_text(out / "comparison.txt", f"{found}\n")
    typer.echo(f"{found}\n\nKept in {out.resolve()}.")


def opened_by_own(first: Path, second: Path, options: dict[str, Any]) -> tuple[Model, Model]:
    """Open both, each as it is asked: the names that one network needs don't rename those of a bundle.

    Raises
    ------
    InvalidInput
        If both are bundles, and how a network is asked is said.
    """
    from xaimri import Model, open_model
    from xaimri.adapters.bundles import bundle_of

    bundles = [bundle_of(path) for path in (first, second)]
    said = [f"--{name}" for name in ASKED if name in options]
    if said and None not in bundles:
        raise InvalidInput(
            f"`{first}` and `{second}` know by themselves what {' and '.join(said)} would tell: leave it out."
        )
    reach = {name: value for name, value in options.items() if name not in ASKED}
    opened = list[Model]()
    for path, bundle in zip((first, second), bundles, strict=True):
        try:
            opened.append(open_model(path, **options) if bundle is None else open_model(bundle, **reach))
        except InvalidInput as refusal:  # which of the two is meant is told by none
            raise InvalidInput(f"`{path}`: {refusal}") from refusal
    return opened[0], opened[1]

"""The commands that explain images: a figure of each, or several methods side by side."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xaimri.cli.arguments import check_present, engine_note, images_of, methods_of, target_of, verdict
from xaimri.cli.options import (
    METHOD,
    MODEL,
    AgainstOption,
    Folder,
    Force,
    FormatOption,
    MethodsOption,
    ModelPath,
    OfOption,
    PanelsOption,
    StyleOption,
    TargetOption,
    takes,
)
from xaimri.cli.outputs import (
    PICTURES,
    TABLE,
    files_of_map,
    files_of_maps,
    formats_of,
    refuse_present,
    write_map,
    write_table,
)
from xaimri.cli.words import spoken
from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.explainer import Explainer
    from xaimri.explanation import Explanation
    from xaimri.failure import Failure
    from xaimri.model import Model
    from xaimri.objective import Of
    from xaimri.targets import Target


@takes(METHOD, MODEL)
def explain(
    model: ModelPath,
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA...", help="Images or scans (PNG, NIfTI, DICOM), or folders of them."),
    ],
    out: Folder = Path("explanations"),
    method: MethodsOption = None,
    target: TargetOption = None,
    of: OfOption = None,
    against: AgainstOption = None,
    style: PanelsOption = "side_by_side",
    forms: FormatOption = None,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Explain why a network scores images as it does; bad files are listed.

    Written are a figure of each image by each method (Grad-CAM by default), and one table,
    explanations.csv, of classes, probabilities and caveats.
    """
    from tqdm import tqdm

    from xaimri.explanations import file_stems, row_of
    from xaimri.failure import Failure
    from xaimri.methods import build_named
    from xaimri.options import open_with
    from xaimri.perturb.progress import watched
    from xaimri.perturb.workload import repeated
    from xaimri.sources import oddities

    names, formats = methods_of(method, ("gradcam",)), formats_of(forms)
    check_present(data)
    if all(path.is_file() for path in data):  # which images a folder holds, the model tells
        refuse_present(files_of_maps(out, file_stems([path.name for path in data]), names, formats), force)
    typer.echo(engine_note(names, options), nl=False)
    opened, settings = open_with(model, options, names)
    files = images_of(data, opened.intake)
    stems = file_stems([name for name, _ in files])
    refuse_present(files_of_maps(out, stems, names, formats), force)
    one, other = target_of(target, opened.classes), target_of(against, opened.classes)
    for note in (f"{path}: {note}" for path in data for note in oddities(path, opened.intake)):
        typer.echo(f"xaimri: {note}", err=True)
    several, shown = len(files) > 1, sys.stderr.isatty()
    rows: list[dict[str, Any]] = []
    failed: set[str] = set()
    unwritten: set[str] = set()
    explainers = build_named(names, settings)
    try:
        with watched(not several and shown), repeated(len(files)):
            results = _results(opened, explainers, files, (one, other, of))
            bar = tqdm(results, total=len(files) * len(names), unit="image", disable=not (several and shown))
            for name, place, source, ending in bar:
                rows.append({"method": name, **row_of(str(source), ending)})
                if isinstance(ending, Failure):
                    failed.add(str(source))
                    typer.echo(f"xaimri: {source}: {spoken(str(ending), {*METHOD, *MODEL})}", err=True)
                    continue
                try:
                    to, heading = out / f"{stems[place]}_{name}", files[place][0]
                    made = write_map(ending, Path(source), to, formats, style, heading)
                except InvalidInput as fault:
                    unwritten.add(str(source))
                    typer.echo(f"xaimri: {source}: {spoken(str(fault), {*METHOD, *MODEL})}", err=True)
                    continue
                typer.echo(f"{source}: {verdict(ending)}" + (f" -> {made[0]}" if made else ""))
    finally:
        if rows and "csv" in formats:
            write_table(rows, out / TABLE)
    _end(len(files), failed, unwritten)


def _results(
    opened: Model,
    explainers: Mapping[str, Explainer[Any]],
    files: Sequence[tuple[str, Path]],
    asked: tuple[Target, Target, Of | None],
) -> Iterator[tuple[str, int, Any, Explanation | Failure]]:
    """Yield each method's name, the place and source of each file, and the ending; methods one by one."""
    from xaimri.endings import endings
    from xaimri.questions import ask

    target, against, of = asked
    sources = [str(file) for _, file in files]
    for name, explainer in explainers.items():
        questions = ask(sources, opened.intake, opened.classes, target, against=against)
        found = endings(opened.classifier, opened.intake, explainer, questions, of=of)
        for place, (question, ending) in zip(range(len(files)), found, strict=True):
            yield name, place, question.image.source, ending


def _end(files: int, failed: Collection[str], unwritten: Collection[str]) -> None:
    """Say how many images could not be explained or written, and end with 1 where there are any."""
    if failed:
        typer.echo(f"xaimri: {len(failed)} of {files} images could not be explained.", err=True)
    if unwritten:
        typer.echo(
            f"xaimri: {len(unwritten)} of {files} images could not be written in every form.", err=True
        )
    if failed or unwritten:
        raise typer.Exit(1)


@takes(METHOD, MODEL)
def compare(
    model: ModelPath,
    image: Annotated[Path, typer.Argument(metavar="DATA", help="Image file.")],
    out: Folder = Path("explanations"),
    method: MethodsOption = None,
    target: TargetOption = None,
    of: OfOption = None,
    against: AgainstOption = None,
    style: StyleOption = "overlay",
    forms: FormatOption = None,
    force: Force = False,
    *,
    options: dict[str, Any],
) -> None:
    """Explain one image by several methods, side by side in one figure, with a table of them.

    By Grad-CAM and LIME, unless others are named.
    """
    from xaimri.explanations import row_of
    from xaimri.images.suffixes import stem_of
    from xaimri.options import open_with

    names, formats = methods_of(method), formats_of(forms)
    own = [form for form in formats if form not in PICTURES]
    stem = out / stem_of(image.resolve().name)
    maps = {name: stem.with_name(f"{stem.name}_{name}") for name in names}
    figure_stem = f"{stem.name}_comparison"
    figures = [stem.with_name(f"{figure_stem}.{form}") for form in formats if form in (*PICTURES, "csv")]
    check_present([image])
    refuse_present([*figures, *(each for map_ in maps.values() for each in files_of_map(map_, own))], force)
    typer.echo(engine_note(names, options), nl=False)
    opened, settings = open_with(model, options, names)
    (_, file), *more = images_of([image], opened.intake)
    if more:
        raise InvalidInput(
            f"`{image}` holds {len(more) + 1} images, and one is compared: name one of its files."
        )
    one, other = target_of(target, opened.classes), target_of(against, opened.classes)
    made = opened.compare(
        file, names, target=one, of=of, against=other, progress=sys.stderr.isatty(), **settings
    )
    for name, explanation in zip(names, made, strict=True):
        write_map(explanation, file, maps[name], own, style, file.name)
        typer.echo(f"{name}: {verdict(explanation)}")
    for figure in figures:
        if figure.suffix == ".csv":
            rows = [{"method": n, **row_of(str(file), each)} for n, each in zip(names, made, strict=True)]
            write_table(rows, figure)
        else:
            made.save(figure, style=style, heading=file.name)
    if figures:
        typer.echo(f"{file} -> {figures[0]}")

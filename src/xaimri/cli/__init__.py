"""The command line: parse, call, print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xaimri.cli import data, judge
from xaimri.cli.arguments import files_of, target_of, verdict
from xaimri.cli.data import dataset_of, part_of
from xaimri.cli.options import (
    METHOD,
    MODEL,
    REACH,
    AgainstOption,
    Data,
    Folder,
    IndependentOption,
    Methods,
    ModelPath,
    OfOption,
    PanelsOption,
    Seed,
    StyleOption,
    SubjectOption,
    TargetOption,
    takes,
)
from xaimri.errors import XaimriError

app = typer.Typer(
    help="Train and explain image classifiers, made for brain MRI.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")


@app.command()
def demo(
    out: Folder = Path("xaimri-demo"),
    subjects: Annotated[int, typer.Option(help="Subjects of the phantom.", min=8)] = 120,
    epochs: Annotated[int, typer.Option(help="Most epochs.", min=1)] = 14,
    seed: Seed = 0,
) -> None:
    """Run the whole journey on the bundled phantom: train, evaluate, explain. Minutes, no download."""
    from xaimri import LIME, GradCAM, experiment
    from xaimri.data import phantom, split

    typer.echo(f"Making {subjects} phantom brains in {len(phantom.STAGES)} stages of atrophy ...")
    dataset = phantom.make(subjects=subjects, slices=4, size=(96, 96), seed=seed)
    parts = split(dataset, validation=0.1, test=0.45, seed=seed)
    typer.echo(parts.describe())
    typer.echo("\nTraining a ResNet50 from random weights ...")
    bundle = experiment.train(dataset, parts, out, size=(96, 96), seed=seed, **_from_scratch(epochs))
    typer.echo("\nHeld-out subjects:\n")
    typer.echo(experiment.evaluate(bundle, parts.test, out))
    typer.echo("\nExplaining one held-out case of each stage ...")
    methods = (GradCAM(layer="conv4_block6_out"), LIME(samples=300))
    experiment.explain_classes(bundle, parts, out, methods, announce=typer.echo)
    typer.echo(f"\nLook at the figures in {out.resolve()}.")


@app.command()
@takes(REACH)
def train(
    data: Data,
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
    independent: IndependentOption = False,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Split by subject, train a ResNet50, evaluate it on the held-out subjects. Run again to go on."""
    from xaimri import experiment
    from xaimri.data import split

    dataset = dataset_of(data, seed, subject)
    parts = split(
        dataset, validation=validation, test=test, seed=seed, independent=independent, copies=copies
    )
    typer.echo("\n".join([*dataset.notes, parts.describe()]))
    random = weights == "random"
    settings = _from_scratch(epochs) if random else {"epochs": (3, epochs), "learning_rate": (1e-3, 1e-4)}
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


@app.command()
@takes(MODEL)
def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder that `xaimri train` wrote.")],
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for report and figures; the bundle's by default."),
    ] = None,
    part: Annotated[
        str, typer.Option(help='Part of the recorded split, or "all" for data the network never saw.')
    ] = "test",
    subject: SubjectOption = None,
    seed: Seed = 0,
    *,
    options: dict[str, Any],
) -> None:
    """Evaluate a trained network on held-out subjects, with intervals over subjects."""
    from xaimri import experiment, open_model

    opened = open_model(model, **options)
    origin = None if part == "all" else opened.origin
    chosen = part_of(dataset_of(data, seed, subject, origin), opened.split, part)
    typer.echo(experiment.evaluate(opened, chosen, out or model))


@app.command()
@takes(METHOD, MODEL)
def explain(
    model: ModelPath,
    image: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    out: Folder = Path(),
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the method.")] = "gradcam",
    target: TargetOption = None,
    of: OfOption = None,
    against: AgainstOption = None,
    style: PanelsOption = "side_by_side",
    *,
    options: dict[str, Any],
) -> None:
    """Explain why a network scores images as it does, one figure per image; bad files are listed."""
    from tqdm import tqdm

    from xaimri.endings import endings
    from xaimri.explanations import file_stems
    from xaimri.failure import Failure
    from xaimri.methods import build_all
    from xaimri.options import open_with
    from xaimri.perturb.progress import watched
    from xaimri.questions import ask
    from xaimri.sources import oddities

    opened, settings = open_with(model, options, method)
    (explainer,) = build_all(method, settings)
    files = files_of(image)
    for note in (f"{path}: {note}" for path in image for note in oddities(path)):
        typer.echo(f"xaimri: {note}", err=True)
    several, shown = len(files) > 1, sys.stderr.isatty()
    other = target_of(against, opened.classes)
    questions = ask(
        [str(file) for _, file in files], opened.intake, opened.classes, target_of(target, opened.classes),
        against=other,
    )  # fmt: skip
    stems, failed = iter(file_stems([name for name, _ in files])), 0
    with watched("samples" in options and not several and shown):
        found = endings(opened.classifier, opened.intake, explainer, questions, of=of)
        for question, ending in tqdm(found, total=len(files), unit="image", disable=not (several and shown)):
            source, stem = question.image.source, next(stems)
            if isinstance(ending, Failure):
                failed += 1
                typer.echo(f"xaimri: {source}: {ending}", err=True)
                continue
            written = ending.save(out / f"{stem}_{method}.png", style=style)
            typer.echo(f"{source}: {verdict(ending)} -> {written}")
    if failed:
        typer.echo(f"xaimri: {failed} of {len(files)} images could not be explained.", err=True)
        raise typer.Exit(1)


@app.command()
@takes(METHOD, MODEL)
def compare(
    model: ModelPath,
    image: Annotated[Path, typer.Argument(help="Image file.")],
    out: Folder = Path(),
    method: Methods = None,
    target: TargetOption = None,
    of: OfOption = None,
    against: AgainstOption = None,
    style: StyleOption = "overlay",
    *,
    options: dict[str, Any],
) -> None:
    """Explain one image by several methods, side by side in one figure."""
    from xaimri.options import open_with

    methods = method or ["gradcam", "lime"]
    opened, settings = open_with(model, options, methods)
    one, other = target_of(target, opened.classes), target_of(against, opened.classes)
    made = opened.compare(image, methods, target=one, of=of, against=other, **settings)
    written = made.save(out / f"{image.stem}_comparison.png", style=style)
    typer.echo(f"{image}: {verdict(made[0])} -> {written}")


app.command("judge")(judge.judge)


def main() -> None:
    """Run a command; an error is one sentence on standard error and exit code 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets with warnings about GPUs
    try:
        app(prog_name="xaimri")
    except XaimriError as error:
        typer.echo(f"xaimri: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(
            f"xaimri: {error.filename or 'a file'} can't be used ({error.strerror or error}).", err=True
        )
        sys.exit(1)


def _from_scratch(epochs: int) -> dict[str, Any]:
    """Settings that train a network from random weights in few epochs."""
    return {
        "epochs": (0, epochs),
        "learning_rate": 3e-4,
        "batch": 16,
        "dropout": 0.2,
        "schedule": "cosine",
        "patience": epochs,
    }

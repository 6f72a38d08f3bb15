"""The command line: parse, call, print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from xaimri.cli import data, judge
from xaimri.cli.arguments import file_names, files_of, given, methods_of, samples_of, target_of, verdict
from xaimri.cli.data import dataset_of
from xaimri.cli.options import (
    Data,
    EngineOption,
    Fit,
    FitOption,
    Folder,
    IndependentOption,
    LayerOption,
    LayoutOption,
    Methods,
    ModelPath,
    OfOption,
    OutputOption,
    OutputsOption,
    SamplesOption,
    Seed,
    StyleOption,
    SubjectOption,
    TargetOption,
    UnitOption,
    WindowOption,
)
from xaimri.errors import InvalidInput, XaimriError

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
def train(
    data: Data,
    out: Folder,
    size: Annotated[int, typer.Option(help="Side of the network's input in pixels.", min=32)] = 224,
    weights: Annotated[str, typer.Option(help='"imagenet", "random", or a weight file.')] = "imagenet",
    epochs: Annotated[int, typer.Option(help="Most epochs (pretrained: after 3 of the head).", min=1)] = 20,
    validation: Annotated[float, typer.Option(help="Share of the subjects for early stopping.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the subjects held out.")] = 0.25,
    fit: Annotated[Fit, typer.Option(help="How images are brought to the input size.")] = "pad",
    subject: SubjectOption = None,
    independent: IndependentOption = False,
    seed: Seed = 0,
) -> None:
    """Split by subject, train a ResNet50, evaluate it on the held-out subjects. Run again to go on."""
    from xaimri import experiment
    from xaimri.data import split

    dataset = dataset_of(data, seed, subject)
    parts = split(dataset, validation=validation, test=test, seed=seed, independent=independent)
    typer.echo(parts.describe())
    random = weights == "random"
    settings = _from_scratch(epochs) if random else {"epochs": (3, epochs), "learning_rate": (1e-3, 1e-4)}
    bundle = experiment.train(
        dataset,
        parts,
        out,
        size=(size, size),
        weights=None if random else weights,
        fit=fit,
        seed=seed,
        **settings,
    )
    if len(parts.test):
        typer.echo(experiment.evaluate(bundle, parts.test, out))
    typer.echo(f"\nKept in {out.resolve()}; next: xaimri explain {out} IMAGE")


@app.command()
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
) -> None:
    """Evaluate a trained network on held-out subjects, with intervals over subjects."""
    from xaimri import experiment, training
    from xaimri.data import Split

    bundle = training.load(model)
    if part == "all":
        chosen = dataset_of(data, seed, subject)
    elif bundle.split is None:
        raise InvalidInput(
            'the bundle records no split: evaluate on data the network never saw with --part "all".'
        )
    else:
        chosen = Split.from_record(dataset_of(data, seed, subject), bundle.split).part(part)
    typer.echo(experiment.evaluate(bundle, chosen, out or model))


@app.command()
def explain(
    model: ModelPath,
    image: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    out: Folder = Path(),
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the method.")] = "gradcam",
    target: TargetOption = None,
    of: OfOption = None,
    layer: LayerOption = None,
    samples: SamplesOption = None,
    fit: FitOption = None,
    window: WindowOption = None,
    outputs: OutputsOption = None,
    output: OutputOption = None,
    unit: UnitOption = None,
    engine: EngineOption = None,
    style: LayoutOption = "side_by_side",
) -> None:
    """Explain why a network scores images as it does, one figure per image; bad files are listed."""
    from tqdm import tqdm

    import xaimri
    from xaimri.api import opened
    from xaimri.explainers import build

    explainer = build(method, given(layer=layer, samples=samples_of(samples)))
    asked = given(outputs=outputs, output=output, unit=unit, engine=engine)
    classifier, chosen = opened(model, fit=fit, **asked)
    wanted = target_of(target, classifier.classes)
    files = files_of(image)
    quiet, failed = len(files) < 2 or not sys.stderr.isatty(), 0
    for source, name in tqdm(list(zip(files, file_names(files), strict=True)), unit="image", disable=quiet):
        try:
            made = xaimri.explain(
                classifier,
                source,
                explainer,
                target=wanted,
                of=of,
                fit=chosen,
                window=window,
                progress=samples is not None and len(files) == 1 and sys.stderr.isatty(),
            )
        except InvalidInput as error:
            if len(files) == 1:
                raise
            failed += 1
            typer.echo(f"xaimri: {source}: {error}", err=True)
            continue
        written = made.save(out / f"{name}_{method}.png", style=style)
        typer.echo(f"{source}: {verdict(made)} -> {written}")
    if failed:
        typer.echo(f"xaimri: {failed} of {len(files)} images could not be explained.", err=True)
        raise typer.Exit(1)


@app.command()
def compare(
    model: ModelPath,
    image: Annotated[Path, typer.Argument(help="Image file.")],
    out: Folder = Path(),
    method: Methods = None,
    target: TargetOption = None,
    of: OfOption = None,
    layer: LayerOption = None,
    samples: SamplesOption = None,
    fit: FitOption = None,
    window: WindowOption = None,
    outputs: OutputsOption = None,
    output: OutputOption = None,
    unit: UnitOption = None,
    engine: EngineOption = None,
    style: StyleOption = "overlay",
) -> None:
    """Explain one image by several methods, side by side in one figure."""
    import xaimri
    from xaimri.api import opened

    methods = methods_of(method or ["gradcam", "lime"], given(layer=layer, samples=samples_of(samples)))
    asked = given(outputs=outputs, output=output, unit=unit, engine=engine)
    classifier, chosen = opened(model, fit=fit, **asked)
    wanted = target_of(target, classifier.classes)
    made = xaimri.compare(classifier, image, methods, target=wanted, of=of, fit=chosen, window=window)
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

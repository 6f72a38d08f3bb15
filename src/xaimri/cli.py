"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xaimri.errors import InvalidInput, XaimriError

if TYPE_CHECKING:
    from xaimri.data import Dataset

app = typer.Typer(
    help="Train and explain image classifiers, made for brain MRI.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Get or make data sets, and see what is in one.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder for everything that is made.")]
Data = Annotated[
    str,
    typer.Option(
        "--data", "-d", help='Folder with a folder per class (the Alzheimer set is recognised), or "phantom".'
    ),
]
Fit = Literal["stretch", "pad"]
FitOption = Annotated[
    Fit | None, typer.Option(help="How images are brought to the input size; the bundle's own.")
]
Methods = Annotated[list[str] | None, typer.Option("--method", "-m", help="A method; give it several times.")]
TargetOption = Annotated[
    str | None, typer.Option("--target", "-t", help="Class to explain, by name or index; else the predicted.")
]
OfOption = Annotated[
    Literal["logit", "log_odds", "probability"] | None, typer.Option(help="Score to explain.")
]
SubjectOption = Annotated[
    str | None, typer.Option(help="Regular expression of the file name with a group (?P<subject>...).")
]
LayerOption = Annotated[str | None, typer.Option(help="Layer of a class activation map.")]
SamplesOption = Annotated[int | None, typer.Option(help="Samples of a perturbation method.")]
Seed = Annotated[int, typer.Option(help="Same seed, same result.", min=0)]
ModelPath = Annotated[Path, typer.Argument(help="Folder that `xaimri train` wrote, or a .keras or .h5 file.")]


@app.command()
def demo(
    out: Folder = Path("xaimri-demo"),
    subjects: Annotated[int, typer.Option(help="Subjects of the phantom.", min=8)] = 120,
    epochs: Annotated[int, typer.Option(help="Most epochs.", min=1)] = 18,
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
    epochs: Annotated[int, typer.Option(help="Most epochs.", min=1)] = 20,
    validation: Annotated[float, typer.Option(help="Share of the subjects for early stopping.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the subjects held out.")] = 0.25,
    fit: Annotated[Fit, typer.Option(help="How images are brought to the input size.")] = "pad",
    subject: SubjectOption = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Every image is of a person of its own.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Split by subject, train a ResNet50, evaluate it on the held-out subjects. Run again to go on."""
    from xaimri import experiment
    from xaimri.data import split

    dataset = _dataset(data, seed, subject)
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
        chosen = _dataset(data, seed, subject)
    elif bundle.split is None:
        raise InvalidInput(
            'the bundle records no split: evaluate on data the network never saw with --part "all".'
        )
    else:
        chosen = Split.from_record(_dataset(data, seed, subject), bundle.split).part(part)
    typer.echo(experiment.evaluate(bundle, chosen, out or model))


@app.command()
def explain(
    model: ModelPath,
    image: Annotated[list[Path], typer.Argument(help="Image files.")],
    out: Folder = Path(),
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the method.")] = "gradcam",
    target: TargetOption = None,
    of: OfOption = None,
    layer: LayerOption = None,
    samples: SamplesOption = None,
    fit: FitOption = None,
    style: Annotated[
        str, typer.Option(help="side_by_side, overlay, contours, superpixels or image.")
    ] = "side_by_side",
) -> None:
    """Explain why a network scores images as it does, one figure per image."""
    from tqdm import tqdm

    import xaimri
    from xaimri.api import opened

    classifier, chosen = opened(model, fit=fit)
    settings = _given(layer=layer, samples=samples)
    stems = Counter(source.stem for source in image)
    for source in tqdm(image, unit="image", disable=len(image) < 2 or not sys.stderr.isatty()):
        made = xaimri.explain(
            classifier, source, method, target=_target(target), of=of, fit=chosen, **settings
        )
        name = source.stem if stems[source.stem] == 1 else f"{source.resolve().parent.name}_{source.stem}"
        written = made.save(out / f"{name}_{method}.png", style=style)
        typer.echo(f"{source}: {_verdict(made)} -> {written}")


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
    style: Annotated[str, typer.Option(help="overlay, contours or superpixels.")] = "overlay",
) -> None:
    """Explain one image by several methods, side by side in one figure."""
    import xaimri
    from xaimri.explainers import build

    given = {"gradcam": _given(layer=layer), "lime": _given(samples=samples)}
    methods = [build(name, given.get(name)) for name in method or ["gradcam", "lime"]]
    made = xaimri.compare(model, image, methods, target=_target(target), of=of, fit=fit)
    written = made.save(out / f"{image.stem}_comparison.png", style=style)
    typer.echo(f"{image}: {_verdict(made[0])} -> {written}")


@data_app.command("alzheimer")
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


@data_app.command("phantom")
def data_phantom(
    out: Folder,
    subjects: Annotated[int, typer.Option(help="Subjects, dealt over the four stages.", min=1)] = 40,
    slices: Annotated[int, typer.Option(help="Slices per subject.", min=1)] = 4,
    seed: Seed = 0,
) -> None:
    """Write the phantom's slices as PNG files, a folder per stage."""
    import numpy as np
    from PIL import Image

    from xaimri.data import phantom

    dataset = phantom.make(subjects=subjects, slices=slices, seed=seed)
    for case in dataset:
        target = out / dataset.classes[case.label] / f"{case.id.replace('/slice ', '_slice')}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(case.source)).save(target)
    typer.echo(dataset.describe())


@data_app.command("info")
def data_info(data: Annotated[str, typer.Argument(help="Folder of the data set.")]) -> None:
    """Count images and subjects per class."""
    typer.echo(_dataset(data, 0).describe())


def main() -> None:
    """Run a command; an error is one sentence on standard error and exit code 1."""
    try:
        app(prog_name="xaimri")
    except XaimriError as error:
        typer.echo(f"xaimri: {error}", err=True)
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


def _dataset(source: str, seed: int, subject: str | None = None) -> Dataset:
    """Read a data set by folder, the Alzheimer slices with their subjects, or make the phantom."""
    from xaimri.data import alzheimer, phantom, read_folder

    if source == "phantom":
        return phantom.make(seed=seed)
    if not Path(source).is_dir():
        raise InvalidInput(
            f'`{source}` is not a folder: give a folder with a folder per class, or "phantom".'
        )
    if any(folder.name in alzheimer.CLASSES for folder in Path(source).rglob("*") if folder.is_dir()):
        return alzheimer.load(source)
    return read_folder(source, subject=subject)


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _target(given: str | None) -> str | int | None:
    return int(given) if given is not None and given.isdecimal() else given


def _verdict(explanation: Any) -> str:
    p = float(explanation.probabilities[explanation.target])
    caveats = ", ".join(caveat.name for caveat in explanation.caveats)
    return f"{explanation.target_class}, p = {p:.3f}" + (f" (caveats: {caveats})" if caveats else "")

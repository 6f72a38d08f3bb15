"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

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
OutputsOption = Annotated[
    Literal["probabilities", "logits"] | None, typer.Option(help="What the network gives.")
]
OutputOption = Annotated[str | None, typer.Option(help="Which of several outputs to explain.")]
UnitOption = Annotated[int | None, typer.Option(help="Which of several independent sigmoids to explain.")]
WindowOption = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="LOW HIGH", help="Stored intensities to spread over 0 to 255."),
]
SamplesOption = Annotated[
    str | None,
    typer.Option(
        help='Samples of a perturbation method, or "auto": until the order is settled.', metavar="N|auto"
    ),
]
EngineOption = Annotated[
    Literal["auto", "tensorflow", "openvino"] | None,
    typer.Option(help="What runs the network where many predictions are needed."),
]
Seed = Annotated[int, typer.Option(help="Same seed, same result.", min=0)]
ModelPath = Annotated[
    Path, typer.Argument(help="Folder that `xaimri train` wrote, a .keras or .h5 file, or a SavedModel.")
]
LayoutOption = Annotated[
    Literal["side_by_side", "overlay", "contours", "superpixels", "chart", "image"],
    typer.Option(help="How maps are drawn."),
]
StyleOption = Annotated[
    Literal["overlay", "contours", "superpixels", "chart"], typer.Option(help="How maps are drawn.")
]
MethodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--methods",
        "--method",
        "-m",
        metavar="NAME[,NAME]",
        help="Methods to judge; gradcam,lime by default.",
    ),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        "--metric",
        metavar="NAME[,NAME]",
        help="What to measure; deletion,insertion by default. A wrong name lists all.",
    ),
]
DataPath = Annotated[
    str,
    typer.Argument(
        help='Folder with a folder of images per class (the Alzheimer set is recognised), or "phantom".'
    ),
]
AimOption = Annotated[
    Literal["predicted", "label"],
    typer.Option("--target", "-t", help="Class to explain: the predicted one, or the case's own."),
]
CasesOption = Annotated[
    int, typer.Option(help="Cases at most, drawn from as many subjects as there are.", min=1)
]
PartOption = Annotated[
    Literal["test", "validation", "train", "all"] | None,
    typer.Option(help="Part of the recorded split; test by default, or all if no split is recorded."),
]
IndependentOption = Annotated[
    bool, typer.Option("--independent", help="Every image is of a person of its own.")
]

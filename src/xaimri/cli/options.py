"""Arguments and options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xaimri.cli.meaning import MEANING

Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder for everything that is made.")]
Fit = Literal["stretch", "pad"]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there already.")]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORM[,FORM]",
        help="What is written: png, svg, pdf, jpg (figures), html (an interactive page), npy (the map), "
        "nii.gz, dcm (the map on its scan), json (its numbers), csv (one table); png,csv by default.",
    ),
]
TargetOption = Annotated[
    str | None, typer.Option("--target", "-t", help="Class to explain, by name or index; else the predicted.")
]
AgainstOption = Annotated[
    str | None, typer.Option(help="Class to hold it against: explains the difference of their logits.")
]
OfOption = Annotated[
    Literal["logit", "log_odds", "probability"] | None, typer.Option(help="Score to explain.")
]
SubjectOption = Annotated[
    str | None, typer.Option(help="Regular expression of the file name with a group (?P<subject>...).")
]
SubjectsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV", help="Table with the columns case and subject, as of `xaimri data subjects`."
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="The data are a BIDS folder, and this column of its table is the label."
    ),
]
SuffixOption = Annotated[
    str | None,
    typer.Option(
        metavar="KIND[,KIND]",
        help="Of a BIDS folder: which scans, T1w by default; several are the channels of one image.",
    ),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Column of a BIDS table whose equals stay together, such as family_id."
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same result.", min=0)]
ModelPath = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="Folder that `xaimri train` wrote, a .keras or .h5 file, or a SavedModel."
    ),
]
PanelsOption = Annotated[
    Literal["side_by_side", "overlay", "contours", "superpixels", "chart", "mosaic", "glass", "image"],
    typer.Option(help="How maps are drawn."),
]
StyleOption = Annotated[
    Literal["overlay", "contours", "superpixels", "chart"], typer.Option(help="How maps are drawn.")
]
MethodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        metavar="NAME[,NAME]",
        help="Methods, with commas or given several times; gradcam,lime by default (`explain` and "
        "`cohort run`: gradcam). "
        "`xaimri methods` lists them.",
    ),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME[,NAME]",
        help="What to measure; deletion,insertion by default. `xaimri metrics` lists them.",
    ),
]
DataPath = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Folder with a folder of images per class (the Alzheimer set is recognised), a BIDS folder with "
        '--label, or "phantom".',
    ),
]
MasksOption = Annotated[
    str | None,
    typer.Option("--masks", help="Folder with a mask of each image, called as the image, or its name_mask."),
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

MODEL: Mapping[str, Any] = {
    "classes": Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Names of the classes, in the network's order.")
    ],
    "preprocess": Annotated[
        str | None,
        typer.Option(
            metavar="NAME|MODULE:FUNCTION",
            help="What must be done to images before the network: a family of keras.applications, such as "
            "xception, or a function of a batch.",
        ),
    ],
    "inputs": Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An input beside the image, a number or a JSON list; give it several times.",
        ),
    ],
    "outputs": Annotated[
        Literal["auto", "probabilities", "logits"] | None,
        typer.Option(help="What the network gives; by default its end decides."),
    ],
    "output": Annotated[str | None, typer.Option(help="Which of several outputs to explain.")],
    "unit": Annotated[int | None, typer.Option(help="Which of several independent sigmoids to explain.")],
    "engine": Annotated[
        Literal["auto", "tensorflow", "openvino"] | None,
        typer.Option(help="What runs the network where many predictions are needed."),
    ],
    "fit": Annotated[
        Fit | None,
        typer.Option(
            help="How images are brought to the input size: as in training, which pads them by default."
        ),
    ],
    "window": Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="Stored intensities to spread over 0 to 255, or percentiles such as 1% 99% or, inside the "
            "brain, 1%foreground 99%foreground; with commas, one for each channel; header header: the window "
            "that each DICOM file names.",
        ),
    ],
    "layout": Annotated[
        Literal["channels_last", "channels_first"] | None,
        typer.Option(help="Where .npy files have their channels; last unless it is said."),
    ],
    "slices": Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Which slices of a volume a network of slices is given: all, brain or a range such as "
            "40:120:2; with commas also the plane (coronal), the view (neurological) and how probabilities "
            "are combined (median): brain,coronal.",
        ),
    ],
}
"""The options of `xaimri.open_model` that can be said in words."""

METHOD: Mapping[str, Any] = {
    "layer": Annotated[str | None, typer.Option(help="Path or name of the layer whose maps are read.")],
    "samples": Annotated[
        str | None,
        typer.Option(
            help='Samples of a perturbation method, or "auto": until the order is settled.', metavar="N|auto"
        ),
    ],
    "regions": Annotated[
        str | None,
        typer.Option(
            help="How many regions LIME and others hide, or the file of an atlas; with commas a file of its "
            "names, and same-space where the scans are in its space.",
            metavar="N|ATLAS[,NAMES][,same-space]",
        ),
    ],
}
"""Settings of methods; each goes to those that have it."""


REACH: Mapping[str, Any] = {name: MODEL[name] for name in ("fit", "window", "layout")}
"""Those that say how images reach a model."""


def takes(*tables: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of these tables; those that were given reach it as ``options``."""
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for table in tables
        for name, kind in table.items()
    ]

    def extend(command: Callable[..., None]) -> Callable[..., None]:
        plain = inspect.signature(command, eval_str=True)
        parameters = [*(own for own in plain.parameters.values() if own.name != "options"), *more]

        @wraps(command)
        def run(**words: Any) -> None:
            given = {each.name: words.pop(each.name) for each in more}
            options = {name: value for name, value in given.items() if value is not None}
            command(**words, options={k: MEANING[k](v) if k in MEANING else v for k, v in options.items()})

        run.__signature__ = plain.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return extend

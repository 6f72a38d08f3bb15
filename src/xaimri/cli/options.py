"""Arguments and options that several commands share."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from xaimri.atlas import Atlas
from xaimri.cli.preparation import preparation_of
from xaimri.errors import InvalidInput, shown
from xaimri.images.slices import PlaneName, Slices, View
from xaimri.images.window import Inside, Window

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
        help="Methods, with commas or given several times; gradcam,lime by default (`explain`: gradcam). "
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


def classes_of(given: str) -> list[str]:
    """Return names that stand with commas between."""
    return [name.strip() for name in given.split(",")]


def window_of(given: tuple[str, str]) -> Window:
    """Return the window between two intensities, or two percentiles; with commas, one for each channel.

    Examples
    --------
    >>> window_of(("0", "4000")).describe(), window_of(("1%", "99%")).describe()
    ('0 to 4000', '1 to 99 %')
    >>> window_of(("1%foreground", "99%foreground")).describe(), window_of(("0,0", "4000,900")).describe()
    ('1 to 99 % of the foreground', '0 to 4000 and 0 to 900')
    >>> window_of(("header", "header")).describe()
    'of the header'
    """
    if given == ("header", "header"):
        return Window(0, 1, header=True)
    inside: Inside = "image"
    words = list(given)
    if all(each.endswith("%foreground") for each in words):
        inside, words = "foreground", [each.removesuffix("foreground") for each in words]
    lists = [each.split(",") for each in words]
    percent = {each.endswith("%") for each in (*lists[0], *lists[1])}
    try:
        low, high = (tuple(float(each.removesuffix("%")) for each in limits) for limits in lists)
        if len(percent) > 1 or len(low) != len(high):
            raise ValueError
    except ValueError:
        raise InvalidInput(
            "--window must be two intensities such as 0 4000, two percentiles such as 1% 99% or, inside the "
            f"foreground, 1%foreground 99%foreground, or header header, got {' '.join(given)[:60]}."
        ) from None
    alone = len(low) == 1
    return Window(low[0] if alone else low, high[0] if alone else high, percent.pop(), inside=inside)


def slices_of(given: str) -> Slices:
    """Return the slices that words with commas between tell.

    Examples
    --------
    >>> slices_of("brain,coronal").describe(), slices_of("3,5,median").combine
    ('coronal slices: brain', 'median')
    """
    words = [word.strip() for word in given.split(",") if word.strip()]
    named: dict[str, Any] = {name: word for name, known in WORDS.items() for word in words if word in known}
    which = [word for word in words if word not in named.values()]
    if len(which) + len(named) < len(words):
        raise InvalidInput(f"--slices names something twice, got {given[:60]!r}: name each once.")
    if which and all(word.isdigit() for word in which):
        return Slices([int(word) for word in which], **named)
    if len(which) > 1:
        raise InvalidInput(
            f"--slices must be all, brain, a range such as 40:120:2 or numbers, got {given[:60]!r}."
        )
    return Slices(which[0] if which else "all", **named)


WORDS: Mapping[str, tuple[str, ...]] = {
    "plane": get_args(PlaneName),
    "view": get_args(View),
    "combine": ("mean", "median", "product"),
}
"""Words of ``--slices`` beside those that say which."""


def inputs_of(given: list[str]) -> dict[str, Any]:
    """Return the inputs beside the image by name.

    Examples
    --------
    >>> inputs_of(["age=71", "scores=[1, 2.5]"])
    {'age': 71, 'scores': [1, 2.5]}
    """
    found = {}
    for words in given:
        name, _, value = words.partition("=")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            raise InvalidInput(
                f"--inputs must be NAME=VALUE, the value a number or a JSON list, such as age=71, got "
                f"{words[:60]!r}."
            ) from None
    return found


def samples_of(given: str) -> int | str:
    """Return the number of samples; what is neither a number nor "auto" is refused with a sentence."""
    if given != "auto" and not given.isdigit():
        raise InvalidInput(f'`--samples` must be a whole number or "auto", got {shown(given)}.')
    return given if given == "auto" else int(given)


def regions_of(given: str) -> int | str | Atlas:
    """Return a number of regions, or an atlas: its path, and with commas a file of names and same-space.

    Examples
    --------
    >>> regions_of("60"), regions_of("aal.nii.gz")
    (60, 'aal.nii.gz')
    """
    if given.isdigit():
        return int(given)
    path, *words = [word.strip() for word in given.split(",")]
    names = [word for word in words if word != SAME_SPACE]
    if not words or Path(given).exists():
        return given
    if len(names) > 1 or len(words) - len(names) > 1:
        raise InvalidInput(
            f"--regions takes an atlas, a file of names and {SAME_SPACE}, each once and with commas between, "
            f"such as aal.nii.gz,aal.txt,{SAME_SPACE}, got {given[:60]!r}."
        )
    return Atlas.read(path, *names, same_space=len(words) > len(names))


SAME_SPACE = "same-space"
"""Word of ``--regions`` that states that atlas and scans lie in one space, such as MNI's."""


MEANING: Mapping[str, Callable[[Any], object]] = {
    "classes": classes_of,
    "preprocess": preparation_of,
    "inputs": inputs_of,
    "window": window_of,
    "slices": slices_of,
    "samples": samples_of,
    "regions": regions_of,
}
"""What the words of an option mean."""

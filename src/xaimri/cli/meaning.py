"""What the words of options mean: windows, slices, inputs, regions and others, from what was typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from xaimri.atlas import Atlas
from xaimri.cli.preparation import preparation_of
from xaimri.errors import InvalidInput, shown
from xaimri.images.percentiles import Inside
from xaimri.images.slices import PlaneName, Slices, View
from xaimri.images.window import Window


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

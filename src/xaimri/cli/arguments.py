"""What the words on the command line mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xaimri.errors import InvalidInput


def samples_of(given: str | None) -> int | str | None:
    """Return the number of samples; what is neither a number nor "auto" is refused with a sentence."""
    if given is None or given == "auto":
        return given
    if not given.isdigit():
        raise InvalidInput(f'`--samples` must be a whole number or "auto", got {given!r}.')
    return int(given)


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def names_of(given: list[str] | None, default: tuple[str, ...]) -> list[str]:
    """Return the names in an option that takes several, apart or with commas between; each once."""
    names = [name.strip() for words in given or default for name in words.split(",")]
    if not any(names):
        raise InvalidInput(f"{', '.join(map(repr, given or ()))} names nothing: give {','.join(default)}.")
    return list(dict.fromkeys(name for name in names if name))


def methods_of(names: list[str], options: dict[str, Any]) -> list[Any]:
    """Make the methods, each with those of the options that it has."""
    from xaimri.explainers import build, settings_of

    known = {name: settings_of(name) for name in names}
    for option in options:
        if not any(option in settings for settings in known.values()):
            raise InvalidInput(f"--{option} is a setting of none of {', '.join(names)}: leave it away.")
    return [build(name, {k: v for k, v in options.items() if k in known[name]}) for name in names]


def files_of(given: list[Path]) -> list[Path]:
    """Return the files that were named, and those in the folders that were named."""
    from xaimri.data.folder import images_below

    found = [file for path in given for file in (images_below(path) if path.is_dir() else [path])]
    if not found:
        raise InvalidInput(f"there is no image in {', '.join(map(str, given))}: name image files.")
    return found


def target_of(given: str | None, classes: tuple[str, ...]) -> str | int | None:
    """Read a class: its name where there is such a one, else its index."""
    return int(given) if given is not None and given not in classes and given.isdecimal() else given


def file_names(images: list[Path]) -> list[str]:
    """Name the figures after the images; where two have one name, number them."""
    names: list[str] = []
    for source in images:
        number, name = 1, source.stem
        while name in names:
            number += 1
            name = f"{source.stem}-{number}"
        names.append(name)
    return names


def verdict(explanation: Any) -> str:
    """Say class, probability and caveats in one line."""
    p = float(explanation.probabilities[explanation.target])
    caveats = ", ".join(caveat.name for caveat in explanation.caveats)
    return f"{explanation.target_class}, p = {p:.3f}" + (f" (caveats: {caveats})" if caveats else "")

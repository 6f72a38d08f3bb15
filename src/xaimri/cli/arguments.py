"""What the words on the command line mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri.errors import InvalidInput
from xaimri.names import known_name

if TYPE_CHECKING:
    from xaimri.explainer import Explainer
    from xaimri.explanation import Explanation
    from xaimri.images.intake import Intake


def names_of(given: list[str] | None, default: tuple[str, ...], known: Iterable[str], what: str) -> list[str]:
    """Return the known names in an option that takes several, apart or with commas between; each once."""
    names = [name.strip() for words in given or default for name in words.split(",")]
    if not any(names):
        raise InvalidInput(f"{', '.join(map(repr, given or ()))} names nothing: give {','.join(default)}.")
    listed = list(known)
    return list(dict.fromkeys(known_name(name, listed, what) for name in names if name))


def methods_of(given: list[str] | None, default: tuple[str, ...] = ("gradcam", "lime")) -> list[str]:
    """Return the methods in an option; those of other packages are known too."""
    from importlib.metadata import entry_points

    from xaimri.explainers import EXPLAINERS

    others = [entry.name for entry in entry_points(group="xaimri.explainers")]
    return names_of(given, default, [*EXPLAINERS, *others], "method")


def engine_note(methods: list[str], options: Mapping[str, Any]) -> str:
    """Return the sentence on methods that use no engine where one is named, or nothing."""
    from xaimri.explainers import EXPLAINERS

    inside = [name for name in methods if name in EXPLAINERS and not _predicts(EXPLAINERS[name])]
    if options.get("engine") in (None, "auto", "tensorflow") or not inside:
        return ""
    named = f"--engine {options['engine']} is not used by {', '.join(inside)}"
    return f"{named}: TensorFlow computes gradients and features.\n"


def _predicts(method: type[Explainer[Any]]) -> bool:
    """Tell whether a method needs many predictions, which any engine makes."""
    return method.family == "perturbation" or method.name == "scorecam"


def check_present(given: list[Path]) -> None:
    """See that there is something by each name, before a model is opened."""
    for path in given:
        if not path.exists():
            raise InvalidInput(f"there is no file or folder `{path}`: check the path.")


def images_of(given: list[Path], intake: Intake) -> list[tuple[str, Path]]:
    """Return the images that were named, and those in the folders that were named, with their names there.

    A folder of DICOM slices is one image to a model of volumes, and to one that doesn't say what it takes.
    """
    from xaimri.data.listing import images_below
    from xaimri.sources import is_single, remedy

    found = []
    for path in given:
        if is_single(path, intake):
            found.append((path.name or path.resolve().name, path))
            continue
        inside = images_below(path, series=intake.joins)
        found += [(file.relative_to(path).as_posix(), file) for file in inside]
    if not found:
        raise InvalidInput(f"there is no image in {', '.join(map(str, given))}: {remedy(*given)}.")
    return found


def target_of(given: str | None, classes: tuple[str, ...]) -> str | int | None:
    """Read a class: its name in any case where there is such a one, else its index."""
    if given is None or given in classes:
        return given
    same = [name for name in classes if name.casefold() == given.casefold()]
    if len(same) == 1:
        return same[0]
    return int(given) if given.isdecimal() else given


def verdict(explanation: Explanation) -> str:
    """Say class, probability and caveats in one line."""
    from xaimri.render.panel import verdict as asked

    caveats = ", ".join(caveat.name for caveat in explanation.caveats)
    return asked(explanation, 3) + (f" (caveats: {caveats})" if caveats else "")

"""What the words on the command line mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xaimri.errors import InvalidInput

if TYPE_CHECKING:
    from xaimri.explanation import Explanation


def names_of(given: list[str] | None, default: tuple[str, ...]) -> list[str]:
    """Return the names in an option that takes several, apart or with commas between; each once."""
    names = [name.strip() for words in given or default for name in words.split(",")]
    if not any(names):
        raise InvalidInput(f"{', '.join(map(repr, given or ()))} names nothing: give {','.join(default)}.")
    return list(dict.fromkeys(name for name in names if name))


def files_of(given: list[Path]) -> list[tuple[str, Path]]:
    """Return the files that were named, and those in the folders that were named, with their names there."""
    from xaimri.data.listing import images_below

    found = []
    for path in given:
        inside = images_below(path) if path.is_dir() else []
        found += [(file.relative_to(path).as_posix(), file) for file in inside]
        found += [] if path.is_dir() else [(path.name, path)]
    if not found:
        raise InvalidInput(f"there is no image in {', '.join(map(str, given))}: name image files.")
    return found


def target_of(given: str | None, classes: tuple[str, ...]) -> str | int | None:
    """Read a class: its name where there is such a one, else its index."""
    return int(given) if given is not None and given not in classes and given.isdecimal() else given


def verdict(explanation: Explanation) -> str:
    """Say class, probability and caveats in one line."""
    from xaimri.render.panel import verdict as asked

    caveats = ", ".join(caveat.name for caveat in explanation.caveats)
    return asked(explanation, 3) + (f" (caveats: {caveats})" if caveats else "")

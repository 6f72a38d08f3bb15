"""What a model is and where it comes from, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xaimri.data.attendance import PARTS


def facts(
    classes: Sequence[str],
    images: Sequence[str],
    path: Path | None,
    split: Mapping[str, Any] | None,
    history: Mapping[str, Sequence[Any]] | None,
    versions: Mapping[str, str] | None,
) -> list[tuple[str, str]]:
    """Return names and words of what is known of a model; what isn't is left out.

    Examples
    --------
    >>> facts(("a", "b"), ["images 8 x 8 x 1"], None, None, None, None)
    [('classes', 'a, b'), ('input', 'images 8 x 8 x 1')]
    """
    told = [
        ("classes", ", ".join(classes) or "told by its first answer"),
        ("input", ", ".join(images)),
        ("file", "" if path is None else str(path)),
        ("split", "" if split is None else _split(split)),
        ("training", "" if not history else _training(history)),
        ("made with", ", ".join(f"{name} {version}" for name, version in (versions or {}).items())),
    ]
    return [(name, words) for name, words in told if words]


def _split(split: Mapping[str, Any]) -> str:
    """Say how many subjects, or cases, each part has."""
    counts = ", ".join(f"{len(split[name])} {name}" for name in PARTS if name in split)
    return f"{split.get('by', 'case')}s: {counts}"


def _training(history: Mapping[str, Sequence[Any]]) -> str:
    """Say how many epochs there were, and the best of them in validation."""
    told = f"{max(map(len, history.values()))} epochs"
    found = [value for value in history.get("val_balanced_accuracy", ()) if value is not None]
    return f"{told}, best balanced accuracy in validation {max(found):.2f}" if found else told

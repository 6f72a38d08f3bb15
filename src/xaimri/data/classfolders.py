"""Which folders are the classes: parts of a split never are, a folder around them is entered or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xaimri.data.listing import is_text, list_images
from xaimri.data.masks import FOLDERS
from xaimri.data.spelling import is_part, is_surely_part, is_wrapper, mentions_part
from xaimri.errors import InvalidInput
from xaimri.names import first_names


def folders_in(root: Path, *, masks: bool = False) -> list[Path]:
    """Return the visible sub-folders, sorted by name: those of ``masks`` only where they are asked for."""
    if not root.is_dir():
        raise InvalidInput(f"there is no folder `{root}`: check the path (from `{Path.cwd()}`).")
    visible = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))
    return [folder for folder in visible if masks or folder.name.casefold() not in FOLDERS]


def home_of_classes(root: Path, classes: Sequence[str] | None) -> Path:
    """Return the folder whose sub-folders are the classes: the root, or what it wraps.

    Raises
    ------
    InvalidInput
        If the folders are parts of a split, or it can't be told whether a single folder is a class.
    """
    present = _names(root)
    if unread := [name for name in present if not is_text(name)]:
        raise InvalidInput(f"`{root}` has a folder whose name is no text ({unread[0]!a}): rename it.")
    chain = _chain(root)
    if classes is not None:
        inside = [folder for folder in (root, *chain) if set(classes) <= set(_names(folder, masks=True))]
        if inside:
            return inside[0]
        missing = next(name for name in classes if name not in present)
        raise InvalidInput(f"`{root}` has no folder `{missing}`; its folders are {', '.join(present)}.")
    if not present:
        raise InvalidInput(f"`{root}` has no class folders: give it one sub-folder of images per class.")
    home = _entered(root, chain)
    _refuse_subjects(home)
    _refuse_parts(home)
    _refuse_copies(home)
    return home


def oddities(home: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Say what of the layout inside the class folders may be meant otherwise."""
    inside = [frozenset(_names(home / name)) for name in names]
    parts = sorted({inner for folders in inside for inner in folders if is_part(inner)})
    if parts:
        return (f"The class folders hold parts of a split ({first_names(parts)}), which are read together.",)
    if _alike(home, names):
        return (
            f"Every class folder holds the same folders ({first_names(sorted(inside[0]))}): if these are the "
            f"classes, read one folder deeper, such as `{names[0]}`.",
        )
    return ()


def _entered(root: Path, chain: list[Path]) -> Path:
    """Follow single folders that wrap the classes, or ask."""
    home = root
    for folder in chain:
        if not (is_part(folder.name) or is_wrapper(folder.name)):
            break
        home = folder
    end = chain[-1] if chain else root
    if end == home or len(_names(end)) < 2:
        return home
    if any(is_surely_part(name) for name in _names(end)):
        return end
    first = chain[chain.index(home) + 1 if home in chain else 0]
    raise InvalidInput(
        f"`{first}` is the only folder, with the folders {first_names(_names(end))} in it: if these are the "
        f"classes, read `{end}`; if it is one class, pass classes=[{first.name!r}]."
    )


def _chain(root: Path) -> list[Path]:
    """Return the single folders below the root, each alone in the one before and without an image."""
    chain: list[Path] = []
    inside = folders_in(root)
    while len(inside) == 1 and not list_images(inside[0], deep=False).images:
        deeper = folders_in(inside[0])
        if not deeper:
            break
        chain.append(inside[0])
        inside = deeper
    return chain


def _refuse_parts(home: Path) -> None:
    names = _names(home)
    parts = [name for name in names if is_part(name)]
    others = [name for name in names if name not in parts]
    if not parts or (others and len(parts) < 2 and not is_surely_part(parts[0])):
        return
    beside = f" beside {first_names(others)}" if others else ""
    remedy = f"read one, such as `{home / parts[-1]}`, or pass `classes=`"
    if len(names) == 1:
        raise InvalidInput(
            f"`{home / parts[0]}` is a part of a split, not a class: put its images into a folder per class, "
            "or pass `classes=`."
        )
    what = "the folders of" if not others else "among the folders of"
    raise InvalidInput(
        f"{what} `{home}` are parts of a split ({first_names(parts)}){beside}, not classes: {remedy}."
    )


def _refuse_subjects(home: Path) -> None:
    """Refuse the folders of subjects of a BIDS data set, each of which would be a class."""
    people = [name for name in _names(home) if name.startswith("sub-")]
    if any(inner == "anat" or inner.startswith("ses-") for name in people for inner in _names(home / name)):
        raise InvalidInput(
            f"`{home}` is laid out as BIDS, with a folder `sub-*` for every subject: read it by "
            "`xaimri.data.read_bids`, with the column that is the label, or pass `classes=`."
        )


def _refuse_copies(home: Path) -> None:
    """Refuse several wrappers or parts that hold the same classes, such as an original and a copy."""
    names = _names(home)
    if any(is_wrapper(name) or mentions_part(name) for name in names) and _alike(home, names):
        raise InvalidInput(
            f"the folders of `{home}` ({first_names(names)}) hold the same folders "
            f"({first_names(_names(home / names[0]))}): read one, such as `{home / names[0]}`, or pass "
            "`classes=`."
        )


def _alike(home: Path, names: Sequence[str]) -> bool:
    """Return whether several folders hold the same two or more folders, and no image beside them."""
    inside = {frozenset(_names(home / name)) for name in names}
    alike = len(names) > 1 and len(inside) == 1 and len(next(iter(inside))) > 1
    return alike and not any(list_images(home / name, deep=False).images for name in names)


def _names(folder: Path, *, masks: bool = False) -> list[str]:
    return [inner.name for inner in folders_in(folder, masks=masks)]

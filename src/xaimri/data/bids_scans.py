"""Scans in a BIDS folder: their subjects and sessions by their names, and which of several is meant."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from xaimri.errors import InvalidInput, shown
from xaimri.images.nifti import SUFFIXES
from xaimri.images.suffixes import stem_of, suffix_of
from xaimri.names import first_names

Repeats: TypeAlias = Literal["refuse", "first", "all"]
"""What is done where a session has several scans of the kind that is asked for."""

ENTITY = re.compile(r"([A-Za-z]+)-(.+)")
"""A pair of a file's name, such as ``run-1``."""


@dataclass(frozen=True)
class Scan:
    """A file, with what its name says.

    Attributes
    ----------
    file
        Its path.
    subject, session
        Such as ``"sub-01"`` and ``"ses-1"``; no session where there is none.
    suffix
        What kind of image it is, such as ``"T1w"``.
    entities
        The other pairs of the name, such as ``{"run": "1"}``, in their order.
    """

    file: Path
    subject: str
    session: str | None
    suffix: str
    entities: Mapping[str, str]

    @property
    def visit(self) -> str:
        """Subject and session in words."""
        return self.subject if self.session is None else f"{self.subject} {self.session}"


def find_scans(root: Path, suffixes: Sequence[str]) -> tuple[list[Scan], Counter[str]]:
    """Return the scans of these kinds in the folders ``sub-*``, and why others are passed over.

    They are sorted by path. Folders beside these, such as ``derivatives`` and ``sourcedata``, are not read.
    """
    found: list[Scan] = []
    passed: Counter[str] = Counter()
    for home in sorted(folder for folder in root.glob("sub-*") if folder.is_dir()):
        for place, folders, names in os.walk(home):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            linked = sum(Path(place, folder).is_symlink() for folder in folders)
            passed["linked folders (lay the folders themselves there)"] += linked
            for name in sorted(names):
                scan = _scan_of(Path(place, name))
                if scan is None or scan.suffix not in suffixes or name.startswith("."):
                    continue
                between = Path(place).relative_to(home).parts
                session = next((part for part in between if part.startswith("ses-")), None)
                if (scan.subject, scan.session) != (home.name, session):
                    passed["in the folder of another subject or session than in their name"] += 1
                elif not scan.file.is_file():
                    passed["links to content that isn't there (fetch it, as by `datalad get`)"] += 1
                else:
                    found.append(scan)
    return found, +passed


def with_entities(scans: Iterable[Scan], wanted: Mapping[str, str | int | None]) -> list[Scan]:
    """Return the scans whose names have these pairs; of None, those that have no such pair."""
    return [
        scan
        for scan in scans
        if all(
            _plain(scan.entities.get(key)) == _plain(None if value is None else str(value))
            for key, value in wanted.items()
        )
    ]


def by_visit(scans: Sequence[Scan], suffixes: Sequence[str], repeats: Repeats) -> list[tuple[Scan, ...]]:
    """Return the scans that belong together: one of each kind, in the order of the kinds, for every session.

    Sessions that lack a kind are left out. With ``repeats="all"``, each scan of a session stands alone.

    Raises
    ------
    InvalidInput
        If a session has several of a kind, and ``repeats`` is ``"refuse"``.
    """
    visits: dict[tuple[str, str | None], dict[str, list[Scan]]] = defaultdict(lambda: defaultdict(list))
    for scan in scans:
        visits[scan.subject, scan.session][scan.suffix].append(scan)
    several = [found for kinds in visits.values() for found in kinds.values() if len(found) > 1]
    if several and repeats == "refuse":
        raise InvalidInput(_of_several(several))
    chosen: list[tuple[Scan, ...]] = []
    for kinds in visits.values():
        if repeats == "all":
            chosen += [(scan,) for suffix in suffixes for scan in kinds[suffix]]
        elif all(kinds[suffix] for suffix in suffixes):
            chosen.append(tuple(min(kinds[suffix], key=_counted) for suffix in suffixes))
    return chosen


def _counted(scan: Scan) -> list[tuple[bool, int, str]]:
    """Return a name as people order it: run-2 before run-10."""
    parts = re.split(r"(\d+)", scan.file.as_posix())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def unlike(scans: Sequence[Scan]) -> tuple[str, ...]:
    """Say which pairs of the names differ between sessions: another acquisition may go with the label."""
    told = []
    for key in dict.fromkeys(key for scan in scans for key in scan.entities if key != "run"):
        counts = Counter(scan.entities.get(key, "none") for scan in scans)
        if len(counts) > 1:
            listed = ", ".join(f"{value} ({count})" for value, count in sorted(counts.items()))
            told.append(
                f"The scans differ in `{key}`: {listed}; choose one by entities={{{key!r}: ...}} unless "
                "these are alike."
            )
    return tuple(told)


def _scan_of(file: Path) -> Scan | None:
    """Read a name; None where it is no scan's."""
    if suffix_of(file.name).lower() not in SUFFIXES:
        return None
    *pairs, suffix = stem_of(file.name).split("_")
    matched = [ENTITY.fullmatch(pair) for pair in pairs]
    entities = {found[1]: found[2] for found in matched if found is not None}
    if len(entities) < len(pairs) or "sub" not in entities or "-" in suffix:
        return None
    subject, session = entities.pop("sub"), entities.pop("ses", None)
    return Scan(file, f"sub-{subject}", None if session is None else f"ses-{session}", suffix, entities)


def _plain(value: str | None) -> str | None:
    """Return a value as it is compared: a number without zeros before it."""
    return value.lstrip("0") or "0" if value is not None and value.isdigit() else value


def _of_several(several: Sequence[Sequence[Scan]]) -> str:
    """Say which session has several scans of a kind, and how to choose."""
    scans = several[0]
    keys = dict.fromkeys(key for scan in scans for key in scan.entities)
    differing = {key: [scan.entities.get(key) for scan in scans] for key in keys}
    differing = {key: values for key, values in differing.items() if len(set(values)) > 1}
    more = f", and so {'does' if len(several) == 2 else 'do'} {len(several) - 1} more" if several[1:] else ""
    start = f"{scans[0].visit} has {len(scans)} scans `{scans[0].suffix}`{more}"
    if not differing:
        return f"{start}, with names that differ in nothing but their ending: keep one."
    key, values = next(iter(differing.items()))
    told = "; ".join(
        f"{name}: {first_names(list(dict.fromkeys(each or 'none' for each in found)))}"
        for name, found in differing.items()
    )
    return (
        f"{start}, which differ in {told}: choose by entities={{{key!r}: {shown(values[0])}}}, or pass "
        'repeats="first" or repeats="all".'
    )

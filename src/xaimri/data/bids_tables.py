"""The tables of a BIDS data set: what they say of every scan, and who is missing in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from xaimri.data.bids_scans import Scan
from xaimri.data.tsv import Table, is_missing, read_table
from xaimri.errors import InvalidInput
from xaimri.names import first_names

Tables: TypeAlias = Literal["participants", "sessions"]
"""Whose table holds the label."""

TABLE = "participants.tsv"
"""The table of the subjects, in the folder of the data set."""


@dataclass(frozen=True)
class Visit:
    """The scans of one subject in one session that make a case, with the words of both tables."""

    scans: tuple[Scan, ...]
    label: str
    columns: Mapping[str, str]

    @property
    def first(self) -> Scan:
        """The scan that the case is called by."""
        return self.scans[0]


def participants_of(root: Path) -> Table:
    """Read the table of the subjects: the folder's own, or of a derivative that of the data set around it."""
    around = root.resolve().parent
    places = [root, *([around.parent] if around.name == "derivatives" else [])]
    file = next((place / TABLE for place in places if (place / TABLE).is_file()), None)
    if file is None:
        raise InvalidInput(f"`{root}` has no `{TABLE}`, which says the label of every subject: put it there.")
    return read_table(file, "participant_id", "sub-")


def visits_of(
    root: Path,
    chosen: Sequence[tuple[Scan, ...]],
    people: Table,
    label: str,
    table: Tables,
    notes: list[str],
) -> Iterator[Visit]:
    """Yield the scans that have a row, with the words of both tables; say who has none."""
    sessions = {name: _sessions(root, name) for name in dict.fromkeys(scans[0].subject for scans in chosen)}
    by_session = {column for own in sessions.values() if own is not None for column in own.columns}
    held, other = (people.columns, by_session) if table == "participants" else (by_session, people.columns)
    if label not in held:
        there = "participants" if table == "sessions" else "sessions"
        elsewhere = f"; it is one of the {there}: pass table={there!r}" if label in other else ""
        raise InvalidInput(
            f"the table of the {table} has no column `{label}`{elsewhere}; its columns are "
            f"{', '.join(sorted(held)) or 'none'}."
        )
    if label in other and table == "participants":
        notes.append(f'The sessions have a `{label}` of their own, which is not used: see table="sessions".')
    notes += [*people.notes, *(note for own in sessions.values() if own is not None for note in own.notes)]
    rowless: dict[str, None] = {}
    for scans in chosen:
        first, own = scans[0], sessions[scans[0].subject]
        row = people.rows.get(first.subject)
        visit = {} if own is None or first.session is None else own.rows.get(first.session, {})
        if row is None:
            rowless[first.subject] = None
            continue
        said = {**row, **{name: words for name, words in visit.items() if not is_missing(words)}}
        words = (row if table == "participants" else visit).get(label, "n/a")
        yield Visit(scans, words, {name: value for name, value in said.items() if name != label})
    seen = {scans[0].subject for scans in chosen}
    notes += _strangers(list(rowless), [name for name in people.rows if name not in seen])


def _sessions(root: Path, subject: str) -> Table | None:
    """Read the table of a subject's sessions, if there is one."""
    file = root / subject / f"{subject}_sessions.tsv"
    return read_table(file, "session_id", "ses-") if file.is_file() else None


def _strangers(rowless: Sequence[str], absent: Sequence[str]) -> Iterator[str]:
    """Say who has scans and no row, and who has a row and no scan."""
    if rowless:
        bare = {name.removeprefix("sub-").lstrip("0") for name in absent}
        lost = any(name.removeprefix("sub-").lstrip("0") in bare for name in rowless)
        hint = " (the table has lost zeros before its numbers)" if lost else ""
        yield f"Left out: {_people(rowless)} without a row in {TABLE}{hint}: {first_names(rowless)}."
    if absent:
        yield f"No such scan: {_people(absent)} of {TABLE}: {first_names(absent)}."


def _people(names: Sequence[str]) -> str:
    return f"{len(names)} subject{'' if len(names) == 1 else 's'}"

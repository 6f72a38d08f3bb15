"""BIDS data sets: scans by their names, labels and covariates from the tables beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from xaimri.arguments import check_arguments
from xaimri.data.bids_labels import labels_of
from xaimri.data.bids_scans import Repeats, Scan, by_visit, find_scans, unlike, with_entities
from xaimri.data.bids_tables import Tables, Visit, participants_of, visits_of
from xaimri.data.case import Case, Dataset
from xaimri.data.tsv import typed
from xaimri.errors import InvalidInput, shown
from xaimri.images.contrasts import Contrasts
from xaimri.kinds import AnyOf, Anything, Several
from xaimri.rules import Choice, Name


@check_arguments(
    suffix=AnyOf((Name(), Several(Name()))),
    entities=Anything(),
    table=Choice(get_args(Tables)),
    repeats=Choice(get_args(Repeats)),
)
def read_bids(
    path: str | os.PathLike[str],
    label: str,
    *,
    suffix: str | Sequence[str] = "T1w",
    classes: Sequence[str] | None = None,
    table: Tables = "participants",
    entities: Mapping[str, str | int | None] | None = None,
    repeats: Repeats = "refuse",
) -> Dataset:
    r"""List the NIfTI scans of a BIDS data set with labels from its tables; no scan is opened.

    Every scan of the folders ``sub-*`` whose name ends with the suffix is a case of its subject; sessions of
    one subject stay together in a split. ``derivatives`` and ``sourcedata`` are not looked into; a derivative
    is read by its own folder, and takes the table of the data set around it where it has none.

    Parameters
    ----------
    path
        Holds ``participants.tsv`` and the folders ``sub-*``.
    label
        The column that says the class. Of numbers, the classes are ``"0"``, ``"1"``. Missing values (``n/a``)
        are left out, and counted in ``notes``.
    suffix
        Kind of the scans, such as ``"T1w"``. Several, such as ``("T1w", "FLAIR")``, are the channels of one
        image in this order, see `xaimri.images.Contrasts`; sessions that lack one are left out.
    classes
        The labels to read, in this order; by default all, sorted. Others are left out.
    table
        ``"participants"``, or ``"sessions"`` (``sub-*/sub-*_sessions.tsv``) where each session has a label.
    entities
        Pairs that the files' names must have, such as ``{"acq": "mprage", "run": 1}``; None as a value: no
        such pair.
    repeats
        Where a session has several scans of a kind that is asked for: ``"refuse"``, take the ``"first"`` by
        name (``run-2`` before ``run-10``), or ``"all"`` as cases of their own.

    Returns
    -------
    Dataset
        Ordered by path; the ids are paths below the folder. The other columns are each case's ``covariates``,
        as numbers where all of a column are; those of a session stand before those of its subject.

    Raises
    ------
    InvalidInput
        If there is no table, no such column or scan, tables contradict themselves, or a session has several
        scans.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> rows = ["participant_id\tdiagnosis\tage", "sub-01\tAD\t71", "sub-02\tCN\tn/a"]
    >>> with TemporaryDirectory() as root:
    ...     _ = Path(root, "participants.tsv").write_text("\n".join(rows))
    ...     for name in ("sub-01", "sub-02"):
    ...         Path(root, name, "anat").mkdir(parents=True)
    ...         Path(root, name, "anat", f"{name}_T1w.nii.gz").touch()
    ...     dataset = read_bids(root, "diagnosis")
    >>> dataset.classes, [(case.subject, case.label, case.covariates["age"]) for case in dataset]
    (('AD', 'CN'), [('sub-01', 0, 71.0), ('sub-02', 1, None)])
    """
    root, suffixes = Path(path), (suffix,) if isinstance(suffix, str) else tuple(suffix)
    wanted = _wanted(entities)
    notes: list[str] = []
    chosen = _chosen(root, suffixes, wanted, repeats, notes)
    visits = list(visits_of(root, chosen, participants_of(root), label, table, notes))
    named, labels = labels_of(visits, label, classes, notes)
    columns = dict.fromkeys(name for visit in visits for name in visit.columns)
    values = {name: typed(visit.columns.get(name, "") for visit in visits) for name in columns}
    kept = [place for place, number in enumerate(labels) if number is not None]
    cases = [
        _case(root, visits[place], labels[place] or 0, {name: values[name][place] for name in columns})
        for place in kept
    ]
    notes += unlike([visits[place].first for place in kept])
    origin = {
        "maker": "bids", "label": label, "suffix": suffix if isinstance(suffix, str) else list(suffix),
        "classes": None if classes is None else list(classes), "table": table, "entities": wanted,
        "repeats": repeats,
    }  # fmt: skip
    return Dataset(named, tuple(cases), origin=origin, notes=tuple(notes))


def _chosen(
    root: Path,
    suffixes: tuple[str, ...],
    wanted: Mapping[str, str | int | None],
    repeats: Repeats,
    notes: list[str],
) -> list[tuple[Scan, ...]]:
    """Return the scans of every session that makes a case, and say what is passed over."""
    if not suffixes or len(set(suffixes)) < len(suffixes) or (len(suffixes) > 1 and repeats == "all"):
        raise InvalidInput(
            f"`suffix` must be one kind of scan, or several that differ, got {shown(suffixes)}; with "
            'several, `repeats` can\'t be "all".'
        )
    found, passed = find_scans(root, suffixes)
    scans = with_entities(found, wanted)
    if not scans:
        raise InvalidInput(_nothing(root, suffixes, passed, bool(found)))
    notes += [f"Passed over: {count} {reason}." for reason, count in sorted(passed.items())]
    chosen = by_visit(scans, suffixes, repeats)
    lacking = len({scan.visit for scan in scans}) - len({each[0].visit for each in chosen})
    if lacking:
        notes.append(
            f"Left out: {lacking} session{'' if lacking == 1 else 's'} without all of {', '.join(suffixes)}."
        )
    return chosen


def _wanted(entities: object) -> Mapping[str, str | int | None]:
    """Return the pairs that names must have."""
    if entities is None:
        return {}
    plain = isinstance(entities, Mapping) and all(
        isinstance(key, str)
        and (value is None or (isinstance(value, str | int) and not isinstance(value, bool)))
        for key, value in entities.items()
    )
    if not plain or not isinstance(entities, Mapping):
        raise InvalidInput(
            f'`entities` must be pairs of a file\'s name, such as {{"run": 1}}, got {shown(entities)}.'
        )
    return dict(entities)


def _nothing(root: Path, suffixes: Sequence[str], passed: Mapping[str, int], others: bool) -> str:
    """Say why there is no scan."""
    if not root.is_dir():
        return f"there is no folder `{root}`: check the path (from `{Path.cwd()}`)."
    kinds = " or ".join(f"`*_{suffix}.nii.gz`" for suffix in suffixes)
    if others:
        return f"no scan {kinds} of `{root}` has the pairs of `entities`: leave some out."
    if not any(root.glob("sub-*")):
        inside = next((each.parent for each in sorted(root.glob("*/sub-*"))), None)
        remedy = "give the folder that holds them." if inside is None else f"read `{inside}`."
        return f"`{root}` has no folders `sub-*`, as BIDS has: {remedy}"
    told = "".join(f" ({count} {reason})" for reason, count in sorted(passed.items()))
    return f"the folders `sub-*` of `{root}` hold no {kinds}{told}: check `suffix`."


def _case(root: Path, visit: Visit, label: int, covariates: Mapping[str, str | float | None]) -> Case:
    """Make the case of a visit."""
    file = visit.first.file
    several = {scan.suffix: scan.file for scan in visit.scans}
    source = Contrasts(several) if len(several) > 1 else file
    return Case(file.relative_to(root).as_posix(), label, visit.first.subject, source, covariates=covariates)

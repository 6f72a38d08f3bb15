"""A cohort's rows as files for other programs: one table, or a map of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from xaimri.archive import whole_folder, write_text
from xaimri.cohort.chosen import Chosen
from xaimri.cohort.columns import judged_columns
from xaimri.cohort.rows import Row, explanation_of
from xaimri.errors import InvalidInput, StorageFault, XaimriError
from xaimri.explanations import LONGEST, file_stems
from xaimri.table import csv_text

ExportForm: TypeAlias = Literal["csv", "nii.gz", "png"]
"""One table of all rows; or each map on its scan's grid; or a figure of each."""

TABLE, FILES, FAILURES = "cohort.csv", "files.csv", "failures.csv"
"""The table of all rows; of which case and method each file is; and what could not be written."""

PLAIN = (
    "case", "method", "subject", "label", "source", "target", "against", "of", "unit", "predicted",
    "probability",
)  # fmt: skip
"""Columns of the table that are as in the rows."""

LAST = ("positive", "negative", "caveats", "seconds", "failure", "stage")
"""Columns of the table behind the probability of each class."""


def write_export(cohort: Chosen, folder: str | Path, form: ExportForm) -> Path:
    """Write all rows into a new folder, as of :meth:`Cohort.export`."""
    cohort = cohort.still()  # a run may be writing on
    with whole_folder(folder) as new:
        if form == "csv":
            _write_table(cohort, new / TABLE)
        else:
            _write_maps(cohort, new, form)
    return Path(folder)


def _write_table(cohort: Chosen, file: Path) -> None:
    classes = {f"probability of {name}": n for n, name in enumerate(cohort.manifest.classes)}
    rows = cohort.rows((*PLAIN, "probabilities", "sums", "caveats", "seconds", "failure", "stage"))
    judged = judged_columns(cohort.store)
    values = cohort.table(["case", "method", *judged]).to_pylist() if judged else []
    found = {(row["case"], row["method"]): row for row in values}
    flat = ({**_flat(row, classes), **found.get((row["case"], row["method"]), {})} for row in rows)
    write_text(file, csv_text([*PLAIN, *classes, *LAST, *judged], flat))


def _flat(row: Row, classes: Mapping[str, int]) -> dict[str, object]:
    """Return a row without lists."""
    sums, caveats = row["sums"], row["caveats"]
    told = {name: None if (p := row["probabilities"]) is None else p[n] for name, n in classes.items()}
    positive, negative = (None, None) if sums is None else sums
    named = None if caveats is None else ", ".join(each["name"] for each in caveats)
    return {**row, **told, "positive": positive, "negative": negative, "caveats": named}


def _write_maps(cohort: Chosen, folder: Path, form: ExportForm) -> None:
    """Write the map of every row, one at a time, and a table of those that could not be."""
    table = cohort.table(["case", "method"])
    keys = list(zip(table["case"].to_pylist(), table["method"].to_pylist(), strict=True))
    names = _names(keys)
    failed: list[dict[str, object]] = []
    written: list[dict[str, object]] = []
    for row in cohort.rows():
        key = row["case"], row["method"]
        file = f"{names[key]}.{form}"
        try:
            _write_map(cohort, row, folder / file, form)
            written.append({"case": key[0], "method": key[1], "file": file})
        except StorageFault:
            raise  # a full disk is no fault of a map
        except XaimriError as fault:
            failed.append({"case": key[0], "method": key[1], "failure": str(fault)})
    if failed and len(failed) == len(keys):
        raise InvalidInput(f"no map can be written: {failed[0]['failure']}")
    write_text(folder / FILES, csv_text(["case", "method", "file"], written))
    if failed:
        write_text(folder / FAILURES, csv_text(["case", "method", "failure"], failed))


def _names(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what the file of each row is called, no two alike."""
    stems = file_stems(list(dict.fromkeys(case for case, _ in keys)), LONGEST // 2)
    by_case = dict(zip(dict.fromkeys(case for case, _ in keys), stems, strict=True))
    files = file_stems([f"{by_case[case]}_{method}.png" for case, method in keys])
    return dict(zip(keys, files, strict=True))


def _write_map(cohort: Chosen, row: Row, file: Path, form: ExportForm) -> None:
    if form == "png":
        cohort.explained(row).save(file, heading=row["case"])
        return
    shape = (1,) if row["map_shape"] is None else (*row["map_shape"], 1)
    unread = np.broadcast_to(np.zeros(1, np.float32), shape)  # a file of the map doesn't hold the image
    manifest = cohort.manifest
    explanation_of(row, unread, manifest.classes, manifest.methods[row["method"]]).to_nifti(file)

"""What stands beside a bundle's network: written with a checksum, read by its form."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from xaimri import json_file
from xaimri.errors import InvalidInput, first_line
from xaimri.failure import Failure
from xaimri.grid import Fit
from xaimri.images.acquisition import Acquisition
from xaimri.images.channels import Layout
from xaimri.images.window import Window
from xaimri.json_file import Field, is_mapping, is_names, is_number, is_whole, is_words, or_none
from xaimri.regular_file import quoted, sha256_of
from xaimri.temperature import TemperatureScaling

MODEL = "model.keras"
"""File of the network, in a bundle's folder."""

RECORD = "bundle.json"
"""File of everything else."""

REFERENCES = 4
"""Seeded images whose probabilities are kept."""

REMEDY = "give a folder that `xaimri.training.save` wrote, or save the bundle again."


def next_of(digest: str) -> str:
    """Return the name under which the record of a network waits that is about to take another's place."""
    return f"next-{digest[:16]}.json"


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(is_whole(n) and 0 < n < 2**31 for n in value)


def _is_window(value: object) -> bool:
    try:
        Window(**value)  # type: ignore[arg-type]
    except (TypeError, InvalidInput):
        return False
    return True


def _is_acquisition(value: object) -> bool:
    try:
        return Acquisition.from_record(cast("dict[str, Any]", value)).record() == value
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_scaling(value: object) -> bool:
    try:
        return TemperatureScaling.from_record(cast("dict[str, Any]", value)).record() == value
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(column, list) for column in value.values())


def _are_versions(value: object) -> bool:
    return isinstance(value, dict) and all(map(is_words, value.values()))


def _are_rows(value: object) -> bool:
    if not isinstance(value, list) or len(value) != REFERENCES:
        return False
    rows = [row for row in value if isinstance(row, list) and all(map(is_number, row))]
    return len(rows) == REFERENCES and len({len(row) for row in rows}) == 1


def _are_failures(value: object) -> bool:
    names = {each.name for each in fields(Failure)}
    return isinstance(value, list) and all(
        isinstance(one, dict) and set(one) == names and all(map(is_words, one.values())) for one in value
    )


FORM = {
    "classes": Field("the names of the classes", is_names),
    "input": Field("the shape of the network's input", _is_shape),
    "versions": Field("the versions of packages", _are_versions),
    "reference_probabilities": Field(f"{REFERENCES} rows of probabilities", _are_rows),
    "fit": Field("a way to the network's size", lambda value: is_words(value) and value in get_args(Fit)),
    "window": Field("a window, or null", or_none(_is_window)),
    "layout": Field("a layout, or null", lambda value: value in (None, *get_args(Layout))),
    "split": Field("a mapping, or null", or_none(is_mapping)),
    "history": Field("a mapping of lists, or null", or_none(_is_table)),
    "origin": Field("a mapping, or null", or_none(is_mapping)),
    "failures": Field("a list of names, stages and sentences", _are_failures),
    "acquisition": Field("a spacing and an orientation, or null", or_none(_is_acquisition)),
    "scaling": Field("what the logits are divided by, or null", or_none(_is_scaling)),
    "recipe": Field("a mapping, or null", or_none(is_mapping)),
    "sha256": Field("the network's SHA-256", is_words),
}
"""What ``bundle.json`` holds."""


def text_of(record: dict[str, Any]) -> str:
    """Write a record down, or say what it is not made of."""
    try:
        return json_file.text_of(record)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"`split`, `history`, `origin` and `recipe` must be made of JSON types ({first_line(error)}): "
            "pass `split.record()`, `result.history` and `dataset.origin`, and None for NaN."
        ) from error


def read(folder: Path) -> dict[str, Any]:
    """Return the record that belongs to the model's file.

    Raises
    ------
    InvalidInput
        If files are missing or damaged, or do not belong together.
    StorageFault
        If the system doesn't let them be read.
    """
    digest = sha256_of(folder / MODEL, REMEDY)
    waiting = folder / next_of(digest)
    record = json_file.read(waiting if waiting.is_file() else folder / RECORD, FORM, REMEDY)
    if record["sha256"] != digest:
        raise InvalidInput(
            f"`{MODEL}` and `{RECORD}` in {quoted(folder)} do not belong together, or one is damaged: "
            f"{REMEDY}"
        )
    width = len(record["classes"])
    if np.shape(record["reference_probabilities"]) != (REFERENCES, width):
        raise InvalidInput(
            f"`{RECORD}` in {quoted(folder)} names {width} classes and has rows of others: {REMEDY}"
        )
    return record

"""An ending as a row of the store, and the explanation that a row holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from xaimri import storage
from xaimri.arrays import Array, Image, Map
from xaimri.caveats import Caveat
from xaimri.cohort.cells import cells_of, map_of_cells
from xaimri.cohort.schema import COLUMNS, KeptMaps, Precision
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation, Regions
from xaimri.failure import Failure
from xaimri.grid import Grid

MAPS = ("map", "cells", "region_labels")
"""Columns each of which gives the map of a row."""

MAP_COLUMNS = (
    "case", *MAPS, "cells_grid", "map_scale", "map_shape", "region_values", "region_errors", "failure",
)  # fmt: skip
"""Columns that give the map of a row."""

Row = Mapping[str, Any]
"""A row, by the names of its columns."""


@dataclass(frozen=True)
class About:
    """What is known of a case before it is explained.

    Attributes
    ----------
    case, subject, label, source
        As of the columns of the same names.
    """

    case: str
    subject: str | None = None
    label: str | None = None
    source: str | None = None


def row_of(
    about: About,
    method: str,
    ending: Explanation | Failure,
    *,
    record: Mapping[str, Any] | None = None,
    grid: Grid | None = None,
    maps: KeptMaps = "whole",
    precision: Precision = "float32",
    key: str | None = None,
    image: str | None = None,
    stamp: str | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Return the row of one case and method.

    Parameters
    ----------
    about, method
        The case, and the name of the method.
    ending
        What came of it.
    record
        The method's own, which is that of all cases but for regions of an atlas.
    grid
        Where the network's input lies on the image, if it is one.
    maps, precision
        How much of the map is kept, and how exactly.
    key, image, stamp, seconds
        As of the columns ``key``, ``image_sha256``, ``stamp`` and ``seconds``.
    """
    known = {
        **vars(about), "method": method, "key": key, "image_sha256": image, "stamp": stamp,
        "seconds": seconds,
    }  # fmt: skip
    if isinstance(ending, Failure):
        return {**dict.fromkeys(COLUMNS), **known, "failure": ending.sentence, "stage": ending.stage}
    values = ending.values
    return {
        **dict.fromkeys(COLUMNS),
        **known,
        "target": ending.target_class,
        "against": ending.against_class,
        "of": ending.of,
        "unit": ending.unit,
        "predicted": ending.classes[ending.predicted],
        "probability": float(ending.probabilities[ending.target]),
        "probabilities": ending.probabilities,
        "logits": ending.logits,
        "map_shape": list(values.shape),
        **_map(ending, maps, precision, grid),
        **_own_method(ending, record, maps),
        "sums": [float(np.clip(values, 0, None).sum()), float(np.clip(values, None, 0).sum())],
        "diagnostics": json.dumps(storage.plain(ending.diagnostics)),
        "caveats": [{"name": each.name, "text": each.text} for each in ending.caveats],
        "spacing": None if ending.spacing is None else list(ending.spacing),
        "affine": None if ending.affine is None else np.asarray(ending.affine, float).ravel(),
        "scan": None if ending.scan is None else json.dumps(storage.plain(ending.scan)),
    }


def explanation_of(
    row: Row,
    image: Image,
    classes: tuple[str, ...],
    method: Mapping[str, Any],
    arrays: Mapping[str, Array] | None = None,
) -> Explanation:
    """Return the explanation that a row holds.

    Parameters
    ----------
    row
        Of a map that was kept whole, by its cells or by its regions.
    image
        ``(*space, channels)``: the image that was explained.
    classes, method, arrays
        Of the cohort: the model's classes, the record of the row's method, and the arrays that it names.

    Raises
    ------
    InvalidInput
        If the case failed, or its map wasn't kept.
    """
    values = map_of(row)
    shape = tuple(row["map_shape"])
    spacing, affine, scan, own = row["spacing"], row["affine"], row["scan"], row["method_record"]
    regions = _regions(row, shape)
    errors = None if row["errors"] is None else _scaled(row["errors"], row, shape)
    if row["map"] is None and regions is not None and regions.errors is not None:
        errors = regions.paint(regions.errors)
    return Explanation(
        values=values,
        image=image,
        target=classes.index(row["target"]),
        of=row["of"],
        unit=row["unit"],
        logits=_numbers(row["logits"]),
        probabilities=_numbers(row["probabilities"]),
        classes=classes,
        method=method if own is None else json.loads(own),
        method_arrays={**(arrays or {}), **_arrays(row)} if own is None else _arrays(row),
        errors=errors,
        regions=regions,
        diagnostics=json.loads(row["diagnostics"]),
        caveats=tuple(Caveat(each["name"], each["text"]) for each in row["caveats"]),
        spacing=None if spacing is None else tuple(spacing),
        affine=None if affine is None else np.asarray(affine, float).reshape(4, 4),
        against=None if row["against"] is None else classes.index(row["against"]),
        scan=None if scan is None else json.loads(scan),
    )


def map_of(row: Row) -> Map:
    """Return the map of a row: as it was kept, or made of its cells or its regions.

    Raises
    ------
    InvalidInput
        If the case failed, or nothing was kept that gives its map.
    """
    check_kept(row)
    shape = tuple(row["map_shape"])
    if row["map"] is not None:
        return _scaled(row["map"], row, shape)
    if row["cells"] is not None:
        return map_of_cells(_numbers(row["cells"]) * np.float32(row["map_scale"]), row["cells_grid"])
    regions = cast(Regions, _regions(row, shape))
    return regions.paint(regions.values)


def check_kept(row: Row) -> None:
    """See that a row gives a map.

    Raises
    ------
    InvalidInput
        If the case failed, or nothing was kept that gives its map.
    """
    if row["failure"] is not None:
        raise InvalidInput(f"there is no map of `{row['case']}`: {row['failure']}")
    if all(row[name] is None for name in MAPS):
        raise InvalidInput(f'the map of `{row["case"]}` was not kept: run the cohort with maps="whole".')


def _map(explanation: Explanation, maps: KeptMaps, precision: Precision, grid: Grid | None) -> dict[str, Any]:
    """Return the columns of the map and of its regions."""
    regions = explanation.regions
    found: dict[str, Any] = {}
    if regions is not None and maps != "none":
        found = {"region_values": regions.values, "region_errors": regions.errors}
        found["region_labels"] = regions.labels.ravel().astype(np.int32)
    if maps in ("regions", "none"):
        return found
    kept: dict[str, Array | None] = {"map": explanation.values, "errors": explanation.errors}
    if maps == "cells":
        cells = None if grid is None else cells_of(explanation, grid)
        if cells is not None:
            kept, found["cells_grid"] = {"cells": cells[0]}, cells[1]
        elif regions is not None or "grid" not in explanation.diagnostics:
            return found
    scale = _scale(*kept.values()) if precision == "float16" else 1.0
    for name, values in kept.items():
        found[name] = None if values is None else (values / np.float32(scale)).astype(precision).ravel()
    return {**found, "map_scale": scale}


def _own_method(ending: Explanation, record: Mapping[str, Any] | None, maps: KeptMaps) -> dict[str, Any]:
    """Return the columns of a method's record and arrays where they are of this case alone."""
    own = storage.plain(ending.method)
    if own == storage.plain(record):
        return {}
    arrays = {} if maps == "none" else ending.method_arrays
    told = [
        {"sha256": name, "dtype": each.dtype.str, "shape": list(each.shape), "content": each.tobytes()}
        for name, each in arrays.items()
    ]
    return {"method_record": json.dumps(own), "method_arrays": told}


def _arrays(row: Row) -> dict[str, Array]:
    """Return the arrays of a row's own record."""
    return {
        each["sha256"]: np.frombuffer(each["content"], each["dtype"]).reshape(each["shape"])
        for each in row["method_arrays"] or ()
    }


def _scale(*maps: Array | None) -> float:
    """Return the largest size of all values, by which they are divided: half precision ends at 65,504."""
    sizes = [float(np.abs(one[np.isfinite(one)]).max(initial=0)) for one in maps if one is not None]
    return float(np.float32(max(sizes))) or 1.0


def _regions(row: Row, shape: tuple[int, ...]) -> Regions | None:
    """Return the regions of a row; None where it has none."""
    if row["region_labels"] is None:
        return None
    errors = row["region_errors"]
    labels = np.asarray(row["region_labels"], np.int32).reshape(shape)
    return Regions(labels, _numbers(row["region_values"]), None if errors is None else _numbers(errors))


def _scaled(values: Any, row: Row, shape: tuple[int, ...]) -> Array:
    return (_numbers(values) * np.float32(row["map_scale"])).reshape(shape)


def _numbers(values: Any) -> Array:
    """Return a column's numbers in single precision; a null among them is NaN."""
    return np.asarray(values, np.float32)


def rows_of(batches: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of Arrow's batches; maps as arrays, which take far less room than lists."""
    for batch in batches:
        large = [name for name in ("map", "cells", "errors", "region_labels") if name in batch.schema.names]
        light = batch.drop_columns(large).to_pylist()
        for n, row in enumerate(light):
            more = {name: batch.column(name)[n].values for name in large}
            arrays = {k: None if v is None else v.to_numpy(zero_copy_only=False) for k, v in more.items()}
            yield {**row, **arrays}

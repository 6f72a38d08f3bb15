"""An ending as a row of the store, and the explanation that a row holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xaimri import storage
from xaimri.arrays import Array, Image
from xaimri.caveats import Caveat
from xaimri.cohort.schema import COLUMNS, KeptMaps, Precision
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation, Regions
from xaimri.failure import Failure

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
        **_map(ending, maps, precision),
        "sums": [float(np.clip(values, 0, None).sum()), float(np.clip(values, None, 0).sum())],
        "diagnostics": json.dumps(storage.plain(ending.diagnostics)),
        "caveats": [{"name": each.name, "text": each.text} for each in ending.caveats],
        "spacing": None if ending.spacing is None else list(ending.spacing),
        "affine": None if ending.affine is None else np.asarray(ending.affine, float).ravel(),
        "scan": None if ending.scan is None else json.dumps(storage.plain(ending.scan)),
    }


def explanation_of(
    row: Row, image: Image, classes: tuple[str, ...], method: Mapping[str, Any]
) -> Explanation:
    """Return the explanation that a row holds.

    Parameters
    ----------
    row
        Of a map that was kept whole.
    image
        ``(*space, channels)``: the image that was explained.
    classes, method
        Of the cohort: the model's classes, and the record of the row's method.

    Raises
    ------
    InvalidInput
        If the case failed, or its map wasn't kept.
    """
    case = row["case"]
    if row["failure"] is not None:
        raise InvalidInput(f"there is no map of `{case}`: {row['failure']}")
    if row["map"] is None:
        raise InvalidInput(f'the map of `{case}` was not kept: run the cohort with maps="whole".')
    shape = tuple(row["map_shape"])
    spacing, affine, scan = row["spacing"], row["affine"], row["scan"]
    return Explanation(
        values=_scaled(row["map"], row, shape),
        image=image,
        target=classes.index(row["target"]),
        of=row["of"],
        unit=row["unit"],
        logits=_numbers(row["logits"]),
        probabilities=_numbers(row["probabilities"]),
        classes=classes,
        method=method,
        errors=None if row["errors"] is None else _scaled(row["errors"], row, shape),
        regions=_regions(row, shape),
        diagnostics=json.loads(row["diagnostics"]),
        caveats=tuple(Caveat(each["name"], each["text"]) for each in row["caveats"]),
        spacing=None if spacing is None else tuple(spacing),
        affine=None if affine is None else np.asarray(affine, float).reshape(4, 4),
        against=None if row["against"] is None else classes.index(row["against"]),
        scan=None if scan is None else json.loads(scan),
    )


def _map(explanation: Explanation, maps: KeptMaps, precision: Precision) -> dict[str, Any]:
    """Return the columns of the map and of its regions."""
    regions = explanation.regions
    found: dict[str, Any] = {}
    if regions is not None and maps != "none":
        found = {"region_values": regions.values, "region_errors": regions.errors}
        found["region_labels"] = regions.labels.ravel().astype(np.int32)
    if maps != "whole":
        return found
    scale = _scale(explanation.values, explanation.errors) if precision == "float16" else 1.0
    for name, values in (("map", explanation.values), ("errors", explanation.errors)):
        found[name] = None if values is None else (values / np.float32(scale)).astype(precision).ravel()
    return {**found, "map_scale": scale}


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
